//! The loss of predictions among many classes.

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

use crate::extension::Operations;
use crate::switch::takes;

/// The mean negative log likelihood of the right classes, in nats, `[1]`: that of `log_softmax`, whose logarithms are not
/// written down. `logits`: `[rows, classes]`; `targets`: a class per row.
///
/// # Panics
/// When there is not one target per row, or a class is too large.
pub fn cross_entropy(logits: Tensor<2>, targets: Arc<[u32]>) -> Tensor<1> {
    let [rows, classes] = logits.dims();
    assert_eq!(targets.len(), rows, "a target per row");
    assert!(targets.iter().all(|&target| (target as usize) < classes), "targets are classes");
    if takes(&logits) {
        return Tensor::from_dispatch(Dispatch::nao_cross_entropy(logits.into_dispatch(), targets));
    }
    let numbers: Vec<i64> = targets.iter().map(|&target| i64::from(target)).collect();
    let numbers = Tensor::<2, Int>::from_data(TensorData::new(numbers, [rows, 1]), &logits.device());
    -log_softmax(logits, 1).gather(1, numbers).mean()
}
