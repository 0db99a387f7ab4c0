//! A prior mean `a + b z` over one score z per point, such as that of a cheap label.
//!
//! Both coefficients have a normal prior of mean 0 and variance 1, the variance of targets and of z, and are
//! integrated out: generalised least squares with the kernel as covariance (Rasmussen and Williams 2006, section 2.7).
//! The mean takes part where b is above 0 and the marginal likelihood is higher than without it; otherwise the
//! posterior is, bit for bit, the one without.

use faer::Mat;
use faer::linalg::solvers::{Llt, Solve};
use serde::{Deserialize, Serialize};

use super::linalg::dot;

/// The coefficients of the prior mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PriorMean {
    /// a.
    pub intercept: f64,
    /// b: how much one unit of the score is worth, never below 0; 0 is the model without the score.
    pub slope: f64,
}

/// The prior mean of one kernel, estimated.
#[derive(Clone, Debug)]
pub(super) struct EstimatedMean {
    pub coefficients: PriorMean,
    /// K^-1 1 and K^-1 z; of a sparse posterior what takes their place, one number per point of its basis.
    pub solved: [Vec<f64>; 2],
    /// The lower Cholesky factor of `H' K^-1 H + 1`, H being the columns 1 and z: rows (0, 0), (1, 0), (1, 1).
    pub factor: [f64; 3],
    /// By how much the logarithm of the marginal likelihood is higher than without a mean.
    pub gain: f64,
}

impl EstimatedMean {
    /// The mean of targets y at points with these scores, from the factor of K and from `K^-1 y`. `None` where the
    /// score is worth nothing.
    pub fn new(factor: &Llt<f64>, scores: &[f64], weights: &[f64]) -> Option<Self> {
        let columns = Mat::from_fn(scores.len(), 2, |row, column| [1.0, scores[row]][column]);
        let solved = factor.solve(&columns);
        let solved = [0, 1].map(|column| solved.col_as_slice(column).to_vec());
        let sum = |of: &[f64]| of.iter().sum::<f64>();
        let gram = [sum(&solved[0]) + 1.0, dot(scores, &solved[0]), dot(scores, &solved[1]) + 1.0];
        EstimatedMean::of(solved, gram, [sum(weights), dot(scores, weights)])
    }

    /// The mean by `K^-1 H`, the elements (0, 0), (1, 0) and (1, 1) of `H' K^-1 H + 1`, and `H' K^-1 y`. `None` where the
    /// score is worth nothing.
    pub fn of(solved: [Vec<f64>; 2], gram: [f64; 3], right: [f64; 2]) -> Option<Self> {
        let first = gram[0].sqrt();
        let across = gram[1] / first;
        let factor = [first, across, (gram[2] - across * across).sqrt()];
        // The coefficients are (H' K^-1 H + 1)^-1 H' K^-1 y.
        let half = forward(factor, right);
        let slope = half[1] / factor[2];
        let intercept = (half[0] - factor[1] * slope) / factor[0];
        let gain = 0.5 * dot(&half, &half) - factor[0].ln() - factor[2].ln();
        let coefficients = PriorMean { intercept, slope };
        (slope > 0.0 && gain > 0.0).then_some(EstimatedMean { coefficients, solved, factor, gain })
    }

    /// `K^-1 (y - H (a, b))` from `K^-1 y`.
    pub fn residual(&self, weights: &[f64]) -> Vec<f64> {
        let PriorMean { intercept, slope } = self.coefficients;
        let pairs = self.solved[0].iter().zip(&self.solved[1]);
        weights.iter().zip(pairs).map(|(weight, (one, z))| weight - intercept * one - slope * z).collect()
    }

    /// The prior mean at a point with this score.
    pub fn at(&self, score: f64) -> f64 {
        self.coefficients.intercept + self.coefficients.slope * score
    }

    /// What not knowing the coefficients adds at a point, to which the kernel leads from the observations: the
    /// covariance of two points rises by the product of these, the variance of one by its square.
    pub fn doubt(&self, score: f64, kernel: &[f64]) -> [f64; 2] {
        let [ones, scores] = &self.solved;
        forward(self.factor, [1.0 - dot(ones, kernel), score - dot(scores, kernel)])
    }
}

/// Solves `L x = y`.
fn forward([first, across, second]: [f64; 3], y: [f64; 2]) -> [f64; 2] {
    let x = y[0] / first;
    [x, (y[1] - across * x) / second]
}
