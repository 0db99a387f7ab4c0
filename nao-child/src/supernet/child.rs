//! The network of one architecture with weights on purpose.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use nao_kernels::{Window, relu_conv2d};
use nao_space::network::SupernetPlan;
use nao_space::{CellRole, CnnArch, Op, OpSet};
use serde::{Deserialize, Serialize};

use super::names::Place;
use super::shared_weights::{Purpose, SharedWeights};
use crate::names::{NameConvention, auxiliary_local, reducer_local};
use crate::network::{Backbone, Block, CellInputs, LayerModule, Logits, Pass};
use crate::op::conv::Conv;
use crate::op::factorized_reduce::FactorizedReduce;
use crate::op::linear::Linear;
use crate::op::norm::{BatchNorm, BatchStatistics, apply_statistics};

/// By what norms normalise when an architecture is judged. Whatever it is, nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norms {
    /// All by the statistics of the batch: running ones are mixtures over architectures and belong to none.
    #[default]
    Batch,
    /// Those of operations, calibrations and combinations by the batch; the stem and the reducers of loose cell inputs
    /// by running statistics, as the authors' search does (docs/specification.md, a.7).
    BatchInCells,
    /// All by running statistics.
    Running,
}

/// The network of one architecture in a supernet: it has exactly the layers that the architecture uses.
#[derive(Module, Debug)]
pub struct SharedChild {
    backbone: Backbone<Cell>,
}

#[derive(Module, Debug)]
struct Cell {
    calibration: [Block; 2],
    nodes: Vec<Node>,
    pieces: Vec<Piece>,
    norm: BatchNorm,
}

#[derive(Module, Debug)]
struct Node {
    states: [usize; 2],
    x: Block,
    /// `None` where it is the very block of the other branch.
    y: Option<Block>,
}

/// A loose end, its way to the size of the cell, and its part of the convolution that combines them.
#[derive(Module, Debug)]
struct Piece {
    state: usize,
    block: Block,
    /// `[width, width, 1, 1]`.
    weight: Param<Tensor<4>>,
}

impl SharedChild {
    /// `images`: `[batch, channels, height, width]`, normalised.
    pub fn forward(&self, images: Tensor<4>, pass: &mut Pass) -> Logits {
        self.backbone.forward(images, pass, Cell::forward)
    }

    /// What the network says about a batch of images when it is judged, `[batch, classes]`.
    pub fn judge(&self, images: Tensor<4>, norms: Norms) -> Tensor<2> {
        let mut pass = match norms {
            Norms::Batch => Pass::EvalOnBatch,
            Norms::BatchInCells => Pass::EvalOnBatchInCells,
            Norms::Running => Pass::Eval,
        };
        self.forward(images, &mut pass).main
    }

    /// Moves the running statistics towards those that a training pass collected.
    #[must_use]
    pub fn apply_statistics(self, statistics: Vec<BatchStatistics>) -> Self {
        apply_statistics(self, statistics)
    }
}

impl Cell {
    fn forward(&self, inputs: CellInputs, pass: &mut Pass) -> Tensor<4> {
        let CellInputs { older, newer, branch_keep } = inputs;
        let [calibrate_older, calibrate_newer] = &self.calibration;
        let mut states = vec![calibrate_older.forward(older, pass), calibrate_newer.forward(newer, pass)];
        for Node { states: [from_x, from_y], x, y } in &self.nodes {
            let y = y.as_ref().unwrap_or(x);
            let (x, y) = (x.forward(states[*from_x].clone(), pass), y.forward(states[*from_y].clone(), pass));
            states.push(pass.sum_of_branches(x, y, branch_keep));
        }
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            pieces.push(piece.block.forward(states[piece.state].clone(), &mut pass.outside_cells()));
        }
        drop(states);
        let weights = self.pieces.iter().map(|piece| piece.weight.val()).collect();
        let combined =
            relu_conv2d(Tensor::cat(pieces, 1), Tensor::cat(weights, 1), Window::of_size([1; 2]), 1);
        pass.normalise(&self.norm, combined)
    }
}

/// Where the tensors of a child come from.
pub(super) struct ChildBuilder<'a> {
    pub plan: &'a SupernetPlan,
    pub ops: &'a OpSet,
    pub form: NameConvention,
    pub weights: &'a SharedWeights,
    pub purpose: Purpose,
}

impl ChildBuilder<'_> {
    /// The network of an architecture of the space.
    pub fn child(&self, arch: &CnnArch) -> SharedChild {
        let plan = self.plan;
        let stem = stem_places(plan);
        let auxiliary = plan.auxiliary.as_ref().map(|head| self.block(&head.block, &auxiliary_place()));
        let backbone = Backbone {
            stem: plan.stem.iter().zip(stem).map(|(block, place)| self.block(block, &place)).collect(),
            cells: (0..plan.cells.len()).map(|index| self.cell(index, arch)).collect(),
            auxiliary,
            head: self.block(&plan.head, &head_place()),
            auxiliary_after: plan.auxiliary.as_ref().map_or(0, |head| head.after_cell),
        };
        SharedChild { backbone }
    }

    fn cell(&self, index: usize, arch: &CnnArch) -> Cell {
        let plan = &self.plan.cells[index];
        let places = calibration_places(index);
        let calibration = [0, 1].map(|input| self.block(&plan.calibration[input], &places[input]));
        let cell = arch.cell(plan.role);
        let nodes = cell.nodes().iter().enumerate().map(|(node, edges)| {
            let [x, y] = edges.edges;
            // V1 gives both sides the reducers of the x side (docs/specification.md, a.7, f.6).
            let shared = self.form == NameConvention::V1
                && y.op == Op::Identity
                && plan.role == CellRole::Reduction
                && y.input.is_cell_input();
            let same = shared && x == y;
            Node {
                states: [x.input.index(), y.input.index()],
                x: self.op(index, node, 'x', x.op, x.input.index()),
                y: (!same)
                    .then(|| self.op(index, node, if shared { 'x' } else { 'y' }, y.op, y.input.index())),
            }
        });
        let nodes = nodes.collect();
        let pieces = cell.loose_ends().into_iter().map(|state| {
            let state = state.index();
            let block = match plan.loose_inputs.get(state) {
                Some(block) => self.block(block, &loose_input_place(index, state)),
                None => Block::of(Vec::new()),
            };
            Piece { state, block, weight: self.weights.view(&combine_weight(index, state), self.purpose) }
        });
        let pieces = pieces.collect();
        let LayerModule::BatchNorm(norm) = self.layer(&combine_place(index), 0, plan.combine_norm()) else {
            unreachable!("a norm is a norm")
        };
        Cell { calibration, nodes, pieces, norm }
    }

    fn op(&self, cell: usize, node: usize, side: char, op: Op, state: usize) -> Block {
        let ops = &self.plan.cells[cell].nodes[node].ops;
        let shared = ops.iter().find(|shared| shared.op == op).expect("the architecture is of the space");
        let block = &shared.blocks[state];
        let place = Place::of_op(self.form, self.ops, [cell, node], side, op, state, block);
        self.block(block, &place)
    }

    fn block(&self, block: &nao_space::network::Block, place: &Place) -> Block {
        let layers = block.layers.iter().enumerate();
        Block::of(layers.map(|(index, planned)| self.layer(place, index, planned.layer)).collect())
    }

    fn layer(&self, place: &Place, index: usize, layer: nao_space::network::Layer) -> LayerModule {
        use nao_space::network::Layer;
        let name = |field| place.tensor(index, &layer, field);
        let (weights, purpose) = (self.weights, self.purpose);
        match layer {
            Layer::Conv(spec) => {
                LayerModule::Conv(Conv::with_weight(spec, weights.view(&name("weight"), purpose)))
            }
            Layer::BatchNorm { .. } => LayerModule::BatchNorm(BatchNorm {
                gamma: weights.view(&name("weight"), purpose),
                beta: weights.view(&name("bias"), purpose),
                running_mean: weights.view(&name("running_mean"), purpose),
                running_var: weights.view(&name("running_var"), purpose),
            }),
            Layer::FactorizedReduce { .. } => LayerModule::FactorizedReduce(FactorizedReduce {
                path1: weights.view(&name("path1.1.weight"), purpose),
                path2: weights.view(&name("path2.1.weight"), purpose),
            }),
            Layer::Linear { bias, .. } => LayerModule::Linear(Linear {
                weight: weights.view(&name("weight"), purpose),
                bias: bias.then(|| weights.view(&name("bias"), purpose)),
            }),
            layer => LayerModule::fixed(layer),
        }
    }
}

pub(super) fn stem_places(plan: &SupernetPlan) -> Vec<Place> {
    let prefix = |number| if plan.stem.len() == 1 { "stem".to_owned() } else { format!("stem{number}") };
    let place = |number| Place::Common { prefix: prefix(number), local: |index, _| index.to_string() };
    (0..plan.stem.len()).map(place).collect()
}

pub(super) fn calibration_places(cell: usize) -> [Place; 2] {
    ["x", "y"].map(|input| Place::Common {
        prefix: format!("cells.{cell}.maybe_calibrate_size.preprocess_{input}"),
        local: reducer_local,
    })
}

pub(super) fn loose_input_place(cell: usize, state: usize) -> Place {
    Place::Common { prefix: format!("cells.{cell}.fac_{}", state + 1), local: reducer_local }
}

pub(super) fn combine_weight(cell: usize, state: usize) -> String {
    format!("cells.{cell}.final_combine_conv.w.{state}")
}

pub(super) fn combine_place(cell: usize) -> Place {
    Place::Common { prefix: format!("cells.{cell}.final_combine_conv"), local: |_, _| "bn".to_owned() }
}

pub(super) fn auxiliary_place() -> Place {
    Place::Common { prefix: "auxiliary_head".to_owned(), local: auxiliary_local }
}

pub(super) fn head_place() -> Place {
    Place::Common { prefix: "classifier".to_owned(), local: |_, _| String::new() }
}
