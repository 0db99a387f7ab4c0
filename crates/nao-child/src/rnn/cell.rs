//! The searched cell, step by step (spec b): with weights of its own, and with weights shared by all cells.

use burn::module::{Module, ModuleDisplay, Param};
use burn::tensor::{Device, Tensor, activation};
use nao_space::network::OutputMean;
use nao_space::{Activation, ActivationOrder, RnnArch, RnnState};
use rand_chacha::ChaCha8Rng;

use super::dropout::SequenceMasks;
use crate::op::init::uniform;

/// Weights start within this bound (spec b).
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
/// Unlike a stand-alone cell, its output averages the fixed node in (spec f 32).
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
        let block = |node: &nao_space::RnnNode, weights: &Param<Tensor<2>>| {
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

/// A cell ready to run over a sequence: its matrices are looked up once.
pub(super) struct Steps<'a> {
    arch: &'a RnnArch,
    first: Tensor<2>,
    nodes: Vec<Tensor<2>>,
    averaged: Vec<RnnState>,
}

impl<'a> Steps<'a> {
    pub fn new<W: CellWeights>(weights: &W, arch: &'a RnnArch) -> Self {
        let (first, nodes) = (weights.first(), weights.nodes(arch));
        assert_eq!(nodes.len(), arch.nodes().len(), "the weights are those of cells of as many nodes");
        Steps { arch, first, nodes, averaged: weights.averaged(arch) }
    }

    /// One step: word `[batch, hidden]` and memory `[batch, hidden]` to the next memory, which is the output.
    pub fn step(&self, word: Tensor<2>, memory: Tensor<2>, masks: &SequenceMasks) -> Tensor<2> {
        let joined = Tensor::cat(vec![masks.word(word), masks.memory(memory.clone())], 1);
        let mut states = Vec::with_capacity(self.nodes.len() + 1);
        states.push(mixed(joined.matmul(self.first.clone()), memory, Activation::Tanh));
        for (node, weights) in self.arch.nodes().iter().zip(&self.nodes) {
            let input: &Tensor<2> = &states[node.input.index()];
            let product = masks.memory(input.clone()).matmul(weights.clone());
            states.push(mixed(product, input.clone(), node.activation));
        }
        let count = self.averaged.len() as f64;
        let averaged = self.averaged.iter().map(|state| states[state.index()].clone());
        averaged.reduce(|sum, state| sum + state).expect("a cell has nodes").div_scalar(count)
    }
}

/// `input + sigmoid(gate) (activation(candidate) - input)` of a product `[batch, 2 hidden]`, gate first.
fn mixed(product: Tensor<2>, input: Tensor<2>, applied: Activation) -> Tensor<2> {
    let hidden = input.dims()[1];
    let gate = activation::sigmoid(product.clone().narrow(1, 0, hidden));
    let candidate = apply(applied, product.narrow(1, hidden, hidden));
    input.clone() + gate * (candidate - input)
}

fn apply(applied: Activation, x: Tensor<2>) -> Tensor<2> {
    match applied {
        Activation::Tanh => activation::tanh(x),
        Activation::Relu => activation::relu(x),
        Activation::Identity => x,
        Activation::Sigmoid => activation::sigmoid(x),
    }
}
