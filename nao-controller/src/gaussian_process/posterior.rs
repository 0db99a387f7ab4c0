//! The exact posterior of a Gaussian process with one kernel.

use faer::linalg::solvers::{DenseSolveCore, Llt, Solve};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Mat, Par, Side};

use super::kernel::Kernel;
use super::mean::{EstimatedMean, PriorMean};
use super::points::Distances;

/// A Gaussian process after it has seen its observations.
#[derive(Clone, Debug)]
pub(super) struct Posterior {
    pub kernel: Kernel,
    /// The Cholesky factor L of the kernel matrix with noise.
    factor: Llt<f64>,
    /// The prior mean, where the points have scores that are worth something.
    mean: Option<EstimatedMean>,
    /// K^-1 y, of targets less the prior mean.
    pub weights: Vec<f64>,
    /// The logarithm of the marginal likelihood, up to the constant -n/2 log(2 pi).
    pub log_evidence: f64,
}

/// Mean and deviation of the function, without the noise, at one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

impl Posterior {
    /// Conditions on `targets` at points with these distances between them; `None` where the kernel matrix is
    /// numerically not positive definite.
    pub fn new(kernel: Kernel, distances: &Distances, targets: &[f64]) -> Option<Self> {
        let factor = kernel.within(distances).llt(Side::Lower).ok()?;
        let column = Mat::from_fn(targets.len(), 1, |row, _| targets[row]);
        let weights = factor.solve(&column);
        let fit: f64 = targets.iter().zip(weights.col_as_slice(0)).map(|(y, weight)| y * weight).sum();
        let log_determinant: f64 = (0..targets.len()).map(|i| factor.L()[(i, i)].ln()).sum();
        let log_evidence = -0.5 * fit - log_determinant;
        let mut weights = weights.col_as_slice(0).to_vec();
        let mean = distances.scores().and_then(|scores| EstimatedMean::new(&factor, scores, &weights));
        let gain = mean.as_ref().map_or(0.0, |mean| mean.gain);
        if let Some(mean) = &mean {
            weights = mean.residual(&weights);
        }
        let log_evidence = log_evidence + gain;
        log_evidence.is_finite().then_some(Posterior { kernel, factor, mean, weights, log_evidence })
    }

    /// The prior mean; zeros where there is none.
    pub fn prior_mean(&self) -> PriorMean {
        self.mean.as_ref().map_or(PriorMean::default(), |mean| mean.coefficients)
    }

    /// What not knowing the prior mean adds at every point, `[2, points]`: see [`EstimatedMean::doubt`]. `None`
    /// where there is no mean.
    pub fn doubts(&self, distances: &Distances, kernel: &Mat<f64>) -> Option<Vec<[f64; 2]>> {
        let mean = self.mean.as_ref()?;
        let scores = scores_of(distances).iter().enumerate();
        Some(scores.map(|(point, &score)| mean.doubt(score, kernel.col_as_slice(point))).collect())
    }

    /// The kernel from observations to points, and L^-1 times it.
    pub fn explained(&self, distances: &Distances) -> [Mat<f64>; 2] {
        let kernel = self.kernel.between(distances);
        let mut explained = kernel.clone();
        solve_lower_triangular_in_place(self.factor.L(), explained.as_mut(), Par::Seq);
        [kernel, explained]
    }

    /// Means and variances at points; `distances` lead from the observations to them.
    pub fn predict(&self, distances: &Distances) -> Vec<Moments> {
        let [kernel, explained] = self.explained(distances);
        let signal = self.kernel.signal();
        let doubts = self.doubts(distances, &kernel);
        let of = |point: usize| {
            let mean = dot(&self.weights, kernel.col_as_slice(point));
            let column = explained.col_as_slice(point);
            let variance = signal - dot(column, column);
            match self.mean.as_ref().zip(doubts.as_ref()) {
                Some((prior, doubts)) => Moments {
                    mean: mean + prior.at(scores_of(distances)[point]),
                    variance: (variance + dot(&doubts[point], &doubts[point])).max(0.0),
                },
                None => Moments { mean, variance: variance.max(0.0) },
            }
        };
        (0..distances.columns()).map(of).collect()
    }

    /// K^-1.
    pub fn inverse(&self) -> Mat<f64> {
        self.factor.inverse()
    }
}

/// The scores of points that are asked for, where the observations have some.
fn scores_of(distances: &Distances) -> &[f64] {
    distances.scores().expect("points asked of a process with scores have scores")
}

/// Mean and variance of the function at one point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    pub mean: f64,
    pub variance: f64,
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Eight sums, which the compiler keeps in vectors.
    let mut sums = [0.0; 8];
    let (chunks_a, chunks_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = chunks_a.remainder().iter().zip(chunks_b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in chunks_a.zip(chunks_b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}
