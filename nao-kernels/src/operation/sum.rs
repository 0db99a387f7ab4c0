//! Sums of two branches.

use burn::backend::Dispatch;
use burn::tensor::{Tensor, TensorData};

use crate::extension::{BranchWeights, Operations};
use crate::switch::takes;

/// `x + y`, or with weights `w x + v y` per example: a node of a cell, and what drop-path makes of it.
///
/// `x`, `y`: `[batch, channels, height, width]`; `weights`: one pair per example.
///
/// # Panics
/// When the shapes differ, or there are not as many weights as examples.
pub fn branch_sum(x: Tensor<4>, y: Tensor<4>, weights: Option<BranchWeights>) -> Tensor<4> {
    let batch = x.dims()[0];
    assert_eq!(x.dims(), y.dims(), "both branches have one shape");
    assert!(weights.as_ref().is_none_or(|weights| weights.len() == batch), "each example has its weights");
    if takes(&x) && takes(&y) {
        let sum = Dispatch::nao_branch_sum(x.into_dispatch(), y.into_dispatch(), weights);
        return Tensor::from_dispatch(sum);
    }
    let Some(weights) = weights else { return x + y };
    let column = |branch: usize| {
        let values: Vec<f32> = weights.iter().map(|pair| pair[branch]).collect();
        Tensor::<4>::from_data(TensorData::new(values, [batch, 1, 1, 1]), &x.device())
    };
    let (first, second) = (column(0), column(1));
    x * first + y * second
}
