//! One cell of a network, layer by layer.

use serde::Serialize;

use crate::image::{Cell, CellRole, State};
use crate::network::block::{Block, BlockRole};
use crate::network::calibration::{calibration, fit};
use crate::network::layer::FeatureShape;
use crate::network::layout::CellSite;
use crate::network::operation::{Place, op_layers};

/// One branch of a node: an operation on a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BranchPlan {
    /// The state that it reads.
    pub input: State,
    /// The layers of the operation.
    pub block: Block,
}

/// A node: the sum of two branches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodePlan {
    /// The x branch and the y branch.
    pub branches: [BranchPlan; 2],
}

/// One part of the concatenation at the end of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutputPiece {
    /// The concatenated state.
    pub state: State,
    /// Brings a cell input of another size or width to those of the nodes; otherwise empty.
    pub block: Block,
}

/// One cell of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellPlan {
    /// Its position, counted from 0.
    pub index: usize,
    /// Normal or reduction.
    pub role: CellRole,
    /// Channels of its nodes (F times a power of two), and of its calibrated inputs, but for an older input of
    /// the first cell that is left as it is.
    pub width: usize,
    /// Calibration of the older and the newer input (docs/specification.md, a.3).
    pub calibration: [Block; 2],
    /// The nodes in order.
    pub nodes: Vec<NodePlan>,
    /// What is concatenated along channels.
    pub pieces: Vec<OutputPiece>,
    /// Shape of the output.
    pub output: FeatureShape,
}

impl CellPlan {
    /// Every block of the cell in the order in which data flows.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        let branches = self.nodes.iter().flat_map(|node| node.branches.iter().map(|branch| &branch.block));
        self.calibration.iter().chain(branches).chain(self.pieces.iter().map(|piece| &piece.block))
    }
}

impl CellSite<'_> {
    /// Whether the cell before has the same layers. Most cells of a stage do, and copying is quicker.
    pub fn repeats(&self, before: &CellPlan) -> bool {
        let inputs = before.calibration.each_ref().map(|block| block.input);
        // The first cell may have its own rule of calibration.
        before.index > 0 && (before.role, before.width, inputs) == (self.role, self.width, self.inputs)
    }

    /// Lays out a cell that concatenates the states `concat`.
    pub fn plan(&self, cell: &Cell, concat: &[State]) -> CellPlan {
        let CellSite { index, role, width, inputs, rules } = *self;
        let calibration = calibration(rules, index == 0, inputs, width);
        let mut states: Vec<FeatureShape> = Vec::with_capacity(State::INPUTS + cell.nodes().len());
        states.extend(calibration.iter().map(|block| block.output));
        let mut nodes = Vec::with_capacity(cell.nodes().len());
        for node in cell.nodes() {
            let branches = node.edges.map(|edge| {
                let input = states[edge.input.index()];
                let halves = role == CellRole::Reduction && edge.input.is_cell_input();
                let stride = if halves { 2 } else { 1 };
                let place = Place { input: input.channels, width, stride, rules };
                let block = Block::laid(BlockRole::Operation(edge.op), input, op_layers(edge.op, place));
                BranchPlan { input: edge.input, block }
            });
            states.push(branches[0].block.output);
            nodes.push(NodePlan { branches });
        }
        let node_shape = states[State::INPUTS];
        let piece = |&state: &State| OutputPiece { state, block: fit(states[state.index()], node_shape) };
        let pieces: Vec<OutputPiece> = concat.iter().map(piece).collect();
        let output = node_shape.with_channels(width * pieces.len());
        CellPlan { index, role, width, calibration, nodes, pieces, output }
    }
}
