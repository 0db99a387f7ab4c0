//! Initial weights, drawn from a passed generator so that a seed fixes them (never from burn's global one).

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Uniform in -bound..bound.
pub(crate) fn uniform<const D: usize>(
    shape: [usize; D],
    bound: f64,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    draw(shape, device, || rng.random_range(-bound..bound))
}

/// Normal with mean 0 and standard deviation 1.
pub(crate) fn normal<const D: usize>(
    shape: [usize; D],
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    draw(shape, device, || standard_normal(rng))
}

/// One number from the normal distribution with mean 0 and standard deviation 1.
pub(crate) fn standard_normal(rng: &mut ChaCha8Rng) -> f64 {
    // Box-Muller; 1 - u keeps the logarithm away from 0.
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn draw<const D: usize>(
    shape: [usize; D],
    device: &Device,
    mut next: impl FnMut() -> f64,
) -> Param<Tensor<D>> {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| next() as f32).collect();
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}
