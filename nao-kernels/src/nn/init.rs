//! First weights, drawn from a passed generator so that a seed fixes them, never from burn's global one.

use std::f64::consts::TAU;

use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Values that `next` gives, one after another.
pub fn drawn<const D: usize>(shape: [usize; D], device: &Device, mut next: impl FnMut() -> f32) -> Tensor<D> {
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Kaiming normal in fan-in mode with gain sqrt(2): standard deviation `sqrt(2 / fan_in)`.
///
/// `fan_in` is the number of inputs of one output: the product of all dimensions of `shape` but the first.
pub fn kaiming_normal<const D: usize>(shape: [usize; D], rng: &mut ChaCha8Rng, device: &Device) -> Tensor<D> {
    let fan_in: usize = shape[1..].iter().product();
    let deviation = (2.0 / fan_in as f64).sqrt();
    drawn(shape, device, || (deviation * standard_normal(rng)) as f32)
}

/// Normal with mean 0 and standard deviation 1.
pub fn normal<const D: usize>(shape: [usize; D], rng: &mut ChaCha8Rng, device: &Device) -> Tensor<D> {
    drawn(shape, device, || standard_normal(rng) as f32)
}

/// Uniform in `-bound..bound`, drawn in single precision.
pub fn uniform<const D: usize>(
    shape: [usize; D],
    bound: f32,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Tensor<D> {
    drawn(shape, device, || rng.random_range(-bound..bound))
}

/// Uniform in `-bound..bound`, drawn in double precision: equal generators give other values than [`uniform`].
pub fn uniform_double<const D: usize>(
    shape: [usize; D],
    bound: f64,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Tensor<D> {
    drawn(shape, device, || rng.random_range(-bound..bound) as f32)
}

/// Uniform in `+-1 / sqrt(fan_in)`: how PyTorch starts the bias of a linear layer.
pub fn uniform_bias(len: usize, fan_in: usize, rng: &mut ChaCha8Rng, device: &Device) -> Tensor<1> {
    let bound = 1.0 / (fan_in as f32).sqrt();
    drawn([len], device, || rng.random_range(-bound..=bound))
}

/// One draw from N(0, 1) by Box and Muller: of recipes too, so that equal generators give equal draws everywhere.
pub fn standard_normal(rng: &mut ChaCha8Rng) -> f64 {
    // 1 - u lies in (0, 1], so the logarithm is finite.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (TAU * rng.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn kaiming_weights_have_the_right_spread() {
        let weights = kaiming_normal([64, 16, 3, 3], &mut ChaCha8Rng::seed_from_u64(1), &Device::flex());
        let values = weights.into_data().try_to_vec::<f32>().unwrap();
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        let expected = 2.0 / 144.0;
        assert!(mean.abs() < 4.0 * (expected / n).sqrt(), "mean {mean}");
        assert!((variance / expected - 1.0).abs() < 0.06, "variance {variance}, expected {expected}");
    }

    #[test]
    fn bias_stays_within_its_bound() {
        let bias = uniform_bias(1000, 16, &mut ChaCha8Rng::seed_from_u64(1), &Device::flex());
        let values = bias.into_data().try_to_vec::<f32>().unwrap();
        let largest = values.iter().fold(0f32, |m, v| m.max(v.abs()));
        assert!(largest <= 0.25 && largest > 0.24, "{largest}");
    }
}
