//! Gated recurrent cells of several nodes over whole sequences, and their gradient.
//!
//! Every node mixes what it reads with a function of it: `s = p + sigmoid(c) (f(u) - p)` with `[c, u] = p W`. The first
//! reads the memory as `p`, and word and memory together in its product; node i reads one of the states before it. The
//! output, which is the next memory, is the mean of some states. Masks multiply what enters the products, and are the
//! same in every step; what is carried past a product is not masked.
//!
//! Everything lies time-major: `[time, batch, hidden]`.

mod backward;
mod forward;
mod mix;

use super::isa::{Isa, kernel};
use super::matrix::Matrix;
use super::panels::Panels;
use super::parallel::fill;

pub use backward::{Gradients, backward};
pub use forward::forward;

/// The function of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeFunction {
    /// The hyperbolic tangent.
    Tanh,
    /// `max(x, 0)`.
    Relu,
    /// The value itself.
    Identity,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
}

/// A node after the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecurrentNode {
    /// The state that it reads: 0 is what the first node makes, k what node k makes.
    pub input: usize,
    /// What it does.
    pub function: NodeFunction,
}

/// How states hang together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecurrentGraph {
    /// The nodes after the first, whose function is the tangent; each reads an earlier state.
    pub nodes: Vec<RecurrentNode>,
    /// The states whose mean is the output, at least one.
    pub averaged: Vec<usize>,
}

impl RecurrentGraph {
    /// # Panics
    /// When a node reads itself or a later one, or the mean is of no state or of one that is not there.
    fn check(&self) {
        assert!(
            self.nodes.iter().enumerate().all(|(node, read)| read.input <= node),
            "nodes read earlier states"
        );
        assert!(!self.averaged.is_empty(), "an output is the mean of something");
        assert!(self.averaged.iter().all(|&state| state <= self.nodes.len()), "the states are there");
    }

    fn states(&self) -> usize {
        self.nodes.len() + 1
    }

    fn function(&self, state: usize) -> NodeFunction {
        state.checked_sub(1).map_or(NodeFunction::Tanh, |node| self.nodes[node].function)
    }
}

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// Steps.
    pub time: usize,
    /// Sequences side by side.
    pub batch: usize,
    /// Width of words and states.
    pub hidden: usize,
}

/// What a run reads.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `[time, batch, hidden]`.
    pub words: &'a [f32],
    /// Before the first step, `[batch, hidden]`.
    pub memory: &'a [f32],
    /// From word, then memory, to gate and candidate of the first node: `[2 hidden, 2 hidden]`.
    pub first: &'a [f32],
    /// Of each node after the first, from state to gate and candidate: `[nodes hidden, 2 hidden]`.
    pub nodes: &'a [f32],
    /// What words are multiplied by in products, `[batch, hidden]`.
    pub word_mask: Option<&'a [f32]>,
    /// What memory and states are multiplied by in products, `[batch, hidden]`.
    pub state_mask: Option<&'a [f32]>,
}

impl Inputs<'_> {
    fn check(&self, of: Steps, graph: &RecurrentGraph) {
        graph.check();
        let Steps { time, batch, hidden: n } = of;
        assert!(time > 0 && batch > 0 && n > 0, "there is something to run over");
        let masks =
            [self.word_mask, self.state_mask].map(|mask| mask.is_none_or(|mask| mask.len() == batch * n));
        let fits = self.words.len() == time * batch * n
            && self.memory.len() == batch * n
            && self.first.len() == 4 * n * n
            && self.nodes.len() == graph.nodes.len() * 2 * n * n
            && masks == [true; 2];
        assert!(fits, "inputs have the sizes of {of:?} with {} nodes", graph.nodes.len());
    }
}

/// A run, with what its gradient needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// `[time, batch, hidden]`.
    pub outputs: Vec<f32>,
    /// Gate and candidate of each state after their functions, `[states, time, batch, 2 hidden]`.
    pub mixes: Vec<f32>,
    /// `[states, time, batch, hidden]`.
    pub states: Vec<f32>,
}

/// Sequences that one thread takes: whole tiles of rows. Few units are done quickly and are shared out more evenly; many
/// are better read for many rows at once.
fn block(of: Steps) -> usize {
    let (shares, most) = if of.hidden < 256 { (4, 32) } else { (2, 64) };
    (of.batch.div_ceil(shares).div_ceil(8) * 8).clamp(8, most)
}

/// Where things lie in buffers of all steps, for the sequences of one block.
#[derive(Clone, Copy)]
struct Block {
    of: Steps,
    first: usize,
    count: usize,
}

impl Block {
    fn numbered(of: Steps, number: usize) -> Self {
        let size = block(of);
        Block { of, first: number * size, count: size.min(of.batch - number * size) }
    }

    /// Start and length of rows of `width` values in a buffer `[states, time, batch, width]`.
    fn at(self, state: usize, step: usize, width: usize) -> (usize, usize) {
        let Steps { time, batch, .. } = self.of;
        (((state * time + step) * batch + self.first) * width, self.count * width)
    }

    /// Rows of a buffer `[batch, hidden]`.
    fn rows(self, values: &[f32]) -> &[f32] {
        let n = self.of.hidden;
        &values[self.first * n..][..self.count * n]
    }
}

/// The matrices that memory and states are multiplied by, laid out; for the way back on their sides.
fn weights(isa: Isa, n: usize, graph: &RecurrentGraph, inputs: Inputs, back: bool) -> Vec<Panels> {
    let matrix = |state: usize| {
        let values = match state {
            0 => &inputs.first[2 * n * n..],
            _ => &inputs.nodes[(state - 1) * 2 * n * n..][..2 * n * n],
        };
        let matrix = Matrix::rows(values, 2 * n);
        match back {
            false => Panels::new(isa, [n, 2 * n], matrix),
            true => Panels::new(isa, [2 * n, n], matrix.transposed()),
        }
    };
    (0..graph.states()).map(matrix).collect()
}

/// Each `[batch, hidden]` of `values` times the mask.
fn masked(isa: Isa, values: &[f32], mask: &[f32]) -> Vec<f32> {
    let steps = values.len() / mask.len();
    fill(
        steps,
        mask.len(),
        || (),
        |(), step, out| {
            multiply(isa, &values[step * mask.len()..][..mask.len()], mask, out);
        },
    )
}

kernel! {
    fn multiply<'a>(_simd, x: &'a [f32], y: &'a [f32], out: &'a mut [f32]) {
        for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
            *out = x * y;
        }
    }
}

kernel! {
    fn add_product<'a>(_simd, x: &'a [f32], y: &'a [f32], to: &'a mut [f32]) {
        for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
            *to += x * y;
        }
    }
}

kernel! {
    fn add_scaled<'a>(_simd, x: &'a [f32], scale: f32, to: &'a mut [f32]) {
        for (to, x) in to.iter_mut().zip(x) {
            *to += scale * x;
        }
    }
}
