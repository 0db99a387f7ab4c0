//! How a forward pass is meant: an explicit value, never read off the device.

use rand_chacha::ChaCha8Rng;

use crate::op::drop::DropPathSchedule;
use crate::op::norm::BatchStatistics;

/// A forward pass for use or for training.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // one value per step
pub enum Pass {
    /// Running statistics, nothing dropped, no auxiliary head.
    Eval,
    /// Statistics of the batch itself, which are not kept; nothing dropped, no auxiliary head. For networks whose running
    /// statistics mean nothing, as in a supernet.
    EvalOnBatch,
    /// Statistics of the batch, dropout and drop-path, auxiliary head.
    Train(TrainPass),
}

/// A training pass: what is dropped, and what the norms saw.
#[derive(Debug)]
pub struct TrainPass {
    /// Where masks are drawn from.
    pub rng: ChaCha8Rng,
    /// Drop-path over the training.
    pub drop_path: DropPathSchedule,
    /// The step of the training, counted from 0.
    pub step: usize,
    /// Keep probability of features before the classifier; 1 switches dropout off.
    pub dropout_keep: f64,
    /// Defects of the authors' code to reproduce; none by default.
    pub quirks: Quirks,
    /// Collected by the norms; hand it to [`Network::apply_statistics`](super::Network::apply_statistics).
    pub statistics: Vec<BatchStatistics>,
}

/// Defects of the authors' code (docs/specification.md, f) that a training pass can reproduce, to compare with their
/// numbers. Their weights load without any of them, and no pass for use has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// Their auxiliary head begins with a ReLU in place, so the cells behind it read its output rather than the
    /// features (docs/specification.md, f.4). It shows only where a cell has a single loose end: elsewhere those cells
    /// begin with a ReLU of their own. In use the head is off and they read the features: the network is trained on one
    /// thing and used on another.
    pub auxiliary_relu_in_place: bool,
}

impl TrainPass {
    /// A training pass in which nothing is dropped.
    pub fn without_dropping(rng: ChaCha8Rng) -> Self {
        TrainPass {
            rng,
            drop_path: DropPathSchedule { keep: 1.0, total_steps: 1 },
            step: 0,
            dropout_keep: 1.0,
            quirks: Quirks::default(),
            statistics: Vec::new(),
        }
    }
}

impl Pass {
    /// Whether the cells behind the auxiliary head read its ReLU.
    pub(crate) fn leaks_auxiliary_relu(&self) -> bool {
        matches!(self, Pass::Train(pass) if pass.quirks.auxiliary_relu_in_place)
    }

    /// The keep probability of branches in a cell.
    pub(crate) fn branch_keep(&self, cell: usize, cells: usize) -> f64 {
        match self {
            Pass::Eval | Pass::EvalOnBatch => 1.0,
            Pass::Train(pass) => pass.drop_path.keep_at(cell, cells, pass.step),
        }
    }
}
