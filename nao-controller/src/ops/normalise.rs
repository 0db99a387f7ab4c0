//! L2 normalisation.

use burn::tensor::Tensor;

/// The smallest length divided by, as in PyTorch's `normalize`.
const SMALLEST_NORM: f64 = 1e-12;

/// Scales vectors along the last dimension to length 1: `x / max(|x|, 1e-12)`.
pub(crate) fn normalise<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    // The clamp is on the square: the root's slope at 0 would turn a zero vector's gradient into NaN.
    let squared = x.clone().square().sum_dim(D - 1);
    x / squared.clamp_min(SMALLEST_NORM * SMALLEST_NORM).sqrt()
}
