//! ReLU and the operation that gives zeros.

use burn::tensor::Tensor;

/// `max(x, 0)`, as a new tensor: other readers of `x` see it unchanged (docs/specification.md, f.4).
pub fn relu(x: Tensor<4>) -> Tensor<4> {
    burn::tensor::activation::relu(x)
}

/// Zeros in the shape of `x` subsampled by `stride`: `[batch, channels, ceil(height / stride),
/// ceil(width / stride)]`. No gradient flows.
pub fn zero(x: &Tensor<4>, stride: usize) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    Tensor::zeros([batch, channels, height.div_ceil(stride), width.div_ceil(stride)], &x.device())
}
