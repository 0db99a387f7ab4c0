//! The losses.

use burn::tensor::Tensor;

pub(crate) use nao_kernels::log_softmax;

/// Mean of the squared differences of two columns `[batch, 1]`.
pub(crate) fn mean_squared_error(prediction: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    (prediction - target).square().mean()
}

/// Mean over all pairs of different targets of how wrongly the scores order them, `log(1 + exp(-(s_i - s_j)))` with i the
/// better one; scores and targets are columns `[batch, 1]`. Zero where no two targets differ.
pub(crate) fn pairwise_logistic(scores: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let gap = |column: Tensor<2>| column.clone() - column.transpose();
    // 1 where the row is better than the column; each pair counts once.
    let is_better = gap(targets).greater_elem(0.0).float();
    let pairs = is_better.clone().sum().clamp_min(1.0);
    // softplus(-x), without overflow.
    let wrong = gap(scores).neg();
    let loss = wrong.clone().clamp_min(0.0) + (wrong.abs().neg().exp() + 1.0).log();
    (loss * is_better).sum() / pairs
}

/// Token cross entropy, mean over rows: log probabilities and one-hot targets, both `[rows, vocabulary]`.
pub(crate) fn negative_log_likelihood(log_probs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let rows = log_probs.dims()[0];
    (log_probs * targets).sum().mul_scalar(-1.0 / rows as f64)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::ops::floats;

    fn loss(scores: &[f32], targets: &[f32]) -> f32 {
        let column = |values: &[f32]| Tensor::<1>::from_floats(values, &Device::flex()).unsqueeze_dim(1);
        floats(pairwise_logistic(column(scores), column(targets)))[0]
    }

    #[test]
    fn pairs_are_judged_by_their_order_and_ties_not_at_all() {
        let wrongness = |gap: f64| (1.0 + (-gap).exp()).ln();
        // Two targets are equal: two pairs count, 3 against 1 and 3 against the other 1.
        let expected = (wrongness(2.0 - 0.5) + wrongness(2.0 - (-1.0))) / 2.0;
        assert!((f64::from(loss(&[0.5, 2.0, -1.0], &[1.0, 3.0, 1.0])) - expected).abs() < 1e-6);
        assert_eq!(loss(&[0.5, 2.0], &[1.0, 1.0]), 0.0);
        assert_eq!(loss(&[0.5], &[1.0]), 0.0);
        // Far apart the wrong way round: linear, and finite.
        assert!((loss(&[-500.0, 500.0], &[1.0, 0.0]) - 1000.0).abs() < 1e-3);
        assert!(loss(&[500.0, -500.0], &[1.0, 0.0]) < 1e-6);
    }
}
