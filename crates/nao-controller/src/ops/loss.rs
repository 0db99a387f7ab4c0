//! The two losses.

use burn::tensor::Tensor;

pub(crate) use nao_kernels::log_softmax;

/// Mean of the squared differences of two columns `[batch, 1]`.
pub(crate) fn mean_squared_error(prediction: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    (prediction - target).square().mean()
}

/// Token cross entropy, mean over rows: log probabilities and one-hot targets, both `[rows, vocabulary]`.
pub(crate) fn negative_log_likelihood(log_probs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let rows = log_probs.dims()[0];
    (log_probs * targets).sum().mul_scalar(-1.0 / rows as f64)
}
