//! Gated recurrent cells of several nodes over whole sequences, and their gradient.
//!
//! Every node mixes what it reads with a function of it: `s = p + sigmoid(c) (f(u) - p)` with `[c, u] = p W`. The first
//! reads the memory as `p`, and word and memory together in its product; node i reads one of the states before it. The
//! output, which is the next memory, is the mean of some states. Masks multiply what enters the products, and are the
//! same in every step; what is carried past a product is not masked.
//!
//! Everything lies time-major: `[time, batch, hidden]`.

use pulp::Simd;

use super::activation::{sigmoid, tanh};
use super::isa::{Isa, fma, kernel, read, write};
use super::matrix::{Matrix, Rows, product};
use super::panels::{Panels, product_with_panels};
use super::parallel::{Places, map};

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

/// Runs over all steps, at least one.
///
/// # Panics
/// When an input has not the length that the sizes say, or the graph is none.
pub fn forward(isa: Isa, of: Steps, graph: &RecurrentGraph, inputs: Inputs) -> Run {
    inputs.check(of, graph);
    let Steps { time, batch, hidden: n } = of;
    let (tokens, states) = (time * batch, graph.states());
    let weights = weights(isa, n, graph, inputs, false);
    let masked_words = inputs.word_mask.map(|mask| masked(isa, inputs.words, mask));
    let words = masked_words.as_deref().unwrap_or(inputs.words);
    let run = |mixes: Places, all_states: Places, outputs: Places, number: usize| {
        let block = Block::numbered(of, number);
        let mask = inputs.state_mask.map(|mask| block.rows(mask));
        let mut scratch = vec![0.0; block.count * n];
        for step in 0..time {
            for state in 0..states {
                let (start, len) = block.at(state, step, n);
                let (mix_start, mix_len) = block.at(state, step, 2 * n);
                // SAFETY: blocks are of different sequences, and what is read was written before by this block.
                let (mix, made) = unsafe { (mixes.at(mix_start, mix_len), all_states.at(start, len)) };
                let read = match (state, step) {
                    (0, 0) => block.rows(inputs.memory),
                    _ => {
                        // SAFETY: as above; an earlier state of this step, or the output of the last.
                        let (place, (start, len)) = match state {
                            0 => (outputs, block.at(0, step - 1, n)),
                            _ => (all_states, block.at(graph.nodes[state - 1].input, step, n)),
                        };
                        unsafe { &*place.at(start, len) }
                    }
                };
                let rows = match mask {
                    Some(mask) => {
                        multiply(isa, read, mask, &mut scratch);
                        scratch.as_slice()
                    }
                    None => read,
                };
                let rows = Rows { values: rows, count: block.count, pitch: n };
                // The share of words stands in the mixes of state 0 already.
                product_with_panels(isa, rows, &weights[state], mix, 2 * n, state == 0);
                mix_forward(isa, n, graph.function(state), mix, read, made);
            }
            let (start, len) = block.at(0, step, n);
            // SAFETY: as above.
            let output = unsafe { outputs.at(start, len) };
            let state = |state: usize| {
                let (start, len) = block.at(state, step, n);
                // SAFETY: as above.
                unsafe { &*all_states.at(start, len) }
            };
            let share = 1.0 / graph.averaged.len() as f32;
            output.fill(0.0);
            for &averaged in &graph.averaged {
                add_scaled(isa, state(averaged), share, output);
            }
        }
    };
    // SAFETY: the blocks cover all sequences, and each writes all of its own.
    let (mixes, (states, (outputs, ()))) = unsafe {
        Places::fill(states * tokens * 2 * n, |mixes| {
            let of_words = mixes.at(0, tokens * 2 * n);
            let first = Matrix::rows(inputs.first, 2 * n);
            product([tokens, n, 2 * n], Matrix::rows(words, n), first, of_words, 2 * n, false);
            Places::fill(states * tokens * n, |all_states| {
                Places::fill(tokens * n, |outputs| {
                    map(batch.div_ceil(block(of)), |number| run(mixes, all_states, outputs, number));
                })
            })
        })
    };
    Run { outputs, mixes, states }
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

/// The gradients of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// `[time, batch, hidden]`.
    pub words: Vec<f32>,
    /// `[batch, hidden]`.
    pub memory: Vec<f32>,
    /// `[2 hidden, 2 hidden]`.
    pub first: Vec<f32>,
    /// `[nodes hidden, 2 hidden]`.
    pub nodes: Vec<f32>,
}

/// The gradients of a run, from that of its outputs, `[time, batch, hidden]`.
///
/// # Panics
/// As [`forward`].
pub fn backward(
    isa: Isa,
    of: Steps,
    graph: &RecurrentGraph,
    inputs: Inputs,
    run: &Run,
    outputs: &[f32],
) -> Gradients {
    inputs.check(of, graph);
    let Steps { time, batch, hidden: n } = of;
    let (tokens, states) = (time * batch, graph.states());
    assert!(outputs.len() == tokens * n && run.states.len() == states * tokens * n, "the run is of {of:?}");
    let weights = weights(isa, n, graph, inputs, true);
    let back = |mixes: Places, memory: Places, number: usize| {
        back_block(isa, Block::numbered(of, number), graph, inputs, run, &weights, outputs, mixes, memory);
    };
    // SAFETY: the blocks cover all sequences, and each writes all of its own.
    let (mixes, (memory, ())) = unsafe {
        Places::fill(states * tokens * 2 * n, |mixes| {
            Places::fill(batch * n, |memory| {
                map(batch.div_ceil(block(of)), |number| back(mixes, memory, number));
            })
        })
    };
    let of_state = |state: usize| &mixes[state * tokens * 2 * n..][..tokens * 2 * n];

    // One product over all steps for each matrix.
    let weight_gradient = |rows: &[f32], state: usize, target: &mut [f32]| {
        let left = Matrix::rows(rows, n).transposed();
        product([n, tokens, 2 * n], left, Matrix::rows(of_state(state), 2 * n), target, 2 * n, false);
    };
    let mut before = Vec::with_capacity(tokens * n);
    before.extend_from_slice(inputs.memory);
    before.extend_from_slice(&run.outputs[..(time - 1) * batch * n]);
    let state_rows = |values: &[f32]| inputs.state_mask.map(|mask| masked(isa, values, mask));
    let word_rows = inputs.word_mask.map(|mask| masked(isa, inputs.words, mask));
    let mut first = vec![0.0; 4 * n * n];
    let (of_words, of_memory) = first.split_at_mut(2 * n * n);
    weight_gradient(word_rows.as_deref().unwrap_or(inputs.words), 0, of_words);
    weight_gradient(state_rows(&before).as_deref().unwrap_or(&before), 0, of_memory);
    let mut nodes = vec![0.0; graph.nodes.len() * 2 * n * n];
    for input in 0..graph.nodes.len() {
        let mut readers = (0..graph.nodes.len()).filter(|&node| graph.nodes[node].input == input).peekable();
        if readers.peek().is_none() {
            continue;
        }
        let read = &run.states[input * tokens * n..][..tokens * n];
        let rows = state_rows(read);
        for node in readers {
            let target = &mut nodes[node * 2 * n * n..][..2 * n * n];
            weight_gradient(rows.as_deref().unwrap_or(read), node + 1, target);
        }
    }

    let mut words = vec![0.0; tokens * n];
    let first_matrix = Matrix::rows(&inputs.first[..2 * n * n], 2 * n).transposed();
    product([tokens, 2 * n, n], Matrix::rows(of_state(0), 2 * n), first_matrix, &mut words, n, false);
    if let Some(mask) = inputs.word_mask {
        words = masked(isa, &words, mask);
    }
    Gradients { words, memory, first, nodes }
}

/// From the last step to the first, for the sequences of a block: the gradients of all products, and of the memory before
/// the first step.
#[allow(clippy::too_many_arguments)]
fn back_block(
    isa: Isa,
    block: Block,
    graph: &RecurrentGraph,
    inputs: Inputs,
    run: &Run,
    weights: &[Panels],
    outputs: &[f32],
    mixes: Places,
    memory: Places,
) {
    let Steps { time, hidden: n, .. } = block.of;
    let size = block.count * n;
    let mask = inputs.state_mask.map(|mask| block.rows(mask));
    let share = 1.0 / graph.averaged.len() as f32;
    // SAFETY: blocks are of different sequences.
    let carried = unsafe { memory.at(block.first * n, size) };
    carried.fill(0.0);
    // Gradients of states, and what comes to them through products, before the mask.
    let mut of_states = vec![0.0; graph.states() * size];
    let mut through = vec![0.0; graph.states() * size];
    for step in (0..time).rev() {
        let (start, len) = block.at(0, step, n);
        add_scaled(isa, &outputs[start..][..len], 1.0, carried);
        of_states.fill(0.0);
        through.fill(0.0);
        for &state in &graph.averaged {
            add_scaled(isa, carried, share, &mut of_states[state * size..][..size]);
        }
        // Now for the memory before this step.
        carried.fill(0.0);
        for state in (0..graph.states()).rev() {
            let (before, own) = of_states.split_at_mut(state * size);
            let own = &mut own[..size];
            let (through_before, through_own) = through.split_at_mut(state * size);
            match mask {
                Some(mask) => add_product(isa, &through_own[..size], mask, own),
                None => add_scaled(isa, &through_own[..size], 1.0, own),
            }
            let (mix_start, mix_len) = block.at(state, step, 2 * n);
            // SAFETY: blocks are of different sequences.
            let mix = unsafe { mixes.at(mix_start, mix_len) };
            let (read, to, through_to) = match state {
                0 => {
                    let read = match step {
                        0 => block.rows(inputs.memory),
                        _ => {
                            let (start, len) = block.at(0, step - 1, n);
                            &run.outputs[start..][..len]
                        }
                    };
                    (read, &mut *carried, None)
                }
                _ => {
                    let input = graph.nodes[state - 1].input;
                    let (start, len) = block.at(input, step, n);
                    let to = &mut before[input * size..][..size];
                    (&run.states[start..][..len], to, Some(&mut through_before[input * size..][..size]))
                }
            };
            let function = graph.function(state);
            mix_backward(isa, n, function, &run.mixes[mix_start..][..mix_len], read, own, mix, to);
            let rows = Rows { values: mix, count: block.count, pitch: 2 * n };
            match through_to {
                Some(through_to) => product_with_panels(isa, rows, &weights[state], through_to, n, true),
                None => {
                    // State 0 is the last to be seen: its own row is free.
                    product_with_panels(isa, rows, &weights[state], own, n, false);
                    match mask {
                        Some(mask) => add_product(isa, own, mask, carried),
                        None => add_scaled(isa, own, 1.0, carried),
                    }
                }
            }
        }
    }
}

/// Each `[batch, hidden]` of `values` times the mask.
fn masked(isa: Isa, values: &[f32], mask: &[f32]) -> Vec<f32> {
    let steps = values.len() / mask.len();
    super::parallel::fill(
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

kernel! {
    /// Products become gate and candidate, and rows that are read become states.
    fn mix_forward<'a>(
        simd,
        n: usize,
        function: NodeFunction,
        mixes: &'a mut [f32],
        read_rows: &'a [f32],
        states: &'a mut [f32],
    ) {
        macro_rules! with {
            (|$u:ident| $value:expr) => {
                for ((mix, p), s) in mixes.chunks_exact_mut(2 * n).zip(read_rows.chunks_exact(n)).zip(states.chunks_exact_mut(n)) {
                    let (gates, candidates) = mix.split_at_mut(n);
                    for at in (0..n).step_by(S::F32_LANES) {
                        let gate = sigmoid(simd, read(simd, gates, at));
                        let $u = read(simd, candidates, at);
                        let candidate = $value;
                        let p = read(simd, p, at);
                        write(simd, gates, at, gate);
                        write(simd, candidates, at, candidate);
                        write(simd, s, at, fma(simd, gate, simd.sub_f32s(candidate, p), p));
                    }
                }
            };
        }
        match function {
            NodeFunction::Tanh => with!(|u| tanh(simd, u)),
            NodeFunction::Relu => with!(|u| relu(simd, u)),
            NodeFunction::Identity => with!(|u| u),
            NodeFunction::Sigmoid => with!(|u| sigmoid(simd, u)),
        }
    }
}

/// By comparison: what the largest of NaN and a number is depends on the instructions.
#[inline(always)]
fn relu<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_f32s(x, zero), zero, x)
}

kernel! {
    /// Gradients of products, from those of states; what passes the gate is added to `to`.
    fn mix_backward<'a>(
        simd,
        n: usize,
        function: NodeFunction,
        mixes: &'a [f32],
        read_rows: &'a [f32],
        states: &'a [f32],
        d_mixes: &'a mut [f32],
        to: &'a mut [f32],
    ) {
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        macro_rules! with {
            (|$f:ident| $slope:expr) => {
                let rows = mixes.chunks_exact(2 * n).zip(read_rows.chunks_exact(n)).zip(states.chunks_exact(n));
                let rows = rows.zip(d_mixes.chunks_exact_mut(2 * n).zip(to.chunks_exact_mut(n)));
                for (((mix, p), d_s), (d_mix, to)) in rows {
                    let (gates, candidates) = mix.split_at(n);
                    let (d_gates, d_candidates) = d_mix.split_at_mut(n);
                    for at in (0..n).step_by(S::F32_LANES) {
                        let (gate, $f) = (read(simd, gates, at), read(simd, candidates, at));
                        let (p, d_s) = (read(simd, p, at), read(simd, d_s, at));
                        let rest = simd.sub_f32s(one, gate);
                        let through = simd.mul_f32s(d_s, gate);
                        // The slope of a sigmoid at its output y is y (1 - y).
                        let difference = simd.sub_f32s($f, p);
                        write(simd, d_gates, at, simd.mul_f32s(simd.mul_f32s(through, rest), difference));
                        write(simd, d_candidates, at, simd.mul_f32s(through, $slope));
                        write(simd, to, at, fma(simd, d_s, rest, read(simd, to, at)));
                    }
                }
            };
        }
        // From the output y: 1 - y y of a tangent.
        match function {
            NodeFunction::Tanh => {
                with!(|f| simd.sub_f32s(one, simd.mul_f32s(f, f)));
            }
            NodeFunction::Relu => {
                with!(|f| simd.select_f32s(simd.greater_than_f32s(f, zero), one, zero));
            }
            NodeFunction::Identity => {
                with!(|f| one);
            }
            NodeFunction::Sigmoid => {
                with!(|f| simd.mul_f32s(f, simd.sub_f32s(one, f)));
            }
        }
    }
}
