//! The kernels on tensors of the CPU backend.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;

use super::flex_values::{Values, as_depthwise, convolution, dims, maps, pool_of, steps, tensor};
use super::kernels::{Kernels, Tape};
use super::{BranchWeights, ConvSettings, Operations, PoolSettings, RecurrentCell, RowNumbers};
use crate::cpu::activation::{self, Activation};
use crate::cpu::batch_norm::{self, Statistics};
use crate::cpu::conv::{self, Wanted};
use crate::cpu::cross_entropy;
use crate::cpu::depthwise;
use crate::cpu::lstm::{self, Input, Run, Sequences};
use crate::cpu::pool::{self, Chosen, Extreme};
use crate::cpu::recurrent;
use crate::cpu::sgd::{self, SgdStep};
use crate::cpu::softmax::{self, Softmax};
use crate::cpu::sum;
use crate::switch::isa;

impl Operations for Flex {
    fn nao_conv(x: FlexTensor, weight: FlexTensor, settings: ConvSettings) -> FlexTensor {
        let of = convolution(&x, &weight, settings);
        let [height, width] = settings.window.output(of.size);
        let (x, weight) = (Values::of(x), Values::of(weight));
        let out = match as_depthwise(of) {
            Some(of) => depthwise::forward(isa(), of, x.get(), weight.get()),
            None => conv::forward(isa(), of, x.get(), weight.get()),
        };
        tensor(out, &[of.batch, of.outputs, height, width])
    }

    fn nao_extreme_pool(x: FlexTensor, settings: PoolSettings, extreme: Extreme) -> FlexTensor {
        Self::extreme_pool(x, settings, extreme).0
    }

    fn nao_mean_pool(x: FlexTensor, settings: PoolSettings) -> FlexTensor {
        let [batch, channels, height, width] = dims(&x);
        let of = pool_of([height, width], batch * channels, settings);
        let [height, width] = settings.window.output(of.size);
        tensor(pool::mean_forward(isa(), of, Values::of(x).get()), &[batch, channels, height, width])
    }

    fn nao_batch_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f32,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let (of, shape) = (maps(&x), x.layout().shape().to_vec());
        let [x, gamma, beta] = [x, gamma, beta].map(Values::of);
        let (out, statistics) = batch_norm::forward(isa(), of, x.get(), gamma.get(), beta.get(), epsilon);
        let Statistics { mean, variance } = statistics;
        (tensor(out, &shape), tensor(mean, &[of.channels]), tensor(variance, &[of.channels]))
    }

    fn nao_scale_and_shift(x: FlexTensor, scale: FlexTensor, shift: FlexTensor) -> FlexTensor {
        let (of, shape) = (maps(&x), x.layout().shape().to_vec());
        let [x, scale, shift] = [x, scale, shift].map(Values::of);
        tensor(batch_norm::scale_and_shift(isa(), of, x.get(), scale.get(), shift.get()), &shape)
    }

    fn nao_lstm(
        gates: FlexTensor,
        weight: FlexTensor,
        hidden: FlexTensor,
        cell: FlexTensor,
        last: bool,
    ) -> FlexTensor {
        Self::lstm(gates, weight, hidden, cell, None, last).0
    }

    fn nao_lstm_of_rows(
        table: FlexTensor,
        weight: FlexTensor,
        hidden: FlexTensor,
        cell: FlexTensor,
        rows: RowNumbers,
        last: bool,
    ) -> FlexTensor {
        Self::lstm(table, weight, hidden, cell, Some(&rows), last).0
    }

    fn nao_recurrent(
        words: FlexTensor,
        memory: FlexTensor,
        first: FlexTensor,
        nodes: FlexTensor,
        cell: RecurrentCell,
    ) -> FlexTensor {
        Self::recurrent([words, memory, first, nodes], &cell).0
    }

    fn nao_cross_entropy(logits: FlexTensor, targets: Arc<[u32]>) -> FlexTensor {
        Self::cross_entropy(logits, &targets).0
    }

    fn nao_branch_sum(x: FlexTensor, y: FlexTensor, weights: Option<BranchWeights>) -> FlexTensor {
        let shape = x.layout().shape().to_vec();
        let [x, y] = [x, y].map(Values::of);
        tensor(sum::forward(isa(), shape[0], x.get(), y.get(), weights.as_deref()), &shape)
    }

    fn nao_sgd_step(
        weight: FlexTensor,
        gradient: FlexTensor,
        buffer: FlexTensor,
        step: SgdStep,
        first: bool,
    ) -> (FlexTensor, FlexTensor) {
        let shape = weight.layout().shape().to_vec();
        let [weight, gradient, buffer] = [weight, gradient, buffer].map(Values::of);
        let buffer = (!first).then(|| buffer.get());
        let (weight, buffer) = sgd::step(isa(), step, weight.get(), gradient.get(), buffer);
        (tensor(weight, &shape), tensor(buffer, &shape))
    }

    fn nao_sum_of_squares(x: FlexTensor) -> FlexTensor {
        tensor(vec![sgd::sum_of_squares(isa(), Values::of(x).get())], &[1])
    }

    fn nao_activation(x: FlexTensor, activation: Activation) -> FlexTensor {
        let shape = x.layout().shape().to_vec();
        tensor(activation::forward(isa(), activation, Values::of(x).get()), &shape)
    }

    fn nao_softmax(x: FlexTensor, softmax: Softmax) -> FlexTensor {
        let shape = x.layout().shape().to_vec();
        let width = shape.last().copied().unwrap_or(1);
        tensor(softmax::forward(isa(), softmax, width, Values::of(x).get()), &shape)
    }
}

impl Kernels for Flex {
    fn conv_backward(
        x: FlexTensor,
        weight: FlexTensor,
        gradient: FlexTensor,
        settings: ConvSettings,
        wanted: Wanted,
    ) -> (Option<FlexTensor>, Option<FlexTensor>) {
        let of = convolution(&x, &weight, settings);
        let (x_shape, weight_shape) = (dims::<4>(&x), dims::<4>(&weight));
        let [x, weight, gradient] = [x, weight, gradient].map(Values::of);
        let (dx, dw) = match as_depthwise(of) {
            Some(of) => {
                let (dx, dw) = depthwise::backward(isa(), of, x.get(), weight.get(), gradient.get());
                (wanted.input.then_some(dx), wanted.weight.then_some(dw))
            }
            None => conv::backward(isa(), of, x.get(), weight.get(), gradient.get(), wanted),
        };
        (dx.map(|dx| tensor(dx, &x_shape)), dw.map(|dw| tensor(dw, &weight_shape)))
    }

    fn extreme_pool(x: FlexTensor, settings: PoolSettings, extreme: Extreme) -> (FlexTensor, Chosen) {
        let [batch, channels, height, width] = dims(&x);
        let of = pool_of([height, width], batch * channels, settings);
        let [height, width] = settings.window.output(of.size);
        let (out, chosen) = pool::extreme_forward(isa(), of, extreme, Values::of(x).get());
        (tensor(out, &[batch, channels, height, width]), chosen)
    }

    fn extreme_pool_backward(
        chosen: &Chosen,
        size: [usize; 2],
        settings: PoolSettings,
        gradient: FlexTensor,
    ) -> FlexTensor {
        let [batch, channels, ..] = dims::<4>(&gradient);
        let of = pool_of(size, batch * channels, settings);
        let dx = pool::extreme_backward(isa(), of, chosen, Values::of(gradient).get());
        tensor(dx, &[batch, channels, size[0], size[1]])
    }

    fn mean_pool_backward(size: [usize; 2], settings: PoolSettings, gradient: FlexTensor) -> FlexTensor {
        let [batch, channels, ..] = dims::<4>(&gradient);
        let of = pool_of(size, batch * channels, settings);
        let dx = pool::mean_backward(isa(), of, Values::of(gradient).get());
        tensor(dx, &[batch, channels, size[0], size[1]])
    }

    fn batch_norm_backward(
        x: FlexTensor,
        gamma: FlexTensor,
        statistics: [FlexTensor; 2],
        gradient: FlexTensor,
        epsilon: f32,
    ) -> [FlexTensor; 3] {
        let (of, shape) = (maps(&x), x.layout().shape().to_vec());
        let [x, gamma, gradient] = [x, gamma, gradient].map(Values::of);
        let [mean, variance] = statistics.map(|statistic| Values::of(statistic).get().to_vec());
        let statistics = Statistics { mean, variance };
        let (dx, dgamma, dbeta) =
            batch_norm::backward(isa(), of, x.get(), gamma.get(), &statistics, gradient.get(), epsilon);
        [tensor(dx, &shape), tensor(dgamma, &[of.channels]), tensor(dbeta, &[of.channels])]
    }

    fn scale_and_shift_backward(x: FlexTensor, scale: FlexTensor, gradient: FlexTensor) -> [FlexTensor; 3] {
        let (of, shape) = (maps(&x), x.layout().shape().to_vec());
        let [x, scale, gradient] = [x, scale, gradient].map(Values::of);
        let (dx, dscale, dshift) =
            batch_norm::scale_and_shift_backward(isa(), of, x.get(), scale.get(), gradient.get());
        [tensor(dx, &shape), tensor(dscale, &[of.channels]), tensor(dshift, &[of.channels])]
    }

    fn lstm(
        input: FlexTensor,
        weight: FlexTensor,
        hidden: FlexTensor,
        cell: FlexTensor,
        rows: Option<&RowNumbers>,
        last: bool,
    ) -> (FlexTensor, Tape<FlexTensor>) {
        let [batch, n] = dims(&hidden);
        let time = rows.map_or_else(|| dims::<3>(&input)[1], |rows| rows.time);
        let of = Sequences { batch, time, hidden: n };
        let [input, weight, hidden, cell] = [input, weight, hidden, cell].map(Values::of);
        let read = match rows {
            None => Input::Gates(input.get()),
            Some(rows) => Input::Rows { table: input.get(), numbers: &rows.numbers, width: rows.width },
        };
        let Run { outputs, gates, cells } =
            lstm::forward(isa(), of, read, weight.get(), hidden.get(), cell.get());
        let out = last.then(|| {
            let mut out = Vec::with_capacity(batch * (time + 1) * n);
            for (outputs, cells) in outputs.chunks_exact(time * n).zip(cells.chunks_exact(time * n)) {
                out.extend_from_slice(outputs);
                out.extend_from_slice(&cells[(time - 1) * n..]);
            }
            tensor(out, &[batch, time + 1, n])
        });
        let states = [batch, time, n];
        let (outputs, cells) = (tensor(outputs, &states), tensor(cells, &states));
        let gates = tensor(gates, &[batch, time, 4 * n]);
        (out.unwrap_or_else(|| outputs.clone()), Tape { outputs, gates, cells, last })
    }

    fn lstm_backward(
        tape: Tape<FlexTensor>,
        weight: FlexTensor,
        hidden: FlexTensor,
        cell: FlexTensor,
        rows: Option<(&RowNumbers, usize)>,
        gradient: FlexTensor,
    ) -> [FlexTensor; 4] {
        let [batch, time, n] = dims(&tape.outputs);
        let of = Sequences { batch, time, hidden: n };
        let last = tape.last;
        let [kept_outputs, gates, cells] = [tape.outputs, tape.gates, tape.cells].map(Values::of);
        let [weight, hidden, cell, gradient] = [weight, hidden, cell, gradient].map(Values::of);
        let mut outputs = Vec::new();
        let mut last_cell = Vec::new();
        if last {
            for gradient in gradient.get().chunks_exact((time + 1) * n) {
                let (of_outputs, of_cell) = gradient.split_at(time * n);
                outputs.extend_from_slice(of_outputs);
                last_cell.extend_from_slice(of_cell);
            }
        }
        let (outputs, last_cell) = match last {
            true => (outputs.as_slice(), Some(last_cell.as_slice())),
            false => (gradient.get(), None),
        };
        let tape = lstm::Tape {
            outputs: kept_outputs.get(),
            gates: gates.get(),
            cells: cells.get(),
            weight: weight.get(),
            hidden: hidden.get(),
            cell: cell.get(),
        };
        let found = lstm::backward(isa(), of, tape, outputs, last_cell);
        let input = match rows {
            None => tensor(found.gates, &[batch, time, 4 * n]),
            Some((rows, count)) => {
                let table = lstm::table_gradient(isa(), of, count, &rows.numbers, rows.width, &found.gates);
                tensor(table, &[count, 4 * n])
            }
        };
        let weight = tensor(found.weight, &[4 * n, n]);
        [input, weight, tensor(found.hidden, &[batch, n]), tensor(found.cell, &[batch, n])]
    }

    fn recurrent(inputs: [FlexTensor; 4], cell: &RecurrentCell) -> (FlexTensor, Arc<recurrent::Run>) {
        let shape: [usize; 3] = dims(&inputs[0]);
        let inputs = inputs.map(Values::of);
        let run = recurrent::forward(isa(), steps(shape), &cell.graph, cell.inputs(&inputs));
        (tensor(run.outputs.clone(), &shape), Arc::new(run))
    }

    fn recurrent_backward(
        inputs: [FlexTensor; 4],
        cell: &RecurrentCell,
        run: &recurrent::Run,
        gradient: FlexTensor,
    ) -> [FlexTensor; 4] {
        let shape: [usize; 3] = dims(&inputs[0]);
        let [time, batch, n] = shape;
        let (inputs, gradient) = (inputs.map(Values::of), Values::of(gradient));
        let of = cell.inputs(&inputs);
        let found = recurrent::backward(isa(), steps(shape), &cell.graph, of, run, gradient.get());
        [
            tensor(found.words, &[time, batch, n]),
            tensor(found.memory, &[batch, n]),
            tensor(found.first, &[2 * n, 2 * n]),
            tensor(found.nodes, &[cell.graph.nodes.len() * n, 2 * n]),
        ]
    }

    fn cross_entropy(logits: FlexTensor, targets: &[u32]) -> (FlexTensor, Vec<f32>) {
        let [_, classes] = dims(&logits);
        let (loss, totals) = cross_entropy::forward(isa(), classes, Values::of(logits).get(), targets);
        (tensor(vec![loss], &[1]), totals)
    }

    fn cross_entropy_backward(
        logits: FlexTensor,
        targets: &[u32],
        totals: &[f32],
        gradient: FlexTensor,
    ) -> FlexTensor {
        let [rows, classes] = dims(&logits);
        let (logits, gradient) = (Values::of(logits), Values::of(gradient).get()[0]);
        let found = cross_entropy::backward(isa(), classes, logits.get(), targets, totals, gradient);
        tensor(found, &[rows, classes])
    }

    fn branch_sum_backward(weights: &BranchWeights, branch: usize, gradient: FlexTensor) -> FlexTensor {
        let shape = gradient.layout().shape().to_vec();
        tensor(sum::backward(isa(), shape[0], weights, branch, Values::of(gradient).get()), &shape)
    }

    fn activation_backward(y: FlexTensor, activation: Activation, gradient: FlexTensor) -> FlexTensor {
        let shape = y.layout().shape().to_vec();
        let [y, gradient] = [y, gradient].map(Values::of);
        tensor(activation::backward(isa(), activation, y.get(), gradient.get()), &shape)
    }

    fn softmax_backward(y: FlexTensor, softmax: Softmax, gradient: FlexTensor) -> FlexTensor {
        let shape = y.layout().shape().to_vec();
        let width = shape.last().copied().unwrap_or(1);
        let [y, gradient] = [y, gradient].map(Values::of);
        tensor(softmax::backward(isa(), softmax, width, y.get(), gradient.get()), &shape)
    }
}
