//! Cross entropy with label smoothing.

use burn::tensor::{Device, Tensor, TensorData};
use nao_kernels::log_softmax;

/// Rows of target probabilities, `[batch, classes]`: `(1 - smoothing) one-hot + smoothing / classes`
/// (docs/specification.md, e.2).
pub fn target_rows(labels: &[u8], classes: usize, smoothing: f64, device: &Device) -> Tensor<2> {
    let rest = (smoothing / classes as f64) as f32;
    let mut values = vec![rest; labels.len() * classes];
    for (row, &label) in values.chunks_exact_mut(classes).zip(labels) {
        row[usize::from(label)] += (1.0 - smoothing) as f32;
    }
    Tensor::from_data(TensorData::new(values, [labels.len(), classes]), device)
}

/// The mean over the batch of the cross entropy between `targets` and the softmax of `logits`, both
/// `[batch, classes]`. Returns `[1]`.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let batch = logits.dims()[0];
    (log_softmax(logits) * targets).sum().div_scalar(-(batch as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothed_targets_sum_to_one() {
        let rows = target_rows(&[2, 0], 4, 0.1, &Device::flex()).into_data().try_to_vec::<f32>().unwrap();
        for (found, expected) in rows.iter().zip([0.025, 0.025, 0.925, 0.025, 0.925, 0.025, 0.025, 0.025]) {
            assert!((found - expected).abs() < 1e-7);
        }
    }

    #[test]
    fn equal_logits_cost_the_logarithm_of_the_number_of_classes() {
        let device = Device::flex();
        let loss = cross_entropy(Tensor::zeros([3, 10], &device), target_rows(&[1, 2, 3], 10, 0.1, &device));
        assert!((loss.into_scalar::<f32>() - 10f32.ln()).abs() < 1e-6);
    }
}
