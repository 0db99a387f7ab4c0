//! How a forward pass is meant: an explicit value, never read off the device.

use burn::tensor::Tensor;
use nao_kernels::branch_sum;
use rand_chacha::ChaCha8Rng;

use crate::op::drop::{DropPathSchedule, drop_path_sum, dropout};
use crate::op::norm::{BatchNorm, BatchStatistics};

/// A forward pass for use or for training.
#[derive(Debug)]
pub enum Pass<'a> {
    /// Running statistics, nothing dropped, no auxiliary head.
    Eval,
    /// Statistics of the batch itself, which are not kept; nothing dropped, no auxiliary head. For networks whose running
    /// statistics mean nothing, as in a supernet.
    EvalOnBatch,
    /// As [`EvalOnBatch`](Pass::EvalOnBatch) in cells, as [`Eval`](Pass::Eval) in the stem and in the reducers of loose
    /// cell inputs.
    EvalOnBatchInCells,
    /// Statistics of the batch, dropout and drop-path, auxiliary head.
    Train(TrainPass<'a>),
}

/// A training pass: what is dropped, and where the norms leave what they saw.
#[derive(Debug)]
pub struct TrainPass<'a> {
    /// What is dropped; with `None` nothing is, and nothing is drawn.
    pub dropping: Option<Dropping<'a>>,
    /// Defects of the authors' code to reproduce; none by default.
    pub quirks: Quirks,
    /// The norms add to it; hand it to [`Network::apply_statistics`](super::Network::apply_statistics).
    pub statistics: &'a mut Vec<BatchStatistics>,
}

/// What a training pass drops.
#[derive(Debug)]
pub struct Dropping<'a> {
    /// Where masks are drawn from.
    pub rng: &'a mut ChaCha8Rng,
    /// Drop-path over the training.
    pub drop_path: DropPathSchedule,
    /// The step of the training, counted from 0.
    pub step: usize,
    /// Keep probability of features before the classifier; 1 switches dropout off.
    pub dropout_keep: f64,
}

/// Defects of the authors' code (docs/specification.md, f) that a training pass can reproduce, to compare with their
/// numbers. Their weights load without any of them, and no pass for use has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// Their auxiliary head begins with a ReLU in place, so the cells after it read its output rather than the
    /// features (docs/specification.md, f.4). It shows only where a cell has a single loose end: elsewhere those cells
    /// begin with a ReLU of their own. In use the head is off and they read the features: the network is trained on one
    /// thing and used on another.
    pub auxiliary_relu_in_place: bool,
}

impl<'a> TrainPass<'a> {
    /// A training pass in which nothing is dropped.
    pub fn without_dropping(statistics: &'a mut Vec<BatchStatistics>) -> Self {
        TrainPass { dropping: None, quirks: Quirks::default(), statistics }
    }

    /// A training pass with its dropping.
    pub fn dropping(dropping: Dropping<'a>, statistics: &'a mut Vec<BatchStatistics>) -> Self {
        TrainPass { dropping: Some(dropping), ..TrainPass::without_dropping(statistics) }
    }
}

impl Pass<'_> {
    /// How the stem and the reducers of loose cell inputs run in this pass.
    pub(crate) fn outside_cells(&mut self) -> Pass<'_> {
        match self {
            Pass::Eval | Pass::EvalOnBatchInCells => Pass::Eval,
            Pass::EvalOnBatch => Pass::EvalOnBatch,
            Pass::Train(TrainPass { dropping, quirks, statistics }) => {
                let dropping = dropping.as_mut().map(|Dropping { rng, drop_path, step, dropout_keep }| {
                    Dropping { rng, drop_path: *drop_path, step: *step, dropout_keep: *dropout_keep }
                });
                Pass::Train(TrainPass { dropping, quirks: *quirks, statistics })
            }
        }
    }

    /// Whether the cells after the auxiliary head read its ReLU.
    pub(crate) fn leaks_auxiliary_relu(&self) -> bool {
        matches!(self, Pass::Train(pass) if pass.quirks.auxiliary_relu_in_place)
    }

    /// The keep probability of branches in a cell.
    pub(crate) fn branch_keep(&self, cell: usize, cells: usize) -> f64 {
        match self {
            Pass::Train(TrainPass { dropping: Some(Dropping { drop_path, step, .. }), .. }) => {
                drop_path.keep_at(cell, cells, *step)
            }
            _ => 1.0,
        }
    }

    /// `x`, `[batch, channels, height, width]`, normalised.
    pub(crate) fn normalise(&mut self, norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
        match self {
            Pass::Eval => norm.forward_eval(x),
            Pass::EvalOnBatch | Pass::EvalOnBatchInCells => norm.forward_train(x).0,
            Pass::Train(pass) => {
                let (y, statistics) = norm.forward_train(x);
                pass.statistics.push(statistics);
                y
            }
        }
    }

    /// The sum of two branches, each of which is kept with a probability in training.
    pub(crate) fn sum_of_branches(&mut self, x: Tensor<4>, y: Tensor<4>, keep: f64) -> Tensor<4> {
        match self {
            Pass::Train(TrainPass { dropping: Some(Dropping { rng, .. }), .. }) => {
                drop_path_sum(x, y, keep, rng)
            }
            _ => branch_sum(x, y, None),
        }
    }

    /// Features before a classifier, some of which are dropped in training.
    pub(crate) fn drop_features(&mut self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Pass::Train(TrainPass { dropping: Some(Dropping { rng, dropout_keep, .. }), .. }) => {
                dropout(x, *dropout_keep, rng)
            }
            _ => x,
        }
    }
}
