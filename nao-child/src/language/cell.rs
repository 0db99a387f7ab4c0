//! The searched cell (docs/specification.md, b): with weights of its own, and with weights shared by all cells.

use std::sync::Arc;

use burn::module::{Module, ModuleDisplay, Param};
use burn::tensor::{Device, Tensor};
use nao_kernels::{NodeFunction, RecurrentGraph, RecurrentMasks, RecurrentNode, RecurrentWeights, recurrent};
use nao_space::network::OutputMean;
use nao_space::{Activation, ActivationOrder, RnnArch, RnnNode, RnnState};
use rand_chacha::ChaCha8Rng;

use nao_kernels::nn::uniform;

/// Weights start within this bound (docs/specification.md, b).
pub(super) const BOUND: f32 = 0.04;

/// The number of activations between which a node chooses.
const ACTIVATIONS: usize = 4;

/// Something that gives a cell its matrices.
pub trait CellWeights: Module + ModuleDisplay {
    /// W0, `[2 hidden, 2 hidden]`: word and memory to the gate and the candidate of the fixed first node.
    fn first(&self) -> Tensor<2>;

    /// Per searched node of `arch` its matrix `[hidden, 2 hidden]`: gate, then candidate.
    fn nodes(&self, arch: &RnnArch) -> Vec<Tensor<2>>;

    /// The states whose mean is the output.
    fn averaged(&self, arch: &RnnArch) -> Vec<RnnState>;
}

/// The weights of one cell.
#[derive(Module, Debug)]
pub struct RecurrentCell {
    pub(super) first: Param<Tensor<2>>,
    pub(super) nodes: Vec<Param<Tensor<2>>>,
    #[module(skip)]
    mean: OutputMean,
}

/// Weights for every cell of a space (`NAO-WS/rnn`): node i (from 1) has a matrix for each of its i inputs and each
/// activation, in one block of `4 i hidden` rows.
///
/// Unlike a stand-alone cell, its output averages the fixed node in (docs/specification.md, f.32).
#[derive(Module, Debug)]
pub struct SharedCell {
    pub(super) first: Param<Tensor<2>>,
    pub(super) nodes: Vec<Param<Tensor<2>>>,
    /// The order of activations in the blocks.
    #[module(skip)]
    order: ActivationOrder,
}

impl RecurrentCell {
    /// Fresh weights for a cell of `nodes` searched nodes.
    pub fn new(nodes: usize, hidden: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let mut draw = |rows| Param::from_tensor(uniform([rows, 2 * hidden], BOUND, rng, device));
        let (first, nodes) = (draw(2 * hidden), (0..nodes).map(|_| draw(hidden)).collect());
        RecurrentCell { first, nodes, mean: OutputMean::Searched }
    }

    /// The same weights, averaging other states.
    pub fn with_mean(self, mean: OutputMean) -> Self {
        RecurrentCell { mean, ..self }
    }
}

impl SharedCell {
    /// Fresh weights for all cells of `nodes` searched nodes; `order` is that of the activations of the space.
    pub fn new(
        nodes: usize,
        hidden: usize,
        order: ActivationOrder,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let mut draw = |rows| Param::from_tensor(uniform([rows, 2 * hidden], BOUND, rng, device));
        let first = draw(2 * hidden);
        let nodes = (1..=nodes).map(|node| draw(ACTIVATIONS * node * hidden)).collect();
        SharedCell { first, nodes, order }
    }
}

impl CellWeights for RecurrentCell {
    fn first(&self) -> Tensor<2> {
        self.first.val()
    }

    fn nodes(&self, _: &RnnArch) -> Vec<Tensor<2>> {
        self.nodes.iter().map(Param::val).collect()
    }

    fn averaged(&self, arch: &RnnArch) -> Vec<RnnState> {
        self.mean.states(arch)
    }
}

impl CellWeights for SharedCell {
    fn first(&self) -> Tensor<2> {
        self.first.val()
    }

    fn nodes(&self, arch: &RnnArch) -> Vec<Tensor<2>> {
        let block = |node: &RnnNode, weights: &Param<Tensor<2>>| {
            let hidden = weights.dims()[1] / 2;
            let order = self.order.activations();
            let place =
                order.iter().position(|&known| known == node.activation).expect("an order holds all four");
            weights.val().narrow(0, (node.input.index() * ACTIVATIONS + place) * hidden, hidden)
        };
        arch.nodes().iter().zip(&self.nodes).map(|(node, weights)| block(node, weights)).collect()
    }

    fn averaged(&self, arch: &RnnArch) -> Vec<RnnState> {
        OutputMean::All.states(arch)
    }
}

/// Runs the cell of `arch` over `words`, `[steps, batch, hidden]`, from `memory`, `[batch, hidden]`, which is also what the
/// last step leaves.
pub(super) fn run_cell<W: CellWeights>(
    weights: &W,
    arch: &RnnArch,
    words: Tensor<3>,
    memory: Tensor<2>,
    masks: RecurrentMasks,
) -> Tensor<3> {
    let nodes = weights.nodes(arch);
    assert_eq!(nodes.len(), arch.nodes().len(), "the weights are those of cells of as many nodes");
    let node = |node: &RnnNode| RecurrentNode {
        input: node.input.index(),
        function: match node.activation {
            Activation::Tanh => NodeFunction::Tanh,
            Activation::Relu => NodeFunction::Relu,
            Activation::Identity => NodeFunction::Identity,
            Activation::Sigmoid => NodeFunction::Sigmoid,
        },
    };
    let graph = RecurrentGraph {
        nodes: arch.nodes().iter().map(node).collect(),
        averaged: weights.averaged(arch).into_iter().map(RnnState::index).collect(),
    };
    let weights = RecurrentWeights { first: weights.first(), nodes: Tensor::cat(nodes, 0) };
    recurrent(words, memory, weights, masks, Arc::new(graph))
}
