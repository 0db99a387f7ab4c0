//! Batch normalisation whose running statistics are plain state: a training pass reports the statistics of
//! its batch, and the caller applies them after the step. Nothing is updated behind a shared reference, so
//! results cannot depend on threads.

use std::collections::HashMap;

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, Tensor};
use nao_kernels::nn::{Parameter, map_values};
use nao_kernels::{batch_norm, scale_and_shift};

/// Added to variances (docs/specification.md, a.4).
pub const EPSILON: f64 = 1e-5;

/// Weight of the new value in running statistics (docs/specification.md, a.4).
pub const MOMENTUM: f32 = 0.1;

/// Normalisation over batch and space, with scale and shift.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// Scale, `[channels]`, starts at 1.
    pub gamma: Param<Tensor<1>>,
    /// Shift, `[channels]`, starts at 0.
    pub beta: Param<Tensor<1>>,
    /// Running mean, `[channels]`; not trained.
    pub running_mean: Param<Tensor<1>>,
    /// Running unbiased variance, `[channels]`; not trained.
    pub running_var: Param<Tensor<1>>,
}

/// What one batch says about the statistics of one norm.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    mean_id: ParamId,
    variance_id: ParamId,
    mean: Tensor<1>,
    /// Unbiased: divided by the number of values less one.
    variance: Tensor<1>,
}

impl BatchNorm {
    /// Scale 1, shift 0, running mean 0 and variance 1.
    pub fn new(channels: usize, device: &Device) -> Self {
        let statistic = |value: Tensor<1>| Param::from_tensor(value).set_require_grad(false);
        BatchNorm {
            gamma: Param::from_tensor(Tensor::ones([channels], device)),
            beta: Param::from_tensor(Tensor::zeros([channels], device)),
            running_mean: statistic(Tensor::zeros([channels], device)),
            running_var: statistic(Tensor::ones([channels], device)),
        }
    }

    /// Normalises by the statistics of the batch, and reports them.
    ///
    /// `x`: `[batch, channels, height, width]`.
    pub fn forward_train(&self, x: Tensor<4>) -> (Tensor<4>, BatchStatistics) {
        let [batch, _, height, width] = x.dims();
        let values = batch * height * width;
        let result = batch_norm(x, self.gamma.val(), self.beta.val(), EPSILON);
        // A single value has no unbiased variance; its biased one is 0, and 0 it stays.
        let unbiased = values as f32 / values.saturating_sub(1).max(1) as f32;
        let statistics = BatchStatistics {
            mean_id: self.running_mean.id,
            variance_id: self.running_var.id,
            mean: result.mean,
            variance: result.variance * unbiased,
        };
        (result.output, statistics)
    }

    /// Normalises by the running statistics.
    pub fn forward_eval(&self, x: Tensor<4>) -> Tensor<4> {
        let deviation = self.running_var.val().add_scalar(EPSILON).sqrt();
        let scale = self.gamma.val() / deviation;
        let shift = self.beta.val() - self.running_mean.val() * scale.clone();
        scale_and_shift(x, scale, shift)
    }
}

/// Moves the running statistics of every norm in `module` a step of [`MOMENTUM`] towards those of a batch: a step for
/// each time that the norm ran, in order.
pub fn apply_statistics<M: Module>(module: M, statistics: Vec<BatchStatistics>) -> M {
    let mut batch: HashMap<ParamId, Vec<Tensor<1>>> = HashMap::new();
    for BatchStatistics { mean_id, variance_id, mean, variance } in statistics {
        batch.entry(mean_id).or_default().push(mean);
        batch.entry(variance_id).or_default().push(variance);
    }
    map_values(module, |Parameter { id, value, .. }| {
        let step = |running: Tensor<1>, new: Tensor<1>| {
            running * (1.0 - MOMENTUM) + new.without_autodiff() * MOMENTUM
        };
        Some(batch.remove(id)?.into_iter().fold(value.clone(), step))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_statistics_move_a_tenth_towards_the_unbiased_batch() {
        let device = Device::flex().autodiff();
        let norm = BatchNorm::new(1, &device);
        let x = Tensor::<4>::from_data([[[[1.0]]], [[[3.0]]]], &device);
        let (y, statistics) = norm.forward_train(x);
        let norm = apply_statistics(norm, vec![statistics]);
        let y = y.into_data().try_to_vec::<f32>().unwrap();
        assert!((y[0] + 1.0).abs() < 1e-4 && (y[1] - 1.0).abs() < 1e-4, "{y:?}");
        let mean = norm.running_mean.val().into_scalar::<f32>();
        let variance = norm.running_var.val().into_scalar::<f32>();
        assert!((mean - 0.2).abs() < 1e-6, "{mean}");
        // The unbiased variance of 1 and 3 is 2.
        assert!((variance - 1.1).abs() < 1e-6, "{variance}");
        assert!(norm.gamma.val().is_require_grad() && !norm.running_mean.val().is_require_grad());
    }
}
