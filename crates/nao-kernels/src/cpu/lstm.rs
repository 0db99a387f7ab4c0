//! A one-layer LSTM over whole sequences, and its gradient.
//!
//! Gates are those of PyTorch, in its order: input, forget, cell, output. Everything lies batch-major:
//! `[batch, time, hidden]`.

use super::activation::{sigmoid, tanh};
use super::isa::{Isa, fma, kernel};
use super::matrix::{Matrix, product};
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
    fn state(&self) -> usize {
        self.batch * self.hidden
    }

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

/// Runs over all steps. `weight`: `[4 hidden, hidden]`; `hidden`, `cell`: `[batch, hidden]`.
pub fn forward(isa: Isa, of: Sequences, input: Input, weight: &[f32], hidden: &[f32], cell: &[f32]) -> Run {
    let Sequences { batch, time, hidden: n } = of;
    let width = of.gates();
    let mut gates = match input {
        Input::Gates(gates) => gates.to_vec(),
        Input::Rows { table, numbers, width: per_step } => {
            let mut gates = vec![0.0; batch * time * width];
            for (gates, numbers) in gates.chunks_exact_mut(width).zip(numbers.chunks_exact(per_step)) {
                add_rows(isa, table, numbers, gates);
            }
            gates
        }
    };
    let mut outputs = vec![0.0; batch * time * n];
    let mut cells = vec![0.0; batch * time * n];
    let weight = Matrix::rows(weight, n).transposed();
    for step in 0..time {
        let before = match step {
            0 => Matrix::rows(hidden, n),
            _ => Matrix { values: &outputs[(step - 1) * n..], row: time * n, column: 1 },
        };
        product([batch, n, width], before, weight, &mut gates[step * width..], time * width, true);
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
    Run { outputs, gates, cells }
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

/// The gradients of a run, from that of its outputs `[batch, time, hidden]` and that of its last memory
/// `[batch, hidden]`, if it was used.
#[allow(clippy::too_many_arguments)]
pub fn backward(
    isa: Isa,
    of: Sequences,
    run: &Run,
    weight: &[f32],
    hidden: &[f32],
    cell: &[f32],
    outputs: &[f32],
    last_cell: Option<&[f32]>,
) -> Gradients {
    let Sequences { batch, time, hidden: n } = of;
    let width = of.gates();
    let mut d_gates = vec![0.0; batch * time * width];
    let mut d_hidden = vec![0.0; of.state()];
    let mut d_cell = last_cell.map_or_else(|| vec![0.0; of.state()], <[f32]>::to_vec);
    for step in (0..time).rev() {
        for sequence in 0..batch {
            let at = sequence * time + step;
            let before = match step {
                0 => &cell[sequence * n..][..n],
                _ => &run.cells[(at - 1) * n..][..n],
            };
            let state = sequence * n..(sequence + 1) * n;
            cell_backward(
                isa,
                n,
                &run.gates[at * width..][..width],
                before,
                &run.cells[at * n..][..n],
                &outputs[at * n..][..n],
                &d_hidden[state.clone()],
                &mut d_cell[state],
                &mut d_gates[at * width..][..width],
            );
        }
        let gates = Matrix { values: &d_gates[step * width..], row: time * width, column: 1 };
        product([batch, width, n], gates, Matrix::rows(weight, n), &mut d_hidden, n, false);
    }
    // States before each step, for one product over all steps.
    let mut before = Vec::with_capacity(batch * time * n);
    for sequence in 0..batch {
        before.extend_from_slice(&hidden[sequence * n..][..n]);
        before.extend_from_slice(&run.outputs[sequence * time * n..][..(time - 1) * n]);
    }
    let mut d_weight = vec![0.0; width * n];
    let gates = Matrix::rows(&d_gates, width).transposed();
    product([width, batch * time, n], gates, Matrix::rows(&before, n), &mut d_weight, n, false);
    Gradients { gates: d_gates, weight: d_weight, hidden: d_hidden, cell: d_cell }
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
    fn add_rows<'a>(_simd, table: &'a [f32], numbers: &'a [u32], to: &'a mut [f32]) {
        for &number in numbers {
            let row = &table[number as usize * to.len()..][..to.len()];
            for (to, row) in to.iter_mut().zip(row) {
                *to += row;
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
        let mut at = 0;
        while at < n {
            let end = (at + S::F32_LANES).min(n);
            let vi = sigmoid(simd, simd.partial_load_f32s(&i[at..end]));
            let vf = sigmoid(simd, simd.partial_load_f32s(&f[at..end]));
            let vg = tanh(simd, simd.partial_load_f32s(&g[at..end]));
            let vo = sigmoid(simd, simd.partial_load_f32s(&o[at..end]));
            let before = simd.partial_load_f32s(&before[at..end]);
            let memory = simd.add_f32s(simd.mul_f32s(vf, before), simd.mul_f32s(vi, vg));
            simd.partial_store_f32s(&mut i[at..end], vi);
            simd.partial_store_f32s(&mut f[at..end], vf);
            simd.partial_store_f32s(&mut g[at..end], vg);
            simd.partial_store_f32s(&mut o[at..end], vo);
            simd.partial_store_f32s(&mut cell[at..end], memory);
            simd.partial_store_f32s(&mut output[at..end], simd.mul_f32s(vo, tanh(simd, memory)));
            at = end;
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
        let (di, rest) = d_gates.split_at_mut(n);
        let (df, rest) = rest.split_at_mut(n);
        let (dg, d_o) = rest.split_at_mut(n);
        let mut at = 0;
        while at < n {
            let end = (at + S::F32_LANES).min(n);
            let i = simd.partial_load_f32s(&gates[at..end]);
            let f = simd.partial_load_f32s(&gates[n + at..n + end]);
            let g = simd.partial_load_f32s(&gates[2 * n + at..2 * n + end]);
            let o = simd.partial_load_f32s(&gates[3 * n + at..3 * n + end]);
            let squashed = tanh(simd, simd.partial_load_f32s(&cell[at..end]));
            let before = simd.partial_load_f32s(&before[at..end]);
            let d_h = simd.add_f32s(
                simd.partial_load_f32s(&d_output[at..end]),
                simd.partial_load_f32s(&d_hidden[at..end]),
            );
            // The slope of a tanh at its output y is 1 - y y, that of a sigmoid y (1 - y).
            let slope = simd.sub_f32s(one, simd.mul_f32s(squashed, squashed));
            let d_c = simd.partial_load_f32s(&d_cell[at..end]);
            let d_c = fma(simd, simd.mul_f32s(d_h, o), slope, d_c);
            let d = simd.mul_f32s(simd.mul_f32s(d_c, g), simd.mul_f32s(i, simd.sub_f32s(one, i)));
            simd.partial_store_f32s(&mut di[at..end], d);
            let d = simd.mul_f32s(simd.mul_f32s(d_c, before), simd.mul_f32s(f, simd.sub_f32s(one, f)));
            simd.partial_store_f32s(&mut df[at..end], d);
            let d = simd.mul_f32s(simd.mul_f32s(d_c, i), simd.sub_f32s(one, simd.mul_f32s(g, g)));
            simd.partial_store_f32s(&mut dg[at..end], d);
            let d = simd.mul_f32s(simd.mul_f32s(d_h, squashed), simd.mul_f32s(o, simd.sub_f32s(one, o)));
            simd.partial_store_f32s(&mut d_o[at..end], d);
            simd.partial_store_f32s(&mut d_cell[at..end], simd.mul_f32s(d_c, f));
            at = end;
        }
    }
}
