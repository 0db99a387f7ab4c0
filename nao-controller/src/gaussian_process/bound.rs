//! The bound `mean + kappa * deviation` as a function of structures, with its gradient.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};

use super::linalg::dot;
use super::points::{Points, View};
use super::{GaussianProcess, LEAST_VARIANCE, Member};

/// The bound of a Gaussian process whose kernels are of the form [`KernelForm::Structure`](super::KernelForm), ready
/// to be asked many times.
#[derive(Clone, Debug)]
pub struct StructureBound<'a> {
    process: &'a GaussianProcess,
    /// K^-1 of every member.
    inverses: Vec<Mat<f64>>,
}

/// The bound at one structure.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundAt {
    /// `mean + kappa * deviation`.
    pub value: f64,
    /// Its gradient with respect to the structure.
    pub slope: Vec<f64>,
}

/// Sums over members at one structure.
#[derive(Clone, Copy, Default)]
struct Sums {
    mean: f64,
    second_moment: f64,
}

impl<'a> StructureBound<'a> {
    /// The bound of a process.
    ///
    /// # Panics
    /// When a kernel looks at more than the structure, or the points have scores.
    pub fn of(process: &'a GaussianProcess) -> Self {
        assert!(process.points.scores().is_none(), "the bound is one of structures");
        let inverse = |posterior: &super::Posterior| {
            assert_eq!(posterior.kernel.form.views(), [View::Structure], "the bound is one of structures");
            posterior.inverse()
        };
        StructureBound {
            process,
            inverses: process.members.iter().map(|member| inverse(&member.posterior)).collect(),
        }
    }

    /// The bound at structures of equal length.
    pub fn at(&self, structures: &[impl AsRef<[f64]>], kappa: f64) -> Vec<BoundAt> {
        let points = Points::of_structure(structures);
        let distances = self.process.distances(&points);
        let (n, columns) = (self.process.points.len(), points.len());
        let mut sums = vec![Sums::default(); columns];
        // What every observation's difference x - x_i contributes to the slopes of the mean and of the second moment.
        let mut to_mean = Mat::<f64>::zeros(n, columns);
        let mut to_second = Mat::<f64>::zeros(n, columns);
        for (Member { share, posterior: member }, inverse) in self.process.members.iter().zip(&self.inverses)
        {
            let kernel = member.kernel.between(&distances);
            let mut solved = Mat::zeros(n, columns);
            matmul(&mut solved, Accum::Replace, inverse, &kernel, 1.0, Par::Seq);
            // d k_i / d x = -2 / scale * k_i * (x - x_i).
            let by = -2.0 / member.kernel.scales[0][0];
            for (column, sums) in sums.iter_mut().enumerate() {
                let (kernel, solved) = (kernel.col_as_slice(column), solved.col_as_slice(column));
                let mean = dot(&member.weights, kernel);
                let variance = (member.kernel.signal() - dot(kernel, solved)).max(0.0);
                sums.mean += share * mean;
                sums.second_moment += share * (variance + mean * mean);
                let (to_mean, to_second) =
                    (to_mean.col_as_slice_mut(column), to_second.col_as_slice_mut(column));
                for i in 0..n {
                    let change = share * by * kernel[i];
                    to_mean[i] += change * member.weights[i];
                    to_second[i] += 2.0 * change * (mean * member.weights[i] - solved[i]);
                }
            }
        }
        let bound = |sums: &Sums| {
            let variance = (sums.second_moment - sums.mean * sums.mean).max(LEAST_VARIANCE);
            (sums.mean, variance.sqrt())
        };
        // d deviation = (d second moment - 2 mean d mean) / (2 deviation).
        for (column, sums) in sums.iter().enumerate() {
            let (mean, deviation) = bound(sums);
            let (to_mean, to_second) = (to_mean.col_as_slice_mut(column), to_second.col_as_slice(column));
            for (own, second) in to_mean.iter_mut().zip(to_second) {
                *own += kappa * (second - 2.0 * mean * *own) / (2.0 * deviation);
            }
        }
        let mut pulls = Mat::zeros(points.width(), columns);
        matmul(&mut pulls, Accum::Replace, self.process.points.structures(), &to_mean, 1.0, Par::Seq);
        let of = |(column, sums): (usize, &Sums)| {
            let (mean, deviation) = bound(sums);
            let total: f64 = to_mean.col_as_slice(column).iter().sum();
            let pairs = structures[column].as_ref().iter().zip(pulls.col_as_slice(column));
            let slope = pairs.map(|(x, pull)| x * total - pull).collect();
            BoundAt { value: mean + kappa * deviation, slope }
        };
        sums.iter().enumerate().map(of).collect()
    }
}
