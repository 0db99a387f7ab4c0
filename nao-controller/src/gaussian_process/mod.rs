//! An exact Gaussian process over architectures: the predictor of the preset `structure`.
//!
//! A handful of kernels with random hyper-parameters is weighed by evidence, the marginal likelihood; the best few
//! are kept and averaged, so that nothing needs to be tuned by hand and no single choice decides. Several forms of
//! kernel compete in the same way. Points may carry a score, such as that of a cheap label: then a prior mean over it
//! competes too, and is estimated exactly.

mod bound;
mod exp;
mod kernel;
mod mean;
mod points;
mod posterior;

use rand_chacha::ChaCha8Rng;

use self::posterior::{Moments, Posterior, dot};
use crate::error::ControllerError;

pub use bound::{BoundAt, StructureBound};
pub use kernel::{Kernel, KernelForm};
pub use mean::PriorMean;
pub use points::{Distances, Points, View};
pub use posterior::Prediction;

/// How hyper-parameters are found.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceSearch {
    /// The forms that compete, with the number of random draws of each.
    pub draws: Vec<(KernelForm, usize)>,
    /// How many kernels are kept and averaged.
    pub keep: usize,
    /// How often the kept ones are jittered, two jitters each.
    pub refinements: usize,
}

/// Kernels with less weight than this in the average are left out of predictions.
const NEGLIGIBLE: f64 = 0.02;
/// The smallest variance that is told, so that gradients of deviations stay finite.
const LEAST_VARIANCE: f64 = 1e-9;

/// A Gaussian process that has seen observations: an average over kernels, each with its exact posterior.
#[derive(Clone, Debug)]
pub struct GaussianProcess {
    points: Points,
    /// With their weights, which sum to 1, the best first.
    members: Vec<(f64, Posterior)>,
    /// All kernels kept, the best first: where the next search of the evidence may begin.
    kernels: Vec<Kernel>,
    views: Vec<View>,
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
        check(&points, targets)?;
        let views = views(search, previous);
        let distances = points.distances(&points, &views);
        let weigh = |kernel: Kernel| Posterior::new(kernel, &distances, targets);
        let mut found: Vec<Posterior> = Vec::new();
        for &(form, draws) in &search.draws {
            found.extend((0..draws).filter_map(|_| weigh(Kernel::draw(form, rng))));
        }
        for kernel in previous {
            found.extend(weigh(kernel.jittered(rng)));
            found.extend(weigh(kernel.clone()));
        }
        keep_best(&mut found, search.keep);
        for _ in 0..search.refinements {
            let nearby: Vec<Kernel> = found
                .iter()
                .flat_map(|posterior| [posterior.kernel.jittered(rng), posterior.kernel.jittered(rng)])
                .collect();
            found.extend(nearby.into_iter().filter_map(weigh));
            keep_best(&mut found, search.keep);
        }
        GaussianProcess::average(points, found, views)
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
        GaussianProcess::average(points, found, views)
    }

    fn average(points: Points, found: Vec<Posterior>, views: Vec<View>) -> Result<Self, ControllerError> {
        let Some(best) = found.first().map(|posterior| posterior.log_evidence) else {
            return Err(ControllerError::NotFinite { what: "the kernel matrix" });
        };
        let kernels = found.iter().map(|posterior| posterior.kernel.clone()).collect();
        let weights: Vec<f64> = found.iter().map(|posterior| (posterior.log_evidence - best).exp()).collect();
        let all: f64 = weights.iter().sum();
        let mut members: Vec<(f64, Posterior)> = weights.into_iter().zip(found).collect();
        members.retain(|(weight, _)| *weight >= NEGLIGIBLE * all);
        let kept: f64 = members.iter().map(|(weight, _)| weight).sum();
        members.iter_mut().for_each(|(weight, _)| *weight /= kept);
        Ok(GaussianProcess { points, members, kernels, views })
    }

    /// The kernels of the average, the best first.
    pub fn kernels(&self) -> &[Kernel] {
        &self.kernels
    }

    /// The variance of the noise on observations, averaged over kernels.
    pub fn noise(&self) -> f64 {
        self.members.iter().map(|(weight, member)| weight * member.kernel.noise).sum()
    }

    /// The prior mean, averaged over kernels; zeros where points have no scores, or these are worth nothing.
    pub fn prior_mean(&self) -> PriorMean {
        let mut mean = PriorMean::default();
        for (weight, member) in &self.members {
            let PriorMean { intercept, slope } = member.prior_mean();
            mean.intercept += weight * intercept;
            mean.slope += weight * slope;
        }
        mean
    }

    /// Number of observations.
    pub fn observations(&self) -> usize {
        self.points.len()
    }

    /// The logarithm of the marginal likelihood of the best kernel.
    pub fn log_evidence(&self) -> f64 {
        let constant = 0.5 * self.points.len() as f64 * std::f64::consts::TAU.ln();
        self.members[0].1.log_evidence - constant
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
            self.members.iter().map(|(_, posterior)| posterior.predict(distances)).collect();
        let of = |point: usize| {
            let mut moments = Moments::default();
            for ((weight, _), member) in self.members.iter().zip(&members) {
                let Moments { mean, variance } = member[point];
                moments.mean += weight * mean;
                moments.variance += weight * (variance + mean * mean);
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
        let Some((_, best)) = self.members.first() else { return Vec::new() };
        let distances = self.distances(points);
        let [kernel, explained] = best.explained(&distances);
        let doubts = best.doubts(&distances, &kernel);
        let prior = best.kernel.between(&points.distances(points, &self.views));
        let n = points.len();
        let mut covariance: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let (prior, own) = (prior.col_as_slice(i), explained.col_as_slice(i));
                let known = |j: usize| prior[j] - dot(own, explained.col_as_slice(j));
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
        return Err(ControllerError::Pairs { sentences: points.len(), targets: targets.len() });
    }
    let mut scores = points.scores().unwrap_or_default().iter();
    if let Some(index) = scores.position(|score| !score.is_finite()) {
        return Err(ControllerError::CheapLabel { index, value: points.scores().unwrap_or_default()[index] });
    }
    match targets.iter().position(|target| !target.is_finite()) {
        Some(index) => Err(ControllerError::Target { index, value: targets[index] as f32 }),
        None => Ok(()),
    }
}

fn views(search: &EvidenceSearch, previous: &[Kernel]) -> Vec<View> {
    let forms = search.draws.iter().map(|&(form, _)| form).chain(previous.iter().map(|kernel| kernel.form));
    let needed: Vec<View> = forms.flat_map(|form| form.views().iter().copied()).collect();
    View::ALL.into_iter().filter(|view| needed.contains(view)).collect()
}

/// The kernels of the highest evidence, the best first; of equals the earlier.
fn keep_best(found: &mut Vec<Posterior>, keep: usize) {
    found.sort_by(|a, b| b.log_evidence.total_cmp(&a.log_evidence));
    found.truncate(keep);
}

#[cfg(test)]
mod tests;
