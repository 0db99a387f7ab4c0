//! The CPU kernels one by one: `cargo bench -p nao-benches --bench kernels`. Throughput counts multiplications in
//! convolutions and values elsewhere.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nao_kernels::cpu::activation::{self, Activation};
use nao_kernels::cpu::batch_norm::{self, Maps};
use nao_kernels::cpu::conv::{self, Convolution, Wanted};
use nao_kernels::cpu::depthwise::{self, Depthwise};
use nao_kernels::cpu::isa::Isa;
use nao_kernels::cpu::lstm::{self, Input, Sequences, Tape};
use nao_kernels::cpu::pool::{self, Extreme, Pool};
use nao_kernels::cpu::softmax::{self, Softmax};
use nao_kernels::cpu::window::Window;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 32;

fn values(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i * 7 % 31) as f32 * 0.06 - 0.9).collect()
}

fn window(kernel: [usize; 2], stride: usize) -> Window {
    let added = kernel.map(|side| (side as isize - 1) / 2);
    Window { stride: [stride; 2], before: added, after: added, ..Window::of_size(kernel) }
}

fn convolutions(criterion: &mut Criterion) {
    let isa = Isa::best();
    for (channels, size) in [(16, 32), (32, 16), (64, 8)] {
        for (kernel, stride) in [([1, 1], 1), ([3, 3], 1), ([1, 7], 1), ([3, 3], 2)] {
            let window = window(kernel, stride);
            let size = [size; 2];
            let shape = Convolution {
                batch: BATCH,
                channels,
                size,
                outputs: channels,
                groups: 1,
                window,
                relu: false,
            };
            let [height, width] = window.output(size);
            let x = values(BATCH * channels * size[0] * size[1]);
            let weight = values(channels * channels * kernel[0] * kernel[1]);
            let gradient = values(BATCH * channels * height * width);
            let name = format!(
                "{}x{} stride {stride}, {channels} channels {}x{}",
                kernel[0], kernel[1], size[0], size[1]
            );
            let mut group = criterion.benchmark_group(format!("convolution {name}"));
            group
                .throughput(Throughput::Elements((gradient.len() * channels * kernel[0] * kernel[1]) as u64));
            group.bench_function("forward", |b| b.iter(|| conv::forward(isa, shape, &x, black_box(&weight))));
            for (what, wanted) in [
                ("input gradient", Wanted { input: true, weight: false }),
                ("weight gradient", Wanted { input: false, weight: true }),
            ] {
                group.bench_function(what, |b| {
                    b.iter(|| conv::backward(isa, shape, &x, black_box(&weight), &gradient, wanted));
                });
            }
        }
    }
}

fn per_channel(criterion: &mut Criterion) {
    let isa = Isa::best();
    let (channels, size) = (16, [32; 2]);
    let x = values(BATCH * channels * size[0] * size[1]);
    let mut group = criterion.benchmark_group("16 channels 32x32");
    group.throughput(Throughput::Elements(x.len() as u64));
    for side in [3, 5, 7] {
        let window = window([side; 2], 1);
        let shape = Depthwise { batch: BATCH, channels, size, window, relu: true };
        let weight = values(channels * side * side);
        group.bench_function(format!("depthwise {side}x{side} forward"), |b| {
            b.iter(|| depthwise::forward(isa, shape, &x, black_box(&weight)));
        });
        group.bench_function(format!("depthwise {side}x{side} backward"), |b| {
            b.iter(|| depthwise::backward(isa, shape, &x, black_box(&weight), &x));
        });
    }
    for side in [2, 3, 5] {
        let window = Window { after: [side as isize / 2; 2], ..window([side; 2], 1) };
        let shape = Pool { maps: BATCH * channels, size, window, zeros: false };
        group.bench_function(format!("maximum pool {side}x{side} forward"), |b| {
            b.iter(|| pool::extreme_forward(isa, shape, Extreme::Maximum, black_box(&x)));
        });
        let (_, chosen) = pool::extreme_forward(isa, shape, Extreme::Maximum, &x);
        group.bench_function(format!("maximum pool {side}x{side} backward"), |b| {
            b.iter(|| pool::extreme_backward(isa, shape, black_box(&chosen), &x));
        });
        group.bench_function(format!("mean pool {side}x{side} forward"), |b| {
            b.iter(|| pool::mean_forward(isa, shape, black_box(&x)));
        });
        group.bench_function(format!("mean pool {side}x{side} backward"), |b| {
            b.iter(|| pool::mean_backward(isa, shape, black_box(&x)));
        });
    }
    let maps = Maps { batch: BATCH, channels, pixels: size[0] * size[1] };
    let (gamma, beta) = (values(channels), values(channels));
    group.bench_function("batch norm forward", |b| {
        b.iter(|| batch_norm::forward(isa, maps, black_box(&x), &gamma, &beta, 1e-5));
    });
    let (_, statistics) = batch_norm::forward(isa, maps, &x, &gamma, &beta, 1e-5);
    group.bench_function("batch norm backward", |b| {
        b.iter(|| batch_norm::backward(isa, maps, black_box(&x), &gamma, &statistics, &x, 1e-5));
    });
}

fn sequences(criterion: &mut Criterion) {
    let isa = Isa::best();
    let of = Sequences { batch: 100, time: 40, hidden: 96 };
    let gates = values(of.batch * of.time * 4 * of.hidden);
    let weight: Vec<f32> = values(4 * of.hidden * of.hidden).iter().map(|value| value * 0.1).collect();
    let state = values(of.batch * of.hidden);
    let mut group = criterion.benchmark_group("LSTM of 100 sequences of 40 steps, 96 wide");
    group.throughput(Throughput::Elements((of.batch * of.time) as u64));
    let run = || lstm::forward(isa, of, Input::Gates(&gates), black_box(&weight), &state, &state);
    group.bench_function("forward", |b| b.iter(run));
    let kept = run();
    let tape = Tape {
        outputs: &kept.outputs,
        gates: &kept.gates,
        cells: &kept.cells,
        weight: &weight,
        hidden: &state,
        cell: &state,
    };
    group.bench_function("backward", |b| {
        b.iter(|| lstm::backward(isa, of, black_box(tape), &kept.outputs, None))
    });
}

fn functions(criterion: &mut Criterion) {
    let isa = Isa::best();
    let x = values(4000 * 40);
    let mut group = criterion.benchmark_group("functions");
    group.throughput(Throughput::Elements(x.len() as u64));
    for activation in [Activation::Tanh, Activation::Sigmoid] {
        group.bench_function(format!("{activation:?}"), |b| {
            b.iter(|| activation::forward(isa, activation, black_box(&x)));
        });
    }
    for softmax in [Softmax::Plain, Softmax::Log] {
        group.bench_function(format!("softmax {softmax:?} over 40"), |b| {
            b.iter(|| softmax::forward(isa, softmax, 40, black_box(&x)));
        });
    }
}

criterion_group!(benches, convolutions, per_channel, sequences, functions);
criterion_main!(benches);
