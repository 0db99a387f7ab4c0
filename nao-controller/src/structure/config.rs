//! The settings of the preset `structure`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ControllerError;

/// The search in the embedding of a pre-trained encoder with an exact posterior. The defaults were chosen on the
/// 12-epoch labels of NAS-Bench-201 and are the same for every space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StructureConfig {
    /// How encoder and decoder learn the space.
    pub pretraining: PretrainingConfig,
    /// Random hyper-parameters tried per fit of the kernel over structure.
    pub draws: usize,
    /// Random hyper-parameters tried per fit of its rival, the kernel over choices. Whichever has the higher evidence
    /// is used.
    pub rival_draws: usize,
    /// Kernels kept and averaged.
    pub keep: usize,
    /// Rounds in which the kept kernels are jittered.
    pub refinements: usize,
    /// On which scale the posterior sees the scores.
    pub scores: ScoreScale,
    /// Which points of the embedding are decoded.
    pub points: StartPoints,
    /// How much a deviation counts beside the mean (kappa): in the ascent and when proposals are chosen.
    pub kappa: f64,
    /// How many of the best architectures are moved and edited (K).
    pub parents: usize,
    /// Lengths of the steps in the embedding; each parent moves once with each. With none, nothing is decoded.
    pub step_sizes: Vec<f64>,
    /// Steps of each move. Every one of them is decoded.
    pub steps: usize,
    /// At most so many neighbours of the parents are candidates.
    pub neighbours: usize,
    /// The best candidates, among which a batch is chosen that learns most.
    pub shortlist: usize,
    /// The least number of tokens in which the proposals of one round differ.
    pub edit_distance: usize,
}

impl Default for StructureConfig {
    fn default() -> Self {
        StructureConfig {
            pretraining: PretrainingConfig::default(),
            draws: 12,
            rival_draws: 6,
            keep: 3,
            refinements: 2,
            scores: ScoreScale::Ranks,
            points: StartPoints::Moved,
            kappa: 1.75,
            parents: 10,
            step_sizes: vec![0.3, 0.8, 1.5],
            steps: 10,
            neighbours: 300,
            shortlist: 200,
            edit_distance: 1,
        }
    }
}

/// A scale of scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreScale {
    /// Normal scores of ranks: no outliers, whatever the scores.
    Ranks,
    /// The scores themselves, with mean 0 and variance 1.
    Values,
}

/// Points of the embedding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartPoints {
    /// Those to which the best architectures move up the gradient.
    Moved,
    /// As many anywhere, which is no ascent at all: to measure what it is worth.
    Random,
}

/// How encoder and decoder learn a space from architectures without labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PretrainingConfig {
    /// Seed of everything random in it. Not that of the search: searches share what was learned.
    pub seed: u64,
    /// Architectures from which means, deviations and fine labels are taken.
    pub feature_samples: usize,
    /// Architectures that are learned from.
    pub cells: usize,
    /// Width of the token embedding.
    pub embedding: usize,
    /// Width of the continuous embedding per step, even: half of it reads forwards and half backwards.
    pub hidden: usize,
    /// Width of the two hidden layers that read the features from the embedding.
    pub readout: usize,
    /// Optimiser steps.
    pub steps: usize,
    /// Architectures per step.
    pub batch: usize,
    /// The highest learning rate of the one cycle.
    pub learning_rate: f64,
    /// Length of the random vector that is added to each step of the embedding (each of length 1).
    pub noise: f64,
    /// Largest global L2 norm of the gradient.
    pub clip: f64,
}

impl Default for PretrainingConfig {
    fn default() -> Self {
        PretrainingConfig {
            seed: 1,
            feature_samples: 1000,
            cells: 20_000,
            embedding: 48,
            hidden: 96,
            readout: 256,
            steps: 1200,
            batch: 256,
            learning_rate: 2e-3,
            noise: 1.0,
            clip: 5.0,
        }
    }
}

impl PretrainingConfig {
    /// The settings that differ in another pre-training, with what they are here and there; `None` where all are equal.
    pub(crate) fn differences(&self, other: &PretrainingConfig) -> Option<String> {
        let fields = |config: &PretrainingConfig| match serde_json::to_value(config) {
            Ok(Value::Object(fields)) => fields,
            _ => unreachable!("a plain struct has a JSON form"),
        };
        let (ours, others) = (fields(self), fields(other));
        let pairs = ours.iter().filter_map(|(name, ours)| Some((name, ours, others.get(name)?)));
        let differing = pairs.filter(|(_, ours, other)| ours != other);
        let told: Vec<String> =
            differing.map(|(name, ours, other)| format!("{name} was {ours} and is {other}")).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}

impl StructureConfig {
    /// The same settings with a longer search for hyper-parameters: for a single fit rather than one per round.
    pub fn thorough() -> Self {
        StructureConfig { draws: 40, rival_draws: 12, keep: 8, refinements: 4, ..StructureConfig::default() }
    }

    /// Checks every field; `space` names the space in messages.
    ///
    /// # Errors
    /// Names the first field that cannot be, its value and what it may be.
    pub fn check(&self, space: &str) -> Result<(), ControllerError> {
        let refuse = |field: &'static str, problem: String| {
            Err(ControllerError::Config { field, problem, space: space.to_owned() })
        };
        let pretraining = &self.pretraining;
        let counts = [
            ("draws", self.draws),
            ("keep", self.keep),
            ("parents", self.parents),
            ("shortlist", self.shortlist),
            ("feature_samples", pretraining.feature_samples),
            ("cells", pretraining.cells),
            ("embedding", pretraining.embedding),
            ("hidden", pretraining.hidden / 2),
            ("readout", pretraining.readout),
            ("batch", pretraining.batch),
        ];
        if let Some((field, _)) = counts.into_iter().find(|&(_, count)| count == 0) {
            return refuse(field, "is too small; it must be at least 1 (2 for hidden)".into());
        }
        if !pretraining.hidden.is_multiple_of(2) {
            return refuse("hidden", format!("is {}; it must be even", pretraining.hidden));
        }
        if !(self.kappa.is_finite() && self.kappa >= 0.0) {
            return refuse("kappa", format!("is {}; it must be at least 0", self.kappa));
        }
        if let Some(size) = self.step_sizes.iter().find(|size| !(size.is_finite() && **size > 0.0)) {
            return refuse("step_sizes", format!("has {size}; steps must be above 0"));
        }
        let positive = [("learning_rate", pretraining.learning_rate), ("clip", pretraining.clip)].into_iter();
        for (field, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                return refuse(field, format!("is {value}; it must be above 0"));
            }
        }
        if !(pretraining.noise.is_finite() && pretraining.noise >= 0.0) {
            return refuse("noise", format!("is {}; it must be at least 0", pretraining.noise));
        }
        Ok(())
    }
}
