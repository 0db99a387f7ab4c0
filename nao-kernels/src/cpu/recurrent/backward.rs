//! The gradients of a run of cells.

use super::mix::mix_backward;
use super::{Block, Inputs, RecurrentGraph, Run, Steps, add_product, add_scaled, block, masked, weights};
use crate::cpu::isa::Isa;
use crate::cpu::matrix::{Matrix, Rows, product};
use crate::cpu::panels::{Panels, product_with_panels};
use crate::cpu::parallel::{DisjointWrites, map};

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
/// As [`forward`](super::forward).
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
    let back = |mixes: DisjointWrites, memory: DisjointWrites, number: usize| {
        back_block(isa, Block::numbered(of, number), graph, inputs, run, &weights, outputs, mixes, memory);
    };
    // SAFETY: the blocks cover all sequences, and each writes all of its own.
    let (mixes, (memory, ())) = unsafe {
        DisjointWrites::fill(states * tokens * 2 * n, |mixes| {
            DisjointWrites::fill(batch * n, |memory| {
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
    mixes: DisjointWrites,
    memory: DisjointWrites,
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
