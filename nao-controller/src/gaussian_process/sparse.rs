//! The sparse posterior of many observations, which rests on some of them, the basis (subset of regressors with the
//! deterministic training conditional; Quiñonero-Candela and Rasmussen 2005, Seeger et al. 2003).
//!
//! All observations are learned from, but only through the kernel between them and the basis: with
//! `V = L^-1 K(basis, observations)`, L the Cholesky factor of the kernel of the basis, the kernel between observations
//! is taken to be `V' V`. Where the basis is all observations, this is the exact posterior. Memory goes with the square of
//! the basis, time with that times the observations.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::solvers::Llt;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Accum, Mat, Par, Side};

use super::basis::Sparse;
use super::kernel::Kernel;
use super::linalg::dot;
use super::mean::EstimatedMean;
use super::points::Distances;
use super::posterior::Posterior;

/// Above so many observations the posterior is sparse.
pub const EXACT: usize = 2_000;
/// The observations on which a sparse posterior rests.
pub const BASIS: usize = 1_500;

/// A sparse posterior in the making: it sees the observations in portions.
pub(super) struct Projection {
    kernel: Kernel,
    log_evidence: f64,
    factor: Llt<f64>,
    jitter: f64,
    /// The lower triangle of `V V'`.
    gram: Mat<f64>,
    /// V times the targets, ones and scores.
    projected: Mat<f64>,
    /// The products of targets, ones and scores among themselves.
    products: [[f64; 3]; 3],
    has_scores: bool,
}

impl Projection {
    /// Of a kernel, whose evidence is taken over; `basis` are the distances of the basis from itself.
    pub fn new(kernel: Kernel, log_evidence: f64, basis: &Distances) -> Option<Self> {
        let (factor, jitter) = Sparse::basis_factor(&kernel, basis)?;
        let n = basis.rows();
        Some(Projection {
            kernel,
            log_evidence,
            factor,
            jitter,
            gram: Mat::zeros(n, n),
            projected: Mat::zeros(n, 3),
            products: [[0.0; 3]; 3],
            has_scores: false,
        })
    }

    /// Sees some observations; `distances` lead from the basis to them.
    pub fn see(&mut self, distances: &Distances, targets: &[f64]) {
        let mut columns = self.kernel.between(distances);
        solve_lower_triangular_in_place(self.factor.L(), columns.as_mut(), Par::Seq);
        triangular::matmul(
            &mut self.gram,
            BlockStructure::TriangularLower,
            Accum::Add,
            &columns,
            BlockStructure::Rectangular,
            columns.transpose(),
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        self.has_scores = distances.scores().is_some();
        let nothing = vec![0.0; targets.len()];
        let ones = vec![1.0; targets.len()];
        let seen: [&[f64]; 3] = [targets, &ones, distances.scores().unwrap_or(&nothing)];
        let right = Mat::from_fn(targets.len(), 3, |row, column| seen[column][row]);
        matmul(&mut self.projected, Accum::Add, &columns, &right, 1.0, Par::Seq);
        for (products, a) in self.products.iter_mut().zip(seen) {
            products.iter_mut().zip(seen).for_each(|(product, b)| *product += dot(a, b));
        }
    }

    /// The posterior given all that was seen; `None` where it is numerically impossible.
    pub fn posterior(self) -> Option<Posterior> {
        let Projection { kernel, log_evidence, factor, jitter, mut gram, mut projected, products, .. } = self;
        let noise = kernel.noise;
        let n = gram.nrows();
        for column in 0..n {
            gram.col_as_slice_mut(column)[column..].iter_mut().for_each(|value| *value /= noise);
            gram[(column, column)] += 1.0;
        }
        let left = gram.llt(Side::Lower).ok()?;
        drop(gram);
        let left = left.L().to_owned();
        solve_lower_triangular_in_place(left.as_ref(), projected.as_mut(), Par::Seq);
        // x' (V' V + noise)^-1 y of targets, ones and scores, by the inversion lemma.
        let solved = |a: usize, b: usize| {
            let known = dot(projected.col_as_slice(a), projected.col_as_slice(b)) / noise;
            (products[a][b] - known) / noise
        };
        let moments = [solved(1, 1) + 1.0, solved(1, 2), solved(2, 2) + 1.0];
        let right = [solved(1, 0), solved(2, 0)];
        let mut weights = &projected * (1.0 / noise);
        solve_upper_triangular_in_place(left.transpose(), weights.as_mut(), Par::Seq);
        solve_upper_triangular_in_place(factor.L().transpose(), weights.as_mut(), Par::Seq);
        let [targets, ones, scores] = [0, 1, 2].map(|column| weights.col_as_slice(column).to_vec());
        let mean = if self.has_scores { EstimatedMean::of([ones, scores], moments, right) } else { None };
        let weights = mean.as_ref().map_or(targets.clone(), |mean| mean.residual(&targets));
        let finite = weights.iter().all(|weight| weight.is_finite());
        let sparse = Some(Sparse { factor: left, jitter });
        finite.then_some(Posterior { kernel, factor, sparse, mean, weights, log_evidence })
    }
}
