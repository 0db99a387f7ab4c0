//! A one-layer LSTM over whole sequences, and its gradient.
//!
//! Gates are those of PyTorch, in its order: input, forget, cell, output. Everything lies batch-major:
//! `[batch, time, hidden]`.

use super::activation::{sigmoid, tanh};
use super::isa::{Isa, fma, kernel, read, write};
use super::matrix::{Laid, Matrix, Rows, product, product_with_laid};
use super::parallel::{DisjointWrites, map};

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Sequences {
    /// Sequences.
    pub batch: usize,
    /// Steps of each.
    pub time: usize,
    /// Width of the state.
    pub hidden: usize,
}

impl Sequences {
    fn gates(&self) -> usize {
        4 * self.hidden
    }
}

/// What every step reads: its share of the gates, biases included.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// As it is, `[batch, time, 4 hidden]`.
    Gates(&'a [f32]),
    /// Sums of rows of a table `[rows, 4 hidden]`, whose numbers are `[batch, time, width]`.
    Rows {
        /// The table.
        table: &'a [f32],
        /// Numbers of rows.
        numbers: &'a [u32],
        /// Rows added per step.
        width: usize,
    },
}

/// A run, with what its gradient needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// `[batch, time, hidden]`.
    pub outputs: Vec<f32>,
    /// Gates after their functions, `[batch, time, 4 hidden]`.
    pub gates: Vec<f32>,
    /// Memory after each step, `[batch, time, hidden]`.
    pub cells: Vec<f32>,
}

/// Sequences that one thread takes: whole tiles of rows, and at least four blocks to share.
fn block(batch: usize) -> usize {
    (batch.div_ceil(4).div_ceil(8) * 8).clamp(8, 32)
}

/// Runs over all steps, at least one. `weight`: `[4 hidden, hidden]`; `hidden`, `cell`: `[batch, hidden]`.
///
/// # Panics
/// When the input has not the length that the sizes say.
pub fn forward(isa: Isa, of: Sequences, input: Input, weight: &[f32], hidden: &[f32], cell: &[f32]) -> Run {
    let Sequences { batch, time, hidden: n } = of;
    let (block, width) = (block(batch), of.gates());
    let states = batch * time * n;
    // What is written whole depends on these: the run comes in unwritten memory.
    let (read, expected) = match input {
        Input::Gates(gates) => (gates.len(), batch * time * width),
        Input::Rows { numbers, width, .. } => (numbers.len(), batch * time * width),
    };
    assert!(time > 0 && read == expected, "an LSTM over {of:?} reads {expected} values, not {read}");
    let weight = Laid::new(isa, [n, width], |k, gate| weight[gate * n + k]);
    let work = |gates: DisjointWrites, outputs: DisjointWrites, cells: DisjointWrites, number: usize| {
        let (first, count) = (number * block, block.min(batch - number * block));
        // SAFETY: blocks are of different sequences.
        let (gates, outputs, cells) = unsafe {
            (
                gates.at(first * time * width, count * time * width),
                outputs.at(first * time * n, count * time * n),
                cells.at(first * time * n, count * time * n),
            )
        };
        match input {
            Input::Gates(from) => gates.copy_from_slice(&from[first * time * width..][..gates.len()]),
            Input::Rows { table, numbers, width: per_step } => {
                let numbers = numbers[first * time * per_step..].chunks_exact(per_step);
                for (gates, numbers) in gates.chunks_exact_mut(width).zip(numbers) {
                    sum_rows(isa, table, numbers, gates);
                }
            }
        }
        let states = first * n..(first + count) * n;
        let of = Sequences { batch: count, ..of };
        run_block(isa, of, &weight, &hidden[states.clone()], &cell[states], gates, outputs, cells);
    };
    // SAFETY: the blocks cover all sequences, and each writes all of its own.
    let (gates, (outputs, (cells, _))) = unsafe {
        DisjointWrites::fill(batch * time * width, |gates| {
            DisjointWrites::fill(states, |outputs| {
                DisjointWrites::fill(states, |cells| {
                    map(batch.div_ceil(block), |number| work(gates, outputs, cells, number))
                })
            })
        })
    };
    Run { outputs, gates, cells }
}

#[allow(clippy::too_many_arguments)]
fn run_block(
    isa: Isa,
    of: Sequences,
    weight: &Laid,
    hidden: &[f32],
    cell: &[f32],
    gates: &mut [f32],
    outputs: &mut [f32],
    cells: &mut [f32],
) {
    let Sequences { batch, time, hidden: n } = of;
    let width = of.gates();
    for step in 0..time {
        let before = match step {
            0 => Rows { values: hidden, count: batch, pitch: n },
            _ => Rows { values: &outputs[(step - 1) * n..], count: batch, pitch: time * n },
        };
        product_with_laid(isa, before, weight, &mut gates[step * width..], time * width, true);
        for sequence in 0..batch {
            let at = sequence * time + step;
            let gates = &mut gates[at * width..][..width];
            let output = &mut outputs[at * n..][..n];
            if step == 0 {
                cell_forward(isa, n, gates, &cell[sequence * n..][..n], &mut cells[at * n..][..n], output);
            } else {
                let (before, now) = cells.split_at_mut(at * n);
                cell_forward(isa, n, gates, &before[(at - 1) * n..], &mut now[..n], output);
            }
        }
    }
}

/// The gradients of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// Of each step's share of the gates, `[batch, time, 4 hidden]`.
    pub gates: Vec<f32>,
    /// `[4 hidden, hidden]`.
    pub weight: Vec<f32>,
    /// Of the state before the first step, `[batch, hidden]`.
    pub hidden: Vec<f32>,
    /// Of the memory before the first step, `[batch, hidden]`.
    pub cell: Vec<f32>,
}

/// A run as its gradient reads it: see [`Run`].
#[derive(Clone, Copy, Debug)]
pub struct Tape<'a> {
    /// Outputs of each step.
    pub outputs: &'a [f32],
    /// Gates of each step.
    pub gates: &'a [f32],
    /// Memory after each step.
    pub cells: &'a [f32],
    /// The weights from state to gates.
    pub weight: &'a [f32],
    /// The state before the first step.
    pub hidden: &'a [f32],
    /// The memory before the first step.
    pub cell: &'a [f32],
}

/// The gradients of a run, from that of its outputs `[batch, time, hidden]` and that of its last memory
/// `[batch, hidden]`, if it was used.
pub fn backward(
    isa: Isa,
    of: Sequences,
    tape: Tape,
    outputs: &[f32],
    last_cell: Option<&[f32]>,
) -> Gradients {
    let Sequences { batch, time, hidden: n } = of;
    let (block, width) = (block(batch), of.gates());
    let weight = Laid::new(isa, [width, n], |gate, k| tape.weight[gate * n + k]);
    let work = |gates: DisjointWrites, hidden: DisjointWrites, cell: DisjointWrites, number: usize| {
        let (first, count) = (number * block, block.min(batch - number * block));
        let states = first * n..(first + count) * n;
        // SAFETY: blocks are of different sequences.
        let (d_gates, d_hidden, d_cell) = unsafe {
            (
                gates.at(first * time * width, count * time * width),
                hidden.at(states.start, states.len()),
                cell.at(states.start, states.len()),
            )
        };
        d_hidden.fill(0.0);
        match last_cell {
            Some(last) => d_cell.copy_from_slice(&last[states.clone()]),
            None => d_cell.fill(0.0),
        }
        let steps = first * time * n..(first + count) * time * n;
        let tape = Tape {
            outputs: &tape.outputs[steps.clone()],
            gates: &tape.gates[first * time * width..][..d_gates.len()],
            cells: &tape.cells[steps.clone()],
            hidden: &tape.hidden[states.clone()],
            cell: &tape.cell[states],
            weight: tape.weight,
        };
        let of = Sequences { batch: count, ..of };
        back_block(isa, of, tape, &weight, &outputs[steps], d_gates, d_hidden, d_cell);
    };
    // SAFETY: the blocks cover all sequences, and each writes all of its own.
    let (d_gates, (d_hidden, (d_cell, _))) = unsafe {
        DisjointWrites::fill(batch * time * width, |gates| {
            DisjointWrites::fill(batch * n, |hidden| {
                DisjointWrites::fill(batch * n, |cell| {
                    map(batch.div_ceil(block), |number| work(gates, hidden, cell, number))
                })
            })
        })
    };
    // States before each step, for one product over all steps.
    let mut before = Vec::with_capacity(batch * time * n);
    for sequence in 0..batch {
        before.extend_from_slice(&tape.hidden[sequence * n..][..n]);
        before.extend_from_slice(&tape.outputs[sequence * time * n..][..(time - 1) * n]);
    }
    let mut d_weight = vec![0.0; width * n];
    let gates = Matrix::rows(&d_gates, width).transposed();
    product([width, batch * time, n], gates, Matrix::rows(&before, n), &mut d_weight, n, false);
    Gradients { gates: d_gates, weight: d_weight, hidden: d_hidden, cell: d_cell }
}

#[allow(clippy::too_many_arguments)]
fn back_block(
    isa: Isa,
    of: Sequences,
    tape: Tape,
    weight: &Laid,
    outputs: &[f32],
    d_gates: &mut [f32],
    d_hidden: &mut [f32],
    d_cell: &mut [f32],
) {
    let Sequences { batch, time, hidden: n } = of;
    let width = of.gates();
    for step in (0..time).rev() {
        for sequence in 0..batch {
            let at = sequence * time + step;
            let before = match step {
                0 => &tape.cell[sequence * n..][..n],
                _ => &tape.cells[(at - 1) * n..][..n],
            };
            let state = sequence * n..(sequence + 1) * n;
            cell_backward(
                isa,
                n,
                &tape.gates[at * width..][..width],
                before,
                &tape.cells[at * n..][..n],
                &outputs[at * n..][..n],
                &d_hidden[state.clone()],
                &mut d_cell[state],
                &mut d_gates[at * width..][..width],
            );
        }
        let gates = Rows { values: &d_gates[step * width..], count: batch, pitch: time * width };
        product_with_laid(isa, gates, weight, d_hidden, n, false);
    }
}

/// The gradient of a table of [`Input::Rows`], from that of the gates.
pub fn table_gradient(
    isa: Isa,
    of: Sequences,
    rows: usize,
    numbers: &[u32],
    width: usize,
    gates: &[f32],
) -> Vec<f32> {
    let row = of.gates();
    let mut table = vec![0.0; rows * row];
    for (gates, numbers) in gates.chunks_exact(row).zip(numbers.chunks_exact(width)) {
        for &number in numbers {
            add(isa, gates, &mut table[number as usize * row..][..row]);
        }
    }
    table
}

kernel! {
    fn add<'a>(_simd, from: &'a [f32], to: &'a mut [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to += from;
        }
    }
}

kernel! {
    /// The sum of some rows of a table, at least one.
    fn sum_rows<'a>(_simd, table: &'a [f32], numbers: &'a [u32], to: &'a mut [f32]) {
        let row = |number: u32| &table[number as usize * to.len()..][..to.len()];
        match *numbers {
            [first] => to.copy_from_slice(row(first)),
            [first, second] => {
                let (first, second) = (row(first), row(second));
                for ((to, first), second) in to.iter_mut().zip(first).zip(second) {
                    *to = first + second;
                }
            }
            _ => {
                to.fill(0.0);
                for &number in numbers {
                    let row = &table[number as usize * to.len()..][..to.len()];
                    for (to, row) in to.iter_mut().zip(row) {
                        *to += row;
                    }
                }
            }
        }
    }
}

kernel! {
    /// One step of one sequence: sums of gates become gates, and the state moves on.
    fn cell_forward<'a>(
        simd,
        n: usize,
        gates: &'a mut [f32],
        before: &'a [f32],
        cell: &'a mut [f32],
        output: &'a mut [f32],
    ) {
        let (i, rest) = gates.split_at_mut(n);
        let (f, rest) = rest.split_at_mut(n);
        let (g, o) = rest.split_at_mut(n);
        for at in (0..n).step_by(S::F32_LANES) {
            let vi = sigmoid(simd, read(simd, i, at));
            let vf = sigmoid(simd, read(simd, f, at));
            let vg = tanh(simd, read(simd, g, at));
            let vo = sigmoid(simd, read(simd, o, at));
            let memory = fma(simd, vf, read(simd, before, at), simd.mul_f32s(vi, vg));
            write(simd, i, at, vi);
            write(simd, f, at, vf);
            write(simd, g, at, vg);
            write(simd, o, at, vo);
            write(simd, cell, at, memory);
            write(simd, output, at, simd.mul_f32s(vo, tanh(simd, memory)));
        }
    }
}

kernel! {
    /// The gradient of one step of one sequence. `d_output` comes from the outside, `d_hidden` and `d_cell` from the
    /// step after; `d_cell` becomes that for the step before.
    fn cell_backward<'a>(
        simd,
        n: usize,
        gates: &'a [f32],
        before: &'a [f32],
        cell: &'a [f32],
        d_output: &'a [f32],
        d_hidden: &'a [f32],
        d_cell: &'a mut [f32],
        d_gates: &'a mut [f32],
    ) {
        let one = simd.splat_f32s(1.0);
        let (gate_i, rest) = gates.split_at(n);
        let (gate_f, rest) = rest.split_at(n);
        let (gate_g, gate_o) = rest.split_at(n);
        let (di, rest) = d_gates.split_at_mut(n);
        let (df, rest) = rest.split_at_mut(n);
        let (dg, d_o) = rest.split_at_mut(n);
        for at in (0..n).step_by(S::F32_LANES) {
            let (i, f) = (read(simd, gate_i, at), read(simd, gate_f, at));
            let (g, o) = (read(simd, gate_g, at), read(simd, gate_o, at));
            let squashed = tanh(simd, read(simd, cell, at));
            let d_h = simd.add_f32s(read(simd, d_output, at), read(simd, d_hidden, at));
            // The slope of a tanh at its output y is 1 - y y, that of a sigmoid y (1 - y).
            let slope = simd.sub_f32s(one, simd.mul_f32s(squashed, squashed));
            let d_c = fma(simd, simd.mul_f32s(d_h, o), slope, read(simd, d_cell, at));
            write(simd, di, at, simd.mul_f32s(simd.mul_f32s(d_c, g), simd.mul_f32s(i, simd.sub_f32s(one, i))));
            let through_f = simd.mul_f32s(f, simd.sub_f32s(one, f));
            write(simd, df, at, simd.mul_f32s(simd.mul_f32s(d_c, read(simd, before, at)), through_f));
            write(simd, dg, at, simd.mul_f32s(simd.mul_f32s(d_c, i), simd.sub_f32s(one, simd.mul_f32s(g, g))));
            let through_o = simd.mul_f32s(o, simd.sub_f32s(one, o));
            write(simd, d_o, at, simd.mul_f32s(simd.mul_f32s(d_h, squashed), through_o));
            write(simd, d_cell, at, simd.mul_f32s(d_c, f));
        }
    }
}
