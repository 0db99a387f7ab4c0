//! Cells over all steps.

use super::mix::mix_forward;
use super::{Block, Inputs, RecurrentGraph, Run, Steps, add_scaled, block, masked, multiply, weights};
use crate::cpu::isa::Isa;
use crate::cpu::matrix::{Matrix, Rows, product};
use crate::cpu::panels::product_with_panels;
use crate::cpu::parallel::{DisjointWrites, map};

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
    let run = |mixes: DisjointWrites, all_states: DisjointWrites, outputs: DisjointWrites, number: usize| {
        let block = Block::numbered(of, number);
        let mask = inputs.state_mask.map(|mask| block.rows(mask));
        let mut scratch = vec![0.0; block.count * n];
        for step in 0..time {
            for (state, weights) in weights.iter().enumerate() {
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
                product_with_panels(isa, rows, weights, mix, 2 * n, state == 0);
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
        DisjointWrites::fill(states * tokens * 2 * n, |mixes| {
            let of_words = mixes.at(0, tokens * 2 * n);
            let first = Matrix::rows(inputs.first, 2 * n);
            product([tokens, n, 2 * n], Matrix::rows(words, n), first, of_words, 2 * n, false);
            DisjointWrites::fill(states * tokens * n, |all_states| {
                DisjointWrites::fill(tokens * n, |outputs| {
                    map(batch.div_ceil(block(of)), |number| run(mixes, all_states, outputs, number));
                })
            })
        })
    };
    Run { outputs, mixes, states }
}
