//! Dropout with masks from a passed generator, switched by an explicit mode.

use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Whether a network is being trained. Said by the caller, never derived from the device.
pub(crate) enum Mode<'a> {
    /// Training: dropout acts, its masks come from the generator.
    Train(&'a mut ChaCha8Rng),
    /// Everything else: the network is a fixed function.
    Infer,
}

impl Mode<'_> {
    /// Whether dropout of this rate changes anything.
    pub(crate) fn drops(&self, rate: f64) -> bool {
        matches!(self, Mode::Train(_)) && rate > 0.0
    }
}

/// Sets values to 0 with probability `rate` and scales the others by 1 / (1 - rate), in training only.
pub(crate) fn dropout<const D: usize>(x: Tensor<D>, rate: f64, mode: &mut Mode) -> Tensor<D> {
    let Mode::Train(rng) = mode else { return x };
    if rate <= 0.0 {
        return x;
    }
    let keep = (1.0 / (1.0 - rate)) as f32;
    let shape: [usize; D] = x.dims();
    let count = shape.iter().product();
    let mask: Vec<f32> = (0..count).map(|_| if rng.random::<f64>() < rate { 0.0 } else { keep }).collect();
    let mask = Tensor::from_data(TensorData::new(mask, shape), &x.device());
    x * mask
}
