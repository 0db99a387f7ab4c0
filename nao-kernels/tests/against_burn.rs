//! Each operation against burn's own, values and all gradients, over shapes that proptest makes up: odd sizes, maps of a
//! single value, one channel, one image, strides, dilations, borders on one side.
//!
//! With `NAO_KERNELS=burn` both sides are burn's, and the tests say nothing.

use burn::tensor::module::{
    avg_pool2d, batch_norm_train, conv2d as burn_conv2d, max_pool2d as burn_max_pool2d,
};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions, PadMode};
use burn::tensor::{Device, Tensor, TensorData, activation};
use nao_kernels::*;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Values in -1 to 1 of which no two are equal, so that no maximum is a tie, and none is 0.
fn tensor<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    let len: usize = shape.iter().product();
    let mut values: Vec<f32> = (0..len).map(|i| (2 * i + 1) as f32 / len as f32 - 1.0).collect();
    values.iter_mut().filter(|value| value.abs() < 1e-6).for_each(|value| *value = 1e-3);
    values.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    Tensor::from_data(TensorData::new(values, shape), &Device::flex().autodiff()).require_grad()
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec::<f32>().unwrap()
}

/// Two tensors agree within rounding, relative to the largest value.
fn close<const D: usize>(what: &str, ours: Tensor<D>, burns: Tensor<D>) -> Result<(), TestCaseError> {
    prop_assert_eq!(ours.dims(), burns.dims(), "{}", what);
    let (ours, burns) = (floats(ours), floats(burns));
    let largest = burns.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
    for (at, (a, b)) in ours.iter().zip(&burns).enumerate() {
        prop_assert!(
            (a - b).abs() <= 1e-5 * largest,
            "{what}: value {at} is {a}, burn's {b}, largest {largest}"
        );
    }
    Ok(())
}

/// Values and the gradients of all inputs, for an upstream gradient that differs from place to place.
fn same<const D: usize>(
    ours: Tensor<D>,
    burns: Tensor<D>,
    four: &[&Tensor<4>],
    one: &[&Tensor<1>],
) -> Result<(), TestCaseError> {
    close("values", ours.clone(), burns.clone())?;
    let upstream = tensor(ours.dims(), 99).detach();
    let our_gradients = (ours * upstream.clone()).sum().backward();
    let burn_gradients = (burns * upstream).sum().backward();
    for (at, input) in four.iter().enumerate() {
        let [ours, burns] = [&our_gradients, &burn_gradients].map(|gradients| input.grad(gradients).unwrap());
        close(&format!("gradient {at}"), ours, burns)?;
    }
    for (at, input) in one.iter().enumerate() {
        let [ours, burns] = [&our_gradients, &burn_gradients].map(|gradients| input.grad(gradients).unwrap());
        close(&format!("vector gradient {at}"), ours, burns)?;
    }
    Ok(())
}

/// A window that fits a map of at least 1x1, and a map.
fn windows(largest: usize) -> impl Strategy<Value = (Window, [usize; 2])> {
    let side = 1..=largest;
    let axis = (side, 1..=3usize, 1..=2usize, 0..=3usize, 0..=3usize, 1..=19usize);
    [axis.clone(), axis].prop_filter_map("the window does not fit", |axes| {
        let pick = axes.map(|(kernel, stride, dilation, before, after, size)| {
            let fits = size + before + after > dilation * (kernel - 1);
            fits.then_some((kernel, stride, dilation, before, after, size))
        });
        let [a, b] = [pick[0]?, pick[1]?];
        let window = Window {
            kernel: [a.0, b.0],
            stride: [a.1, b.1],
            dilation: [a.2, b.2],
            before: [a.3 as isize, b.3 as isize],
            after: [a.4 as isize, b.4 as isize],
        };
        Some((window, [a.5, b.5]))
    })
}

fn added(window: Window) -> [(usize, usize); 2] {
    [0, 1].map(|axis| (window.before[axis] as usize, window.after[axis] as usize))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn convolutions((window, size) in windows(5), batch in 1..4usize, groups in 1..4usize,
                    inputs in 1..4usize, outputs in 1..6usize, relu: bool) {
        let x = tensor([batch, groups * inputs, size[0], size[1]], 1);
        let weight = tensor([groups * outputs, inputs, window.kernel[0], window.kernel[1]], 2);
        let mut options = ConvOptions::new(window.stride, [0; 2], window.dilation, groups);
        options.padding = added(window);
        let ours = match relu {
            true => relu_conv2d(x.clone(), weight.clone(), window, groups),
            false => conv2d(x.clone(), weight.clone(), window, groups),
        };
        let read = if relu { activation::relu(x.clone()) } else { x.clone() };
        same(ours, burn_conv2d(read, weight.clone(), None, options), &[&x, &weight], &[])?;
    }

    #[test]
    fn depthwise_convolutions((window, size) in windows(7), batch in 1..4usize, channels in 1..5usize, relu: bool) {
        let x = tensor([batch, channels, size[0], size[1]], 1);
        let weight = tensor([channels, 1, window.kernel[0], window.kernel[1]], 2);
        let mut options = ConvOptions::new(window.stride, [0; 2], window.dilation, channels);
        options.padding = added(window);
        let ours = match relu {
            true => relu_conv2d(x.clone(), weight.clone(), window, channels),
            false => conv2d(x.clone(), weight.clone(), window, channels),
        };
        let read = if relu { activation::relu(x.clone()) } else { x.clone() };
        same(ours, burn_conv2d(read, weight.clone(), None, options), &[&x, &weight], &[])?;
    }

    /// Wide maps and many channels, which take other paths than small ones.
    #[test]
    fn wide_convolutions(batch in 1..10usize, inputs in 1..20usize, outputs in 1..70usize, kernel in 0..3usize,
                         stride in 1..3usize, width in prop::sample::select(vec![4usize, 8, 16, 32])) {
        let kernel = 2 * kernel + 1;
        let window = Window {
            kernel: [kernel; 2],
            stride: [stride; 2],
            dilation: [1; 2],
            before: [(kernel / 2) as isize; 2],
            after: [(kernel / 2) as isize; 2],
        };
        let x = tensor([batch, inputs, 4, width], 1);
        let weight = tensor([outputs, inputs, kernel, kernel], 2);
        let mut options = ConvOptions::new(window.stride, [0; 2], window.dilation, 1);
        options.padding = added(window);
        let ours = conv2d(x.clone(), weight.clone(), window, 1);
        same(ours, burn_conv2d(x.clone(), weight.clone(), None, options), &[&x, &weight], &[])?;
    }

    #[test]
    fn pools((window, size) in windows(5), batch in 1..4usize, channels in 1..4usize, zeros: bool) {
        let window = Window { dilation: [1; 2], ..window };
        // Every window sees a value of the map.
        let narrow = |axis: usize| window.before[axis].max(window.after[axis]) < window.kernel[axis] as isize;
        prop_assume!(narrow(0) && narrow(1));
        let x = tensor([batch, channels, size[0], size[1]], 1);
        let pooling = Pooling { window, zeros };
        let options = MaxPoolOptions::new(window.kernel).with_stride(window.stride);
        let burns = |x: Tensor<4>| match zeros {
            true => burn_max_pool2d(x.pad(added(window), PadMode::Constant(0.0)), options.clone()),
            false => burn_max_pool2d(x, options.clone().with_padding_pairs(added(window))),
        };
        same(max_pool2d(x.clone(), pooling), burns(x.clone()), &[&x], &[])?;
        same(min_pool2d(x.clone(), pooling), -burns(-x.clone()), &[&x], &[])?;
        let options = AvgPoolOptions::new(window.kernel)
            .with_stride(window.stride)
            .with_padding_pairs(added(window))
            .with_count_include_pad(zeros);
        same(mean_pool2d(x.clone(), pooling), avg_pool2d(x.clone(), options), &[&x], &[])?;
    }

    #[test]
    fn norms(batch in 1..5usize, channels in 1..5usize, size in [1..9usize, 1..9usize]) {
        // Of a single value nothing is left but the shift, and its gradient is rounding.
        prop_assume!(batch * size[0] * size[1] > 2);
        let x = tensor([batch, channels, size[0], size[1]], 1);
        let (gamma, beta) = (tensor([channels], 2), tensor([channels], 3));
        let ours = batch_norm(x.clone(), gamma.clone(), beta.clone(), 1e-3);
        let burns = batch_norm_train(x.clone(), gamma.clone(), beta.clone(), 1e-3);
        close("mean", ours.mean, burns.mean)?;
        close("variance", ours.variance, burns.variance)?;
        same(ours.output, burns.output, &[&x], &[&gamma, &beta])?;
        let scaled = x.clone() * gamma.clone().reshape([1, channels, 1, 1]) + beta.clone().reshape([1, channels, 1, 1]);
        same(scale_and_shift(x.clone(), gamma.clone(), beta.clone()), scaled, &[&x], &[&gamma, &beta])?;
    }

    #[test]
    fn sums(batch in 1..6usize, shape in [1..4usize, 1..9usize, 1..9usize], weighted: bool) {
        let [x, y] = [1, 2].map(|seed| tensor([batch, shape[0], shape[1], shape[2]], seed));
        let weights: Vec<[f32; 2]> = (0..batch).map(|i| [i as f32 * 0.5, 1.0 - i as f32]).collect();
        let column = |branch: usize| {
            let values: Vec<f32> = weights.iter().map(|w| if weighted { w[branch] } else { 1.0 }).collect();
            let column = Tensor::<1>::from_data(TensorData::new(values, [batch]), &x.device());
            column.reshape([batch, 1, 1, 1])
        };
        let burns = x.clone() * column(0) + y.clone() * column(1);
        let weights = weighted.then(|| weights.clone().into());
        same(branch_sum(x.clone(), y.clone(), weights), burns, &[&x, &y], &[])?;
    }

    #[test]
    fn sgd_steps(len in 1..3000usize, nesterov: bool, first: bool, momentum in 0.0..1.0f32, decay in 0.0..0.1f32) {
        let [weight, gradient, old] = [1, 2, 3].map(|seed| tensor([len], seed).without_autodiff());
        let step = SgdStep { momentum, nesterov, decay, scale: 0.7, rate: 0.3 };
        let buffer = (!first).then(|| old.clone());
        let (new_weight, new_buffer) = sgd_step(weight.clone(), gradient.clone(), buffer, step);
        let g = gradient.clone() * 0.7f32 + weight.clone() * decay;
        let b = if first { g.clone() } else { old * momentum + g.clone() };
        let direction = if nesterov { g + b.clone() * momentum } else { b.clone() };
        close("buffer", new_buffer, b)?;
        close("weight", new_weight, weight - direction * 0.3f32)?;
        close("squares", sum_of_squares(gradient.clone()), gradient.square().sum())?;
    }

    #[test]
    fn reductions(batch in 1..4usize, channels in 1..4usize, outputs in 1..4usize, size in [1..9usize, 1..9usize]) {
        let x = tensor([batch, channels, 2 * size[0], 2 * size[1]], 1);
        let [even, odd] = [2, 3].map(|seed| tensor([outputs, channels, 1, 1], seed));
        let options = || ConvOptions::new([2; 2], [0; 2], [1; 2], 1);
        let shifted = x.clone().slice([0..batch, 0..channels, 1..2 * size[0], 1..2 * size[1]]);
        let burns = vec![
            burn_conv2d(x.clone(), even.clone(), None, options()),
            burn_conv2d(shifted, odd.clone(), None, options()),
        ];
        let ours = factorized_reduce(x.clone(), even.clone(), odd.clone());
        same(ours, Tensor::cat(burns, 1), &[&x, &even, &odd], &[])?;
    }

    #[test]
    fn functions(shape in [1..5usize, 1..5usize, 1..5usize, 1..40usize]) {
        let x = tensor(shape, 1);
        // burn's graph can be walked back once: each side has its own.
        let wide = || x.clone() * 6.0f32;
        same(tanh(wide()), activation::tanh(wide()), &[&x], &[])?;
        same(sigmoid(wide()), activation::sigmoid(wide()), &[&x], &[])?;
        same(softmax(wide()), activation::softmax(wide(), 3), &[&x], &[])?;
        same(log_softmax(wide()), activation::log_softmax(wide(), 3), &[&x], &[])?;
    }
}

/// A recurrent cell of some nodes, against its steps in burn's operations.
#[test]
fn recurrent_cells_equal_their_steps() {
    use NodeFunction::{Identity, Relu, Sigmoid, Tanh};
    let node = |input, function| RecurrentNode { input, function };
    let graphs = [
        RecurrentGraph { nodes: vec![node(0, Relu)], averaged: vec![1] },
        RecurrentGraph {
            nodes: vec![node(0, Sigmoid), node(1, Tanh), node(1, Identity), node(0, Relu), node(4, Tanh)],
            averaged: vec![2, 3, 5],
        },
        RecurrentGraph { nodes: vec![node(0, Identity), node(0, Tanh)], averaged: vec![0, 1, 2] },
    ];
    for (graph, [time, batch, n]) in graphs.into_iter().zip([[3, 2, 5], [6, 21, 17], [2, 70, 260]]) {
        for masked in [false, true] {
            let words = tensor([time, batch, n], 1);
            let memory = tensor([batch, n], 2);
            let scale = 1.0 / (n as f32).sqrt();
            let first = tensor([2 * n, 2 * n], 3) * scale;
            let nodes = tensor([graph.nodes.len() * n, 2 * n], 4) * scale;
            let mask = |seed| masked.then(|| tensor([batch, n], seed).detach());
            let masks = RecurrentMasks { word: mask(5), state: mask(6) };
            // burn's graph can be walked back once: each side has its own.
            let inputs = || (words.clone() * 1.0f32, memory.clone() * 1.0f32);
            let [first, nodes] = [first, nodes].map(|weight| weight.detach().require_grad());
            let (x, h) = inputs();
            let weights = RecurrentWeights { first: first.clone(), nodes: nodes.clone() };
            let ours = recurrent(x, h, weights, masks.clone(), graph.clone().into());
            let (x, mut h) = inputs();
            let apply = |mask: &Option<Tensor<2>>, x: Tensor<2>| match mask {
                Some(mask) => x * mask.clone(),
                None => x,
            };
            let mixed = |product: Tensor<2>, p: Tensor<2>, function| {
                let gate = activation::sigmoid(product.clone().narrow(1, 0, n));
                let u = product.narrow(1, n, n);
                let candidate = match function {
                    Tanh => activation::tanh(u),
                    Relu => activation::relu(u),
                    Identity => u,
                    Sigmoid => activation::sigmoid(u),
                };
                p.clone() * (-gate.clone() + 1.0f32) + gate * candidate
            };
            let mut outputs = Vec::new();
            for step in 0..time {
                let word = x.clone().narrow(0, step, 1).reshape([batch, n]);
                let joined = vec![apply(&masks.word, word), apply(&masks.state, h.clone())];
                let mut states = vec![mixed(Tensor::cat(joined, 1).matmul(first.clone()), h, Tanh)];
                for (index, node) in graph.nodes.iter().enumerate() {
                    let p = states[node.input].clone();
                    let weight = nodes.clone().narrow(0, index * n, n);
                    states.push(mixed(apply(&masks.state, p.clone()).matmul(weight), p, node.function));
                }
                let averaged = graph.averaged.iter().map(|&state| states[state].clone());
                h = averaged.reduce(|sum, state| sum + state).unwrap() / graph.averaged.len() as f32;
                outputs.push(h.clone());
            }
            let burns = Tensor::stack::<3>(outputs, 0);
            close("outputs", ours.clone(), burns.clone()).unwrap();
            let upstream = tensor([time, batch, n], 99).detach();
            let our_gradients = (ours * upstream.clone()).sum().backward();
            let burn_gradients = (burns * upstream).sum().backward();
            for input in [&memory, &first, &nodes] {
                let [ours, burns] = [&our_gradients, &burn_gradients].map(|g| input.grad(g).unwrap());
                close("gradient", ours, burns).unwrap();
            }
            let [ours, burns] = [&our_gradients, &burn_gradients].map(|g| words.grad(g).unwrap());
            close("gradient of words", ours, burns).unwrap();
        }
    }
}

#[test]
fn the_loss_of_classes_is_that_of_logarithms() {
    for [rows, classes] in [[1, 1], [3, 7], [40, 129]] {
        let logits = tensor([rows, classes], 1);
        let targets: Vec<u32> = (0..rows).map(|row| (row * 5 % classes) as u32).collect();
        let ours = cross_entropy(logits.clone() * 3.0f32, targets.clone().into());
        let numbers: Vec<i64> = targets.iter().map(|&target| i64::from(target)).collect();
        let numbers = TensorData::new(numbers, [rows, 1]);
        let numbers = Tensor::<2, burn::tensor::Int>::from_data(numbers, &logits.device());
        let burns = -activation::log_softmax(logits.clone() * 3.0f32, 1).gather(1, numbers).mean();
        close("loss", ours.clone(), burns.clone()).unwrap();
        let [ours, burns] = [ours, burns].map(|loss| logits.grad(&(loss * 2.0f32).backward()).unwrap());
        close("gradient", ours, burns).unwrap();
    }
}

/// Gates, weights and states of an LSTM, against its steps in burn's operations.
#[test]
fn lstms_equal_their_steps() {
    for (batch, time, n, rows) in [(1, 1, 1, 3), (3, 4, 5, 7), (40, 3, 16, 5)] {
        let table = tensor([rows, 4 * n], 1);
        let weight = tensor([4 * n, n], 2);
        let [hidden, cell] = [3, 4].map(|seed| tensor([batch, n], seed));
        let numbers: Vec<u32> = (0..batch * time * 2).map(|i| (i * 3 % rows) as u32).collect();
        let one_hot = {
            let mut values = vec![0f32; batch * time * rows];
            for (place, &number) in numbers.iter().enumerate() {
                values[place / 2 * rows + number as usize] += 1.0;
            }
            Tensor::<2>::from_data(TensorData::new(values, [batch * time, rows]), &Device::flex().autodiff())
        };
        // burn's graph can be walked back once: each side computes its own.
        let gates = || one_hot.clone().matmul(table.clone()).reshape([batch, time, 4 * n]);
        let weights = LstmWeights { weight: weight.clone(), hidden: hidden.clone(), cell: cell.clone() };
        let burns = || {
            let gates = gates();
            let (mut h, mut c) = (hidden.clone(), cell.clone());
            let mut outputs = Vec::new();
            for step in 0..time {
                let own = gates.clone().narrow(1, step, 1).reshape([batch, 4 * n]);
                let sums = own + h.matmul(weight.clone().transpose());
                let gate = |number: usize| sums.clone().narrow(1, number * n, n);
                c = activation::sigmoid(gate(1)) * c
                    + activation::sigmoid(gate(0)) * activation::tanh(gate(2));
                h = activation::sigmoid(gate(3)) * activation::tanh(c.clone());
                outputs.push(h.clone());
            }
            Tensor::cat(vec![Tensor::stack::<3>(outputs, 1), c.unsqueeze_dim(1)], 1)
        };
        let rows = RowNumbers { numbers: numbers.into(), time, width: 2 };
        let burns = [burns(), burns()];
        let inputs = [LstmInput::Gates(gates()), LstmInput::Rows(table.clone(), rows)];
        for (input, burns) in inputs.into_iter().zip(burns) {
            let (steps, h, last) = lstm_with_last(input.clone(), weights.clone());
            close("last state", h.unsqueeze_dim::<3>(1), steps.clone().narrow(1, time - 1, 1)).unwrap();
            close("outputs alone", lstm(input, weights.clone()), steps.clone()).unwrap();
            let ours = Tensor::cat(vec![steps, last.unsqueeze_dim(1)], 1);
            close("values", ours.clone(), burns.clone()).unwrap();
            let upstream = tensor(ours.dims(), 99).detach();
            let our_gradients = (ours * upstream.clone()).sum().backward();
            let burn_gradients = (burns * upstream).sum().backward();
            for input in [&table, &weight, &hidden, &cell] {
                let [ours, burns] = [&our_gradients, &burn_gradients].map(|g| input.grad(g).unwrap());
                close("gradient", ours, burns).unwrap();
            }
        }
    }
}

/// Networks of float64 run in burn's operations: there is nothing of ours to be wrong in them.
#[test]
fn other_number_types_fall_back() {
    let x = Tensor::<4>::ones([1, 1, 3, 3], &Device::flex()).cast(burn::tensor::DType::F64);
    let weight = Tensor::<4>::ones([1, 1, 3, 3], &Device::flex()).cast(burn::tensor::DType::F64);
    let y = conv2d(x, weight, Window::of_size([3, 3]), 1);
    assert_eq!(y.dtype(), burn::tensor::DType::F64);
    assert_eq!(y.into_data().iter::<f64>().collect::<Vec<_>>(), [9.0]);
}
