//! What networks, supernets and relaxed networks have in common: a stem, cells one after another, perhaps an auxiliary
//! head, and a head (docs/specification.md, a.1).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use nao_space::network::{AuxiliaryPlan, Block as BlockPlan};
use rand_chacha::ChaCha8Rng;

use super::block::Block;
use super::pass::Pass;
use crate::op::activation::relu;

/// A network around cells of kind `C`.
#[derive(Module, Debug)]
pub struct Backbone<C: Module> {
    pub(crate) stem: Vec<Block>,
    pub(crate) cells: Vec<C>,
    pub(crate) auxiliary: Option<Block>,
    pub(crate) head: Block,
    /// The cell that the auxiliary head reads, counted from 0.
    pub(crate) auxiliary_after: usize,
}

/// What a network says about a batch of images.
#[derive(Clone, Debug)]
pub struct Logits {
    /// `[batch, classes]`.
    pub main: Tensor<2>,
    /// Those of the auxiliary head, in training passes only.
    pub auxiliary: Option<Tensor<2>>,
}

/// The inputs of a cell.
pub(crate) struct CellInputs {
    /// The output of the cell before the last one.
    pub older: Tensor<4>,
    /// The output of the last cell.
    pub newer: Tensor<4>,
    /// The probability with which a branch of the cell is kept in training.
    pub branch_keep: f64,
}

/// The blocks of a plan around its cells.
pub(crate) struct Surroundings<'a> {
    pub stem: &'a [BlockPlan],
    pub auxiliary: Option<&'a AuxiliaryPlan>,
    pub head: &'a BlockPlan,
}

impl<C: Module> Backbone<C> {
    /// A network with fresh weights, drawn in the order in which it runs; `cells` draws those of the cells.
    pub(crate) fn new(
        plan: &Surroundings,
        cells: impl FnOnce(&mut ChaCha8Rng) -> Vec<C>,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let stem = plan.stem.iter().map(|block| Block::new(block, rng, device)).collect();
        let cells = cells(rng);
        let auxiliary = plan.auxiliary.map(|head| Block::new(&head.block, rng, device));
        let auxiliary_after = plan.auxiliary.map_or(0, |head| head.after_cell);
        let head = Block::new(plan.head, rng, device);
        Backbone { stem, cells, auxiliary, head, auxiliary_after }
    }

    /// `images`: `[batch, channels, height, width]`, normalised; `run_cell` gives what a cell makes of its inputs.
    pub(crate) fn forward(
        &self,
        images: Tensor<4>,
        pass: &mut Pass,
        run_cell: impl Fn(&C, CellInputs, &mut Pass) -> Tensor<4>,
    ) -> Logits {
        let mut newer = images;
        let mut older = None;
        for (index, block) in self.stem.iter().enumerate() {
            let output = block.forward(newer.clone(), &mut pass.outside_cells());
            // The images themselves are no input of the first cell.
            older = (index > 0).then_some(newer);
            newer = output;
        }
        let mut older = older.unwrap_or_else(|| newer.clone());
        let mut auxiliary = None;
        for (index, cell) in self.cells.iter().enumerate() {
            let branch_keep = pass.branch_keep(index, self.cells.len());
            let output = run_cell(cell, CellInputs { older, newer: newer.clone(), branch_keep }, pass);
            (older, newer) = (newer, output);
            if let (Some(head), Pass::Train(_)) = (&self.auxiliary, &*pass)
                && index == self.auxiliary_after
            {
                auxiliary = Some(head.forward(newer.clone(), pass).flatten(1, 3));
                if pass.leaks_auxiliary_relu() {
                    newer = relu(newer);
                }
            }
        }
        // The older input of the last cell is not needed any more.
        drop(older);
        Logits { main: self.head.forward(newer, pass).flatten(1, 3), auxiliary }
    }
}
