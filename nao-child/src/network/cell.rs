//! One cell: calibrated inputs, nodes of two branches, concatenated loose ends (docs/specification.md, a.2).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use nao_space::network::CellPlan;
use rand_chacha::ChaCha8Rng;

use super::backbone::CellInputs;
use super::block::Block;
use super::pass::Pass;

/// A cell of the network.
#[derive(Module, Debug)]
pub struct Cell {
    calibration: [Block; 2],
    nodes: Vec<Node>,
    pieces: Vec<Piece>,
}

/// The sum of two branches.
#[derive(Module, Debug)]
pub struct Node {
    branches: [Branch; 2],
}

/// An operation on an earlier state.
#[derive(Module, Debug)]
pub struct Branch {
    state: usize,
    block: Block,
}

/// A loose end; a loose cell input of a reduction cell is brought to the size of the cell.
#[derive(Module, Debug)]
pub struct Piece {
    state: usize,
    block: Block,
}

impl Cell {
    /// The cell of a plan, with fresh weights.
    pub fn new(plan: &CellPlan, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let calibration = plan.calibration.each_ref().map(|block| Block::new(block, rng, device));
        let mut nodes = Vec::with_capacity(plan.nodes.len());
        for node in &plan.nodes {
            let branches = node.branches.each_ref().map(|branch| Branch {
                state: branch.input.index(),
                block: Block::new(&branch.block, rng, device),
            });
            nodes.push(Node { branches });
        }
        let pieces = plan
            .pieces
            .iter()
            .map(|piece| Piece { state: piece.state.index(), block: Block::new(&piece.block, rng, device) })
            .collect();
        Cell { calibration, nodes, pieces }
    }

    /// In training each branch, identity included, is kept with a probability per example (docs/specification.md, e.1).
    pub(super) fn forward(&self, inputs: CellInputs, pass: &mut Pass) -> Tensor<4> {
        let CellInputs { older, newer, branch_keep } = inputs;
        let [calibrate_older, calibrate_newer] = &self.calibration;
        let mut states = vec![calibrate_older.forward(older, pass), calibrate_newer.forward(newer, pass)];
        for node in &self.nodes {
            let branches = node.branches.each_ref();
            let [x, y] = branches.map(|branch| branch.block.forward(states[branch.state].clone(), pass));
            states.push(pass.sum_of_branches(x, y, branch_keep));
        }
        let mut pieces: Vec<Tensor<4>> =
            self.pieces.iter().map(|piece| piece.block.forward(states[piece.state].clone(), pass)).collect();
        if pieces.len() == 1 {
            return pieces.swap_remove(0);
        }
        Tensor::cat(pieces, 1)
    }
}
