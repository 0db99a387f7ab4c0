//! The posterior of a Gaussian process with one kernel: exact, or resting on some of the observations
//! ([`sparse`](super::sparse)).

use faer::linalg::solvers::{DenseSolveCore, Llt, Solve};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Mat, Par, Side};

use super::basis::Sparse;
use super::kernel::Kernel;
use super::linalg::dot;
use super::mean::{EstimatedMean, PriorMean};
use super::points::Distances;

/// A Gaussian process after it has seen its observations.
#[derive(Clone, Debug)]
pub(super) struct Posterior {
    pub kernel: Kernel,
    /// The Cholesky factor L of the kernel matrix between the points, with noise unless the posterior is sparse.
    pub factor: Llt<f64>,
    /// What a sparse posterior learned of all observations; `None` of an exact one, whose points they are.
    pub sparse: Option<Sparse>,
    /// The prior mean, where the points have scores that are worth something.
    pub mean: Option<EstimatedMean>,
    /// K^-1 y, of targets less the prior mean; of a sparse posterior what takes its place.
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

/// Some points as a posterior sees them.
pub(super) struct Explained {
    /// The kernel from the posterior's own points (rows).
    pub kernel: Mat<f64>,
    /// L^-1 times it.
    solved: Mat<f64>,
    /// Of a sparse posterior, the inverse of its second factor times that.
    left: Option<Mat<f64>>,
}

impl Explained {
    /// By how much the observations lower the covariance of two of the points.
    pub fn shared(&self, a: usize, b: usize) -> f64 {
        let known = dot(self.solved.col_as_slice(a), self.solved.col_as_slice(b));
        match &self.left {
            Some(left) => known - dot(left.col_as_slice(a), left.col_as_slice(b)),
            None => known,
        }
    }
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
        let sparse = None;
        log_evidence.is_finite().then_some(Posterior { kernel, factor, sparse, mean, weights, log_evidence })
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

    /// The points to which these distances lead.
    pub fn explained(&self, distances: &Distances) -> Explained {
        let kernel = self.kernel.between(distances);
        let mut solved = kernel.clone();
        solve_lower_triangular_in_place(self.factor.L(), solved.as_mut(), Par::Seq);
        let left = self.sparse.as_ref().map(|sparse| {
            let mut left = solved.clone();
            solve_lower_triangular_in_place(sparse.factor.as_ref(), left.as_mut(), Par::Seq);
            left
        });
        Explained { kernel, solved, left }
    }

    /// Means and variances at points; `distances` lead from the observations to them.
    pub fn predict(&self, distances: &Distances) -> Vec<Moments> {
        let explained = self.explained(distances);
        let signal = self.kernel.signal();
        let doubts = self.doubts(distances, &explained.kernel);
        let of = |point: usize| {
            let mean = dot(&self.weights, explained.kernel.col_as_slice(point));
            let variance = signal - explained.shared(point, point);
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

    /// K^-1; of a sparse posterior what takes its place: `k' M k` is by how much the variance is lowered.
    pub fn inverse(&self) -> Mat<f64> {
        let Some(sparse) = &self.sparse else { return self.factor.inverse() };
        let mut root = Mat::identity(self.weights.len(), self.weights.len());
        solve_lower_triangular_in_place(self.factor.L(), root.as_mut(), Par::Seq);
        let mut left = root.clone();
        solve_lower_triangular_in_place(sparse.factor.as_ref(), left.as_mut(), Par::Seq);
        root.transpose() * &root - left.transpose() * &left
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
