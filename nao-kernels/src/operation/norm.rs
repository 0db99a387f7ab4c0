//! Batch normalisation.

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn::tensor::module::batch_norm_train;

use crate::extension::Operations;
use crate::switch::takes;

/// A normalised batch, and what it was normalised by.
#[derive(Clone, Debug)]
pub struct BatchNormed {
    /// `[batch, channels, height, width]`.
    pub output: Tensor<4>,
    /// `[channels]`; no gradient flows through it.
    pub mean: Tensor<1>,
    /// Divided by the number of values, `[channels]`; no gradient flows through it.
    pub variance: Tensor<1>,
}

/// `gamma (x - mean) / sqrt(variance + epsilon) + beta` with the statistics of the batch itself, per channel.
///
/// `x`: `[batch, channels, height, width]`; `gamma`, `beta`: `[channels]`.
pub fn batch_norm(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> BatchNormed {
    if takes(&x) && takes(&gamma) && takes(&beta) {
        let (x, gamma, beta) = (x.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
        let (output, mean, variance) = Dispatch::nao_batch_norm(x, gamma, beta, epsilon as f32);
        let (mean, variance) = (Tensor::from_dispatch(mean), Tensor::from_dispatch(variance));
        return BatchNormed { output: Tensor::from_dispatch(output), mean, variance };
    }
    let result = batch_norm_train(x, gamma, beta, epsilon);
    BatchNormed { output: result.output, mean: result.mean.detach(), variance: result.variance.detach() }
}

/// `x scale + shift` per channel: a norm whose statistics are given.
///
/// `x`: `[batch, channels, height, width]`; `scale`, `shift`: `[channels]`.
pub fn scale_and_shift(x: Tensor<4>, scale: Tensor<1>, shift: Tensor<1>) -> Tensor<4> {
    if takes(&x) && takes(&scale) && takes(&shift) {
        let (x, scale, shift) = (x.into_dispatch(), scale.into_dispatch(), shift.into_dispatch());
        return Tensor::from_dispatch(Dispatch::nao_scale_and_shift(x, scale, shift));
    }
    let channels = x.dims()[1];
    x * scale.reshape([1, channels, 1, 1]) + shift.reshape([1, channels, 1, 1])
}
