//! Multiplications per second of the convolution kernels on one thread, forward and backward, beside the machine's rate
//! at a large matrix product: how far a kernel is from what is possible.

use std::time::Instant;

use nao_kernels::cpu::conv::{Convolution, Wanted, backward, forward};
use nao_kernels::cpu::isa::Isa;
use nao_kernels::cpu::window::Window;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let isa = Isa::best();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    one.install(|| {
        println!("matrix product 768x768x768: {:.1} G/s", matrix_rate());
        println!("{:32} {:>8} {:>8} {:>8}", "G multiplications / s", "forward", "d input", "d weight");
        for (channels, size) in [(16, 32), (32, 32), (32, 16), (64, 16), (64, 8), (128, 8)] {
            for (kernel, stride) in [([1, 1], 1), ([3, 3], 1), ([1, 7], 1), ([7, 1], 1), ([3, 3], 2)] {
                row(isa, channels, size, kernel, stride);
            }
        }
    });
}

fn row(isa: Isa, channels: usize, size: usize, kernel: [usize; 2], stride: usize) {
    let added = kernel.map(|side| (side as isize - 1) / 2);
    let window = Window { stride: [stride; 2], before: added, after: added, ..Window::of_size(kernel) };
    let batch = 32;
    let shape =
        Convolution { batch, channels, size: [size; 2], outputs: channels, groups: 1, window, relu: false };
    let [height, width] = window.output(shape.size);
    let values = |len: usize| (0..len).map(|i| (i % 17) as f32 * 0.1 - 0.8).collect::<Vec<f32>>();
    let x = values(batch * channels * size * size);
    let weight = values(channels * channels * kernel[0] * kernel[1]);
    let gradient = values(batch * channels * height * width);
    let products = (gradient.len() * channels * kernel[0] * kernel[1]) as f64;
    let wanted = |input, weight| Wanted { input, weight };
    let rates = [
        rate(products, || drop(forward(isa, shape, &x, &weight))),
        rate(products, || drop(backward(isa, shape, &x, &weight, &gradient, wanted(true, false)))),
        rate(products, || drop(backward(isa, shape, &x, &weight, &gradient, wanted(false, true)))),
    ];
    let name = format!("{channels} channels {size}x{size}, {}x{} / {stride}", kernel[0], kernel[1]);
    println!("{name:32} {:8.1} {:8.1} {:8.1}", rates[0], rates[1], rates[2]);
}

fn matrix_rate() -> f64 {
    const N: usize = 768;
    let a = vec![0.5f32; N * N];
    let mut c = vec![0.0f32; N * N];
    rate((N * N * N) as f64, || nao_kernels::cpu::matrix::square_product(N, &a, &a, &mut c))
}

/// The best of several runs, in thousand millions per second.
fn rate(products: f64, mut run: impl FnMut()) -> f64 {
    run();
    let seconds = (0..7)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    products / seconds / 1e9
}
