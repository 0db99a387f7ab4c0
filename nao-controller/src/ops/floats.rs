//! Values of tensors as plain numbers.

use burn::tensor::Tensor;

/// The values of a tensor in row-major order.
pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
