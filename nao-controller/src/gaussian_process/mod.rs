//! A Gaussian process over architectures: the predictor of the preset `structure`. Of up to [`EXACT`] observations it is
//! exact; of more it rests on [`BASIS`] of them, through which it learns from all.
//!
//! A handful of kernels with random hyper-parameters is weighed by evidence, the marginal likelihood; the best few
//! are kept and averaged, so that nothing needs to be tuned by hand and no single choice decides. Several forms of
//! kernel compete in the same way. Points may carry a score, such as that of a cheap label: then a prior mean over it
//! competes too, and is estimated exactly.

mod basis;
mod bound;
mod evidence;
mod exp;
mod kernel;
mod linalg;
mod mean;
mod points;
mod posterior;
mod sparse;
mod state;

use rand::seq::index;
use rand_chacha::ChaCha8Rng;

use self::linalg::dot;
use self::posterior::{Moments, Posterior};
use self::sparse::Projection;
use crate::error::ControllerError;

pub use bound::{BoundAt, StructureBound};
pub use evidence::EvidenceSearch;
pub use kernel::{Kernel, KernelForm};
pub use mean::PriorMean;
pub use points::{Distances, Points, View};
pub use posterior::Prediction;
pub use sparse::{BASIS, EXACT};
pub use state::ProcessState;
pub(crate) use state::packed;

/// Kernels with less weight than this in the average are left out of predictions.
const NEGLIGIBLE: f64 = 0.02;
/// The smallest variance that is told, so that gradients of deviations stay finite.
const LEAST_VARIANCE: f64 = 1e-9;

/// So many observations at a time a sparse posterior sees.
const PORTION: usize = 512;

/// A Gaussian process that has seen observations: an average over kernels, each with its posterior.
#[derive(Clone, Debug)]
pub struct GaussianProcess {
    /// The observations; of a sparse process its basis.
    points: Points,
    /// How many observations were learned from.
    observations: usize,
    /// Which of the observations the points are, ascending.
    basis: Vec<usize>,
    /// The targets of the points of an exact process.
    targets: Vec<f64>,
    /// The best first.
    members: Vec<Member>,
    /// All kernels kept, the best first: where the next search of the evidence may begin.
    kernels: Vec<Kernel>,
    views: Vec<View>,
}

/// A kernel's part of the average.
#[derive(Clone, Debug)]
struct Member {
    /// Its weight; those of all sum to 1.
    share: f64,
    posterior: Posterior,
}

impl GaussianProcess {
    /// Fits to targets of about mean 0 and variance 1, such as [`normal_scores`](crate::normal_scores). `previous`
    /// are the kernels of an earlier fit to much the same observations. Where points have scores, a prior mean over
    /// them is estimated with each kernel ([`PriorMean`]).
    ///
    /// # Errors
    /// When there are no observations, a target or score is not a finite number, or no kernel is numerically possible.
    pub fn fit(
        points: Points,
        targets: &[f64],
        search: &EvidenceSearch,
        previous: &[Kernel],
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, ControllerError> {
        if points.len() <= EXACT {
            return GaussianProcess::exact(points, targets, search, previous, rng);
        }
        let mut basis = index::sample(rng, points.len(), BASIS).into_vec();
        basis.sort_unstable();
        GaussianProcess::sparse(&points, targets, &basis, search, previous, rng)
    }

    fn exact(
        points: Points,
        targets: &[f64],
        search: &EvidenceSearch,
        previous: &[Kernel],
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, ControllerError> {
        check(&points, targets)?;
        let views = search.views(previous);
        let distances = points.distances(&points, &views);
        let found = search.best(previous, rng, |kernel| Posterior::new(kernel, &distances, targets));
        GaussianProcess::average(points, targets, found, views)
    }

    /// Fits to all observations through those of the basis, given by their numbers. Kernels are weighed by the evidence
    /// of the basis alone.
    ///
    /// # Errors
    /// As [`fit`](GaussianProcess::fit).
    pub fn sparse(
        points: &Points,
        targets: &[f64],
        basis: &[usize],
        search: &EvidenceSearch,
        previous: &[Kernel],
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, ControllerError> {
        check(points, targets)?;
        let chosen: Vec<f64> = basis.iter().map(|&point| targets[point]).collect();
        let process = GaussianProcess::exact(points.select(basis), &chosen, search, previous, rng)?;
        process.widened(points, targets, basis)
    }

    /// The process of these observations, whose basis are the points of this one, numbered as given.
    fn widened(self, points: &Points, targets: &[f64], basis: &[usize]) -> Result<Self, ControllerError> {
        let GaussianProcess { points: own, members, kernels, views, .. } = self;
        let within = own.distances(&own, &views);
        let begin = |Member { share, posterior }: Member| {
            Some((share, Projection::new(posterior.kernel, posterior.log_evidence, &within)?))
        };
        let mut projections: Vec<(f64, Projection)> = members.into_iter().filter_map(begin).collect();
        let places: Vec<usize> = (0..points.len()).collect();
        for portion in places.chunks(PORTION) {
            let distances = own.distances(&points.select(portion), &views);
            let targets = &targets[portion[0]..portion[0] + portion.len()];
            projections.iter_mut().for_each(|(_, projection)| projection.see(&distances, targets));
        }
        let end = |(share, projection): (f64, Projection)| {
            Some(Member { share, posterior: projection.posterior()? })
        };
        let mut members: Vec<Member> = projections.into_iter().filter_map(end).collect();
        if members.is_empty() {
            return Err(ControllerError::NotFinite { what: "the kernel matrix" });
        }
        let kept: f64 = members.iter().map(|member| member.share).sum();
        members.iter_mut().for_each(|member| member.share /= kept);
        let (observations, basis) = (points.len(), basis.to_vec());
        Ok(GaussianProcess { points: own, observations, basis, targets: Vec::new(), members, kernels, views })
    }

    /// The posterior with one kernel, given.
    ///
    /// # Errors
    /// As [`fit`](GaussianProcess::fit).
    pub fn with_kernel(points: Points, targets: &[f64], kernel: Kernel) -> Result<Self, ControllerError> {
        check(&points, targets)?;
        let views = kernel.form.views().to_vec();
        let distances = points.distances(&points, &views);
        let found = Posterior::new(kernel, &distances, targets).into_iter().collect();
        GaussianProcess::average(points, targets, found, views)
    }

    fn average(
        points: Points,
        targets: &[f64],
        found: Vec<Posterior>,
        views: Vec<View>,
    ) -> Result<Self, ControllerError> {
        let Some(best) = found.first().map(|posterior| posterior.log_evidence) else {
            return Err(ControllerError::NotFinite { what: "the kernel matrix" });
        };
        let kernels = found.iter().map(|posterior| posterior.kernel.clone()).collect();
        let weights: Vec<f64> = found.iter().map(|posterior| (posterior.log_evidence - best).exp()).collect();
        let all: f64 = weights.iter().sum();
        let member = |(share, posterior)| Member { share, posterior };
        let mut members: Vec<Member> = weights.into_iter().zip(found).map(member).collect();
        members.retain(|member| member.share >= NEGLIGIBLE * all);
        let kept: f64 = members.iter().map(|member| member.share).sum();
        members.iter_mut().for_each(|member| member.share /= kept);
        let (observations, targets) = (points.len(), targets.to_vec());
        let basis = (0..observations).collect();
        Ok(GaussianProcess { points, observations, basis, targets, members, kernels, views })
    }

    /// The kernels of the average, the best first.
    pub fn kernels(&self) -> &[Kernel] {
        &self.kernels
    }

    /// The variance of the noise on observations, averaged over kernels.
    pub fn noise(&self) -> f64 {
        self.members.iter().map(|member| member.share * member.posterior.kernel.noise).sum()
    }

    /// The prior mean, averaged over kernels; zeros where points have no scores, or these are worth nothing.
    pub fn prior_mean(&self) -> PriorMean {
        let mut mean = PriorMean::default();
        for Member { share, posterior } in &self.members {
            let PriorMean { intercept, slope } = posterior.prior_mean();
            mean.intercept += share * intercept;
            mean.slope += share * slope;
        }
        mean
    }

    /// Number of observations learned from.
    pub fn observations(&self) -> usize {
        self.observations
    }

    /// The observations on which it rests, by their numbers, ascending: all of them where it is exact.
    pub fn basis(&self) -> &[usize] {
        &self.basis
    }

    /// Its points: the observations, or the basis.
    pub(crate) fn points(&self) -> &Points {
        &self.points
    }

    /// Whether it rests on a part of the observations.
    pub fn is_sparse(&self) -> bool {
        self.members.iter().any(|member| member.posterior.sparse.is_some())
    }

    /// The logarithm of the marginal likelihood of the best kernel; of a sparse process that of its basis.
    pub fn log_evidence(&self) -> f64 {
        let constant = 0.5 * self.points.len() as f64 * std::f64::consts::TAU.ln();
        self.members[0].posterior.log_evidence - constant
    }

    /// Mean and deviation at points.
    ///
    /// # Panics
    /// When the process was fitted to points with scores and these have none.
    pub fn predict(&self, points: &Points) -> Vec<Prediction> {
        self.predict_at(&self.distances(points))
    }

    /// The distances that predictions at points need.
    pub(crate) fn distances(&self, points: &Points) -> Distances {
        self.points.distances(points, &self.views)
    }

    /// Mean and deviation at points with these distances from the observations.
    pub(crate) fn predict_at(&self, distances: &Distances) -> Vec<Prediction> {
        let members: Vec<Vec<Moments>> =
            self.members.iter().map(|member| member.posterior.predict(distances)).collect();
        let of = |point: usize| {
            let mut moments = Moments::default();
            for (Member { share, .. }, predicted) in self.members.iter().zip(&members) {
                let Moments { mean, variance } = predicted[point];
                moments.mean += share * mean;
                moments.variance += share * (variance + mean * mean);
            }
            let variance = (moments.variance - moments.mean * moments.mean).max(LEAST_VARIANCE);
            Prediction { mean: moments.mean, deviation: variance.sqrt() }
        };
        (0..distances.columns()).map(of).collect()
    }

    /// Picks up to `count` of the points one after another, each time the highest `mean + kappa * deviation`, where
    /// deviations shrink as if the points picked before had been observed. `allowed` may refuse a pick in the light
    /// of those before it, given by their numbers.
    pub fn pick_batch(
        &self,
        points: &Points,
        predictions: &[Prediction],
        count: usize,
        kappa: f64,
        mut allowed: impl FnMut(&[usize], usize) -> bool,
    ) -> Vec<usize> {
        let Some(Member { posterior: best, .. }) = self.members.first() else { return Vec::new() };
        let distances = self.distances(points);
        let explained = best.explained(&distances);
        let doubts = best.doubts(&distances, &explained.kernel);
        let prior = best.kernel.between(&points.distances(points, &self.views));
        let n = points.len();
        let mut covariance: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let prior = prior.col_as_slice(i);
                let known = |j: usize| prior[j] - explained.shared(i, j);
                match &doubts {
                    Some(doubts) => (0..n).map(|j| known(j) + dot(&doubts[i], &doubts[j])).collect(),
                    None => (0..n).map(known).collect(),
                }
            })
            .collect();
        // The best kernel's variances, corrected to those of the average.
        let correction: Vec<f64> =
            (0..n).map(|i| predictions[i].deviation.powi(2) / covariance[i][i].max(1e-6)).collect();
        let (mut picked, mut open): (Vec<usize>, Vec<bool>) = (Vec::new(), vec![true; n]);
        while picked.len() < count {
            let bound = |i: &usize| {
                let variance = (covariance[*i][*i] * correction[*i]).max(LEAST_VARIANCE);
                predictions[*i].mean + kappa * variance.sqrt()
            };
            // Of equals the first.
            let next =
                (0..n).filter(|&i| open[i]).reduce(|best, i| if bound(&i) > bound(&best) { i } else { best });
            let Some(next) = next else { break };
            open[next] = false;
            if !allowed(&picked, next) {
                continue;
            }
            picked.push(next);
            let scale = (covariance[next][next] + best.kernel.noise).max(1e-6).sqrt();
            let shared: Vec<f64> = covariance[next].iter().map(|value| value / scale).collect();
            for (row, own) in covariance.iter_mut().zip(&shared) {
                row.iter_mut().zip(&shared).for_each(|(value, other)| *value -= own * other);
            }
        }
        picked
    }
}

fn check(points: &Points, targets: &[f64]) -> Result<(), ControllerError> {
    if points.len() != targets.len() || points.is_empty() {
        return Err(ControllerError::Scores { archs: points.len(), scores: targets.len() });
    }
    let mut scores = points.scores().unwrap_or_default().iter();
    if let Some(index) = scores.position(|score| !score.is_finite()) {
        return Err(ControllerError::CheapLabel { index, value: points.scores().unwrap_or_default()[index] });
    }
    match targets.iter().position(|target| !target.is_finite()) {
        Some(index) => Err(ControllerError::Target { index, value: targets[index] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
