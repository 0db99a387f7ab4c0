//! The ranking of a run.

use nao_run::{StoredTrial, TrialStatus};
use nao_space::search::Origin;
use nao_space::{ArchKey, Fidelity, Measurement, TrialId};
use serde::Serialize;

use super::table::figure;

/// One line of `nao best --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BestEntry {
    /// Counted from 1.
    pub rank: usize,
    /// The trial.
    pub trial: TrialId,
    /// The architecture in the notation of the space.
    pub architecture: String,
    /// Its canonical spelling.
    pub key: ArchKey,
    /// What was measured.
    pub objective: ObjectiveEntry,
    /// How thoroughly.
    pub fidelity: Fidelity,
    /// Trainable scalars, auxiliary head excluded.
    pub params: u64,
    /// Multiply-accumulates of one example.
    pub macs: u64,
    /// How it was found.
    pub origin: OriginEntry,
    /// The round that proposed it, counted from 0.
    pub round: u64,
    /// The seed of its training.
    pub seed: u64,
    /// Wall time of its training.
    pub seconds: f64,
}

/// A value with everything that makes it readable.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObjectiveEntry {
    /// Such as `accuracy`.
    pub name: String,
    /// The value in its unit.
    pub value: f64,
    /// `maximize` or `minimize`.
    pub direction: nao_space::Direction,
    /// Such as `fraction`.
    pub unit: String,
    /// The split it was taken on.
    pub split: String,
}

/// An origin with all its fields, absent ones as null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OriginEntry {
    /// `random`, `ascent`, `mutation`, `policy`, `shared weights` or `relaxed`.
    pub kind: &'static str,
    /// The trial that was moved or edited.
    pub parent: Option<TrialId>,
    /// The size of the gradient step.
    pub step: Option<f64>,
    /// The score with shared weights by which it came to be trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_score: Option<f64>,
}

impl From<Origin> for OriginEntry {
    fn from(origin: Origin) -> Self {
        let none = OriginEntry { kind: "random", parent: None, step: None, shared_score: None };
        match origin {
            Origin::Ascent { parent, step } => {
                OriginEntry { kind: "ascent", parent: Some(parent), step: Some(step), ..none }
            }
            Origin::Relaxed => OriginEntry { kind: "relaxed", ..none },
            Origin::Policy => OriginEntry { kind: "policy", ..none },
            Origin::Mutation { parent } => OriginEntry { kind: "mutation", parent: Some(parent), ..none },
            Origin::SharedWeights { score, .. } => {
                OriginEntry { kind: "shared weights", shared_score: Some(score), ..none }
            }
            _ => none,
        }
    }
}

impl OriginEntry {
    /// In words: `ascent from 7, step 2`, `shared weights 0.81`.
    pub fn words(&self) -> String {
        if let Some(score) = self.shared_score {
            return format!("{} {}", self.kind, figure(score));
        }
        match (self.parent, self.step) {
            (Some(parent), Some(step)) => format!("{} from {parent}, step {step}", self.kind),
            (Some(parent), None) => format!("{} of {parent}", self.kind),
            _ => self.kind.to_owned(),
        }
    }
}

/// The `top` best measured trials, best first; of equals the earlier.
pub fn best_entries(trials: &[StoredTrial], top: usize) -> Vec<BestEntry> {
    let mut measured: Vec<(&StoredTrial, &Measurement)> = trials
        .iter()
        .filter_map(|trial| match &trial.status {
            TrialStatus::Done(measurement) => Some((trial, measurement)),
            _ => None,
        })
        .collect();
    let merit = |measurement: &Measurement| measurement.objective.merit(measurement.value);
    measured.sort_by(|(_, a), (_, b)| merit(b).total_cmp(&merit(a)));
    let ranked = measured.into_iter().take(top).enumerate();
    ranked.map(|(index, (trial, measurement))| entry(index + 1, trial, measurement)).collect()
}

fn entry(rank: usize, trial: &StoredTrial, measurement: &Measurement) -> BestEntry {
    let objective = measurement.objective.clone();
    BestEntry {
        rank,
        trial: trial.id,
        architecture: trial.arch.clone(),
        key: trial.key.clone(),
        objective: ObjectiveEntry {
            name: objective.name,
            value: measurement.value,
            direction: objective.direction,
            unit: objective.unit,
            split: objective.split,
        },
        fidelity: measurement.fidelity.clone(),
        params: measurement.params,
        macs: measurement.macs,
        origin: trial.origin.into(),
        round: trial.round,
        seed: trial.seed,
        seconds: measurement.seconds,
    }
}
