//! The predictor by itself: scores of architectures learned from measured ones, without a search.

use nao_space::Graphs;
use nao_space::features::{FeatureMap, Features};
use nao_space::seed::rng_for;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::config::{PretrainingConfig, StructureConfig};
use crate::error::ControllerError;
use crate::gaussian_process::{EvidenceSearch, GaussianProcess, Kernel, KernelForm, Points, Prediction};
use crate::targets::{RankScale, normal_scores};

impl StructureConfig {
    /// The kernels that compete for observations with these features.
    pub(crate) fn evidence_search(&self, features: Option<&Features>) -> EvidenceSearch {
        let draws = match features.is_some_and(|features| !features.structure.is_empty()) {
            true => {
                vec![(KernelForm::StructureAndFine, self.draws), (KernelForm::Choices, self.rival_draws)]
            }
            false => vec![(KernelForm::Choices, self.draws)],
        };
        EvidenceSearch { draws, keep: self.keep, refinements: self.refinements }
    }
}

impl PretrainingConfig {
    /// How the features of a space vary, by its samples: the part of pre-training that needs no networks.
    pub fn feature_map<S: Graphs>(&self, space: &S) -> FeatureMap {
        FeatureMap::learn(space, self.feature_samples, &mut rng_for(self.seed, "feature map", 0))
    }
}

/// A Gaussian process over the structural features of measured architectures: exact up to
/// [`EXACT`](crate::gaussian_process::EXACT) of them, above that resting on
/// [`BASIS`](crate::gaussian_process::BASIS), drawn by the generator of the fit.
///
/// ```
/// use nao_controller::{Labels, StructureConfig, StructurePredictor};
/// use nao_space::seed::rng_for;
/// use nao_space::{Graphs, EdgeOp, NasBench201Space, Space};
///
/// let space = NasBench201Space::default();
/// let config = StructureConfig::default();
/// let map = config.pretraining.feature_map(&space);
/// let mut rng = rng_for(1, "example", 0);
/// let archs: Vec<_> = (0..40).map(|_| space.sample(&mut rng)).collect();
/// // Merits: larger is better.
/// let merits: Vec<f64> = archs
///     .iter()
///     .map(|arch| arch.edges.iter().filter(|&&op| op == EdgeOp::NorConv3x3).count() as f64)
///     .collect();
/// let features = |archs: &[_]| archs.iter().map(|arch| map.features(&space, arch)).collect::<Vec<_>>();
/// let labels = Labels { merits: &merits, cheap: None };
/// let predictor = StructurePredictor::fit(&map, &features(&archs), labels, &config, &[], &mut rng)?;
/// let predicted = predictor.predict(&map, &features(&archs[..1]), None)?;
/// assert!((predicted[0].merit - merits[0]).abs() < 1.5);
/// # Ok::<(), nao_controller::ControllerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StructurePredictor {
    pub(super) process: GaussianProcess,
    /// The merits learned from, ascending.
    pub(super) merits: Vec<f64>,
    /// The scale of the cheap labels learned from.
    pub(super) cheap: Option<RankScale>,
}

/// What is known of architectures that a predictor learns from.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// What is to be predicted, one per architecture; larger is better.
    pub merits: &'a [f64],
    /// A cheap label of each, such as the merit after a few epochs; larger should be better. Where they are given, the
    /// prior mean rests on their ranks as far as evidence says that it should, and predictions need one as well.
    pub cheap: Option<&'a [f64]>,
}

/// What is predicted of one architecture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictedMerit {
    /// On the scale of normal scores: what architectures are ranked by, and how sure that is.
    pub score: Prediction,
    /// The merit at that place among the merits learned from; never outside of them, for ranks say nothing of what lies
    /// beyond the best and the worst.
    pub merit: f64,
    /// Whether the place is beyond the best or the worst of the merits learned from, so that `merit` is just that one.
    pub is_beyond: bool,
    /// The interval of merits in which that of the architecture lies with 80 % probability, noise included.
    pub interval: [f64; 2],
}

/// So many architectures are predicted at a time, which bounds the memory that it takes.
const PORTION: usize = 1_024;

/// The normal quantile at 90 %: 80 % lie between it and its mirror image.
const TENTH: f64 = 1.281_551_565_544_600_4;

impl StructurePredictor {
    /// Fits to architectures with these features and labels. `previous` are the kernels of an earlier fit, if there was
    /// one. Cheap labels that are all equal say nothing: the predictor is then the one without them.
    ///
    /// # Errors
    /// When there are no pairs, a label is not a finite number, or some architectures have no cheap label.
    pub fn fit(
        map: &FeatureMap,
        features: &[Features],
        labels: Labels<'_>,
        config: &StructureConfig,
        previous: &[Kernel],
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, ControllerError> {
        let Labels { merits, cheap } = labels;
        if let Some(index) = merits.iter().position(|merit| !merit.is_finite()) {
            return Err(ControllerError::Target { index, value: merits[index] });
        }
        let search = config.evidence_search(features.first());
        let targets = normal_scores(merits);
        let (points, cheap) = match cheap {
            Some(labels) => {
                check_cheap(labels, features.len())?;
                let scale = RankScale::of(labels);
                (Points::new(map, features).with_scores(scores(&scale, labels)), Some(scale))
            }
            None => (Points::new(map, features), None),
        };
        let process = GaussianProcess::fit(points, &targets, &search, previous, rng)?;
        let mut merits = merits.to_vec();
        merits.sort_by(f64::total_cmp);
        Ok(StructurePredictor { process, merits, cheap })
    }

    /// The posterior.
    pub fn process(&self) -> &GaussianProcess {
        &self.process
    }

    /// What is predicted of architectures with these features, and with these cheap labels, if the predictor learned
    /// from some.
    ///
    /// # Errors
    /// When cheap labels are missing, were not learned from, or are no finite numbers.
    pub fn predict(
        &self,
        map: &FeatureMap,
        features: &[Features],
        cheap: Option<&[f64]>,
    ) -> Result<Vec<PredictedMerit>, ControllerError> {
        match (&self.cheap, cheap) {
            (Some(_), Some(labels)) => check_cheap(labels, features.len())?,
            (None, None) => {}
            _ => {
                let labels = cheap.map_or(0, <[f64]>::len);
                return Err(ControllerError::CheapLabels { labels, archs: features.len() });
            }
        }
        let mut predicted = Vec::with_capacity(features.len());
        for (portion, features) in features.chunks(PORTION).enumerate() {
            let points = Points::new(map, features);
            let points = match (&self.cheap, cheap) {
                (Some(scale), Some(labels)) => {
                    points.with_scores(scores(scale, &labels[portion * PORTION..][..features.len()]))
                }
                _ => points,
            };
            predicted.extend(self.process.predict(&points).into_iter().map(|score| self.merit_of(score)));
        }
        Ok(predicted)
    }

    /// The worst and the best merit learned from, between which all predictions lie.
    pub fn merit_range(&self) -> [f64; 2] {
        [self.merits[0], self.merits[self.merits.len() - 1]]
    }

    fn merit_of(&self, score: Prediction) -> PredictedMerit {
        let spread = TENTH * (score.deviation * score.deviation + self.process.noise()).sqrt();
        let place = self.place_of(score.mean);
        PredictedMerit {
            score,
            merit: self.merit_at(score.mean),
            is_beyond: place < 0.0 || place > (self.merits.len() - 1) as f64,
            interval: [self.merit_at(score.mean - spread), self.merit_at(score.mean + spread)],
        }
    }

    /// The place of a normal score among the merits learned from, counted from 0; it may lie outside of them.
    fn place_of(&self, score: f64) -> f64 {
        Normal::standard().cdf(score) * self.merits.len() as f64 - 0.5
    }

    /// The merit at a normal score, between those of the two nearest ranks.
    fn merit_at(&self, score: f64) -> f64 {
        let place = self.place_of(score).clamp(0.0, (self.merits.len() - 1) as f64);
        let (below, above) = (self.merits[place.floor() as usize], self.merits[place.ceil() as usize]);
        below + (above - below) * place.fract()
    }

    /// The normal score that a merit has among those learned from.
    pub(crate) fn score_of(&self, merit: f64) -> f64 {
        let n = self.merits.len() as f64;
        let below = self.merits.partition_point(|known| *known < merit) as f64;
        let upto = self.merits.partition_point(|known| *known <= merit) as f64;
        let place = ((below + upto) / 2.0).clamp(0.5, n - 0.5);
        Normal::standard().inverse_cdf(place / n)
    }
}

fn check_cheap(labels: &[f64], archs: usize) -> Result<(), ControllerError> {
    if labels.len() != archs {
        return Err(ControllerError::CheapLabels { labels: labels.len(), archs });
    }
    match labels.iter().position(|label| !label.is_finite()) {
        Some(index) => Err(ControllerError::CheapLabel { index, value: labels[index] }),
        None => Ok(()),
    }
}

fn scores(scale: &RankScale, labels: &[f64]) -> Vec<f64> {
    labels.iter().map(|&label| scale.score(label)).collect()
}
