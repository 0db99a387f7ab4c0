//! Gated recurrent cells of several nodes over whole sequences.

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::tensor::{Tensor, activation};

use crate::extension::{Operations, RecurrentCell};
use crate::switch::takes;

pub use crate::cpu::recurrent::{NodeFunction, RecurrentGraph, RecurrentNode};

/// The weights of a cell; every matrix gives gates, then candidates.
#[derive(Clone, Debug)]
pub struct RecurrentWeights {
    /// From word and memory to the first node, `[2 hidden, 2 hidden]`.
    pub first: Tensor<2>,
    /// From states to the nodes after it, one below the other, `[nodes hidden, 2 hidden]`.
    pub nodes: Tensor<2>,
}

/// What words, and memory and states, are multiplied by where they enter products: `[batch, hidden]` each, the same in
/// every step. No gradient flows to them.
#[derive(Clone, Debug, Default)]
pub struct RecurrentMasks {
    /// Of words.
    pub word: Option<Tensor<2>>,
    /// Of memory and states.
    pub state: Option<Tensor<2>>,
}

/// Runs a cell over all steps. Every node mixes what it reads with a function of it: `s = p + sigmoid(c) (f(u) - p)` with
/// `[c, u] = p W`; the first reads the memory as `p`, and word and memory together in its product. The output of a step
/// is the mean of some states, and the memory of the next.
///
/// `words`: `[time, batch, hidden]`, at least one step; `memory` before the first step: `[batch, hidden]`. Returns the
/// outputs, `[time, batch, hidden]`.
///
/// # Panics
/// When a tensor has not the size that the others say, or a node reads a state that comes later.
pub fn recurrent(
    words: Tensor<3>,
    memory: Tensor<2>,
    weights: RecurrentWeights,
    masks: RecurrentMasks,
    graph: Arc<RecurrentGraph>,
) -> Tensor<3> {
    let RecurrentWeights { first, nodes } = weights;
    if !(takes(&words) && takes(&memory) && takes(&first) && takes(&nodes)) {
        return steps(words, memory, RecurrentWeights { first, nodes }, &masks, &graph);
    }
    let values = |mask: Option<Tensor<2>>| -> Option<Arc<[f32]>> {
        mask.map(|mask| mask.into_data().iter::<f32>().collect())
    };
    let cell = RecurrentCell { graph, word_mask: values(masks.word), state_mask: values(masks.state) };
    Tensor::from_dispatch(Dispatch::nao_recurrent(
        words.into_dispatch(),
        memory.into_dispatch(),
        first.into_dispatch(),
        nodes.into_dispatch(),
        cell,
    ))
}

/// Step by step in burn's operations.
fn steps(
    words: Tensor<3>,
    mut memory: Tensor<2>,
    weights: RecurrentWeights,
    masks: &RecurrentMasks,
    graph: &RecurrentGraph,
) -> Tensor<3> {
    let [time, _, hidden] = words.dims();
    let masked = |x: Tensor<2>, mask: &Option<Tensor<2>>| match mask {
        Some(mask) => x * mask.clone(),
        None => x,
    };
    let of_node = |node: usize| weights.nodes.clone().narrow(0, node * hidden, hidden);
    let matrices: Vec<Tensor<2>> = (0..graph.nodes.len()).map(of_node).collect();
    let mut outputs = Vec::with_capacity(time);
    for step in 0..time {
        let word = words.clone().narrow(0, step, 1).squeeze_dim(0);
        let joined = vec![masked(word, &masks.word), masked(memory.clone(), &masks.state)];
        let product = Tensor::cat(joined, 1).matmul(weights.first.clone());
        let mut states = vec![mixed(product, memory, NodeFunction::Tanh)];
        for (node, matrix) in graph.nodes.iter().zip(&matrices) {
            let read = states[node.input].clone();
            let product = masked(read.clone(), &masks.state).matmul(matrix.clone());
            states.push(mixed(product, read, node.function));
        }
        let averaged = graph.averaged.iter().map(|&state| states[state].clone());
        let sum = averaged.reduce(|sum, state| sum + state).expect("an output is the mean of something");
        memory = sum.div_scalar(graph.averaged.len() as f64);
        outputs.push(memory.clone());
    }
    Tensor::stack(outputs, 0)
}

/// `read + sigmoid(gate) (function(candidate) - read)` of a product `[batch, 2 hidden]`, gate first.
fn mixed(product: Tensor<2>, read: Tensor<2>, function: NodeFunction) -> Tensor<2> {
    let hidden = read.dims()[1];
    let gate = activation::sigmoid(product.clone().narrow(1, 0, hidden));
    let candidate = product.narrow(1, hidden, hidden);
    let candidate = match function {
        NodeFunction::Tanh => activation::tanh(candidate),
        NodeFunction::Relu => activation::relu(candidate),
        NodeFunction::Identity => candidate,
        NodeFunction::Sigmoid => activation::sigmoid(candidate),
    };
    read.clone() + gate * (candidate - read)
}
