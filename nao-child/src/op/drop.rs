//! Dropout of features and of whole branches, with masks drawn from a passed generator.

use burn::tensor::{Tensor, TensorData};
use nao_kernels::branch_sum;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Keeps each value with probability `keep` and divides it by `keep`, else zero. `keep` of 1 changes
/// nothing and draws nothing.
pub fn dropout(x: Tensor<4>, keep: f64, rng: &mut ChaCha8Rng) -> Tensor<4> {
    if keep >= 1.0 {
        return x;
    }
    let mask = mask(x.dims(), keep, rng);
    let mask = Tensor::from_data(mask, &x.device());
    x * mask
}

/// The sum of two branches under drop-path: each *example* of each branch is kept with probability `keep` and divided by
/// it, else zero (docs/specification.md, e.1). `keep` of 1 drops nothing and draws nothing.
///
/// `x`, `y`: `[batch, channels, height, width]`.
pub fn drop_path_sum(x: Tensor<4>, y: Tensor<4>, keep: f64, rng: &mut ChaCha8Rng) -> Tensor<4> {
    if keep >= 1.0 {
        return branch_sum(x, y, None);
    }
    let scale = (1.0 / keep) as f32;
    let batch = x.dims()[0];
    let mut draw =
        || -> Vec<f32> { (0..batch).map(|_| if rng.random_bool(keep) { scale } else { 0.0 }).collect() };
    let (first, second) = (draw(), draw());
    branch_sum(x, y, Some(first.into_iter().zip(second).map(|(first, second)| [first, second]).collect()))
}

fn mask(shape: [usize; 4], keep: f64, rng: &mut ChaCha8Rng) -> TensorData {
    let scale = (1.0 / keep) as f32;
    let values = (0..shape.iter().product()).map(|_| if rng.random_bool(keep) { scale } else { 0.0 });
    TensorData::new(values.collect(), shape)
}

/// The keep probability of branches over the course of a training (docs/specification.md, e.1): falls linearly with the
/// depth of the cell and with the step, to the set value in the last cell at the last step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropPathSchedule {
    /// The set value: 1 switches drop-path off.
    pub keep: f64,
    /// Steps of the whole training.
    pub total_steps: usize,
}

impl DropPathSchedule {
    /// The keep probability in cell `cell` of `cells` at step `step`, both counted from 0.
    pub fn keep_at(&self, cell: usize, cells: usize, step: usize) -> f64 {
        let depth = (cell + 1) as f64 / cells as f64;
        let time = ((step + 1) as f64 / self.total_steps as f64).min(1.0);
        1.0 - time * depth * (1.0 - self.keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use nao_space::seed::rng_for;

    #[test]
    fn drop_path_keeps_the_mean_and_acts_per_example_and_branch() {
        let (examples, keep) = (10_000, 0.5);
        let ones = Tensor::ones([examples, 2, 1, 3], &Device::flex());
        // A dropped branch of ones and one of tens show apart in their sum.
        let sum = drop_path_sum(ones.clone(), ones * 10.0f32, keep, &mut rng_for(3, "drop", 0));
        let values = sum.into_data().try_to_vec::<f32>().unwrap();
        let mut sums = [0.0; 2];
        for example in values.chunks_exact(6) {
            assert!(example.iter().all(|&v| v == example[0]), "one example was dropped in part: {example:?}");
            assert!([0.0, 2.0, 20.0, 22.0].contains(&example[0]), "{example:?}");
            sums[0] += f64::from(example[0] % 20.0);
            sums[1] += f64::from(example[0] - example[0] % 20.0) / 10.0;
        }
        let sigma = ((1.0 - keep) / keep / examples as f64).sqrt();
        for sum in sums {
            let mean = sum / examples as f64;
            assert!((mean - 1.0).abs() < 3.0 * sigma, "mean {mean}, sigma {sigma}");
        }
    }

    #[test]
    fn a_keep_of_one_is_the_exact_sum_and_draws_nothing() {
        let mut rng = rng_for(3, "drop", 1);
        let x = Tensor::ones([2, 2, 2, 2], &Device::flex()) * 0.1f32;
        let sum = drop_path_sum(x.clone(), x.clone(), 1.0, &mut rng);
        sum.into_data().assert_eq(&(x.clone() + x.clone()).into_data(), true);
        dropout(x.clone(), 1.0, &mut rng).into_data().assert_eq(&x.into_data(), true);
        assert_eq!(rng.random::<u64>(), rng_for(3, "drop", 1).random::<u64>());
    }

    #[test]
    fn the_schedule_starts_at_one_and_ends_at_the_set_value() {
        let schedule = DropPathSchedule { keep: 0.7, total_steps: 10_000 };
        assert!(schedule.keep_at(0, 11, 0) > 0.99999);
        assert!((schedule.keep_at(10, 11, 9_999) - 0.7).abs() < 1e-12);
        assert!((schedule.keep_at(0, 11, 9_999) - (1.0 - 0.3 / 11.0)).abs() < 1e-12);
        assert!((schedule.keep_at(10, 11, 4_999) - 0.85).abs() < 1e-12);
    }
}
