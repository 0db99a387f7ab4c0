//! The ranking of a run: its measured trials, best first, as far as their scores compare.

use nao_space::search::Origin;
use nao_space::{ArchKey, Fidelity, Measurement, TrialId};
use serde::Serialize;

use crate::store::{StoredTrial, TrialStatus};

/// A measured trial with its place among the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankedTrial {
    /// Counted from 1.
    pub rank: usize,
    /// The trial.
    pub trial: TrialId,
    /// The architecture in the notation of the space.
    pub architecture: String,
    /// Its canonical spelling.
    pub key: ArchKey,
    /// What was measured.
    pub objective: MeasuredObjective,
    /// How thoroughly.
    pub fidelity: Fidelity,
    /// Trainable scalars, auxiliary head excluded.
    pub params: u64,
    /// Multiply-accumulates of one example.
    pub macs: u64,
    /// How it was found.
    pub origin: TrialOrigin,
    /// The round that proposed it, counted from 0.
    pub round: u64,
    /// The seed of its training.
    pub seed: u64,
    /// Wall time of its training.
    pub seconds: f64,
}

/// A value with everything that makes it readable.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasuredObjective {
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
pub struct TrialOrigin {
    /// `random`, `given`, `ascent`, `mutation`, `policy`, `shared weights` or `relaxed`.
    pub kind: &'static str,
    /// The trial that was moved or edited.
    pub parent: Option<TrialId>,
    /// The size of the gradient step.
    pub step: Option<f64>,
    /// The score with shared weights by which it came to be trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_score: Option<f64>,
}

impl From<Origin> for TrialOrigin {
    fn from(origin: Origin) -> Self {
        let none = TrialOrigin { kind: "random", parent: None, step: None, shared_score: None };
        match origin {
            Origin::Ascent { parent, step } => {
                TrialOrigin { kind: "ascent", parent: Some(parent), step: Some(step), ..none }
            }
            Origin::Given => TrialOrigin { kind: "given", ..none },
            Origin::Relaxed => TrialOrigin { kind: "relaxed", ..none },
            Origin::Policy => TrialOrigin { kind: "policy", ..none },
            Origin::Mutation { parent } => TrialOrigin { kind: "mutation", parent: Some(parent), ..none },
            Origin::SharedWeights { score, .. } => {
                TrialOrigin { kind: "shared weights", shared_score: Some(score), ..none }
            }
            _ => none,
        }
    }
}

/// The measured trials of a run, ranked as far as they compare.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ranking {
    /// The best, best first; of equals the earlier. All are of one fidelity, that of most trials.
    pub entries: Vec<RankedTrial>,
    /// Fidelities whose trials are left out, and how many these are: their scores do not compare with the ranked ones.
    pub left_out: Vec<(Fidelity, usize)>,
}

impl Ranking {
    /// The `top` best measured trials of the fidelity that most trials have; of equally many the later one.
    pub fn of(trials: &[StoredTrial], top: usize) -> Self {
        let mut of_fidelities: Vec<(Fidelity, Vec<(&StoredTrial, &Measurement)>)> = Vec::new();
        let fidelities = known_fidelities(trials);
        for trial in trials {
            let TrialStatus::Done(measurement) = &trial.status else { continue };
            let fidelity = with_known_digest(&measurement.fidelity, &fidelities);
            match of_fidelities.iter_mut().find(|(known, _)| *known == fidelity) {
                Some((_, measured)) => measured.push((trial, measurement)),
                None => of_fidelities.push((fidelity, vec![(trial, measurement)])),
            }
        }
        // The last of the largest: what is left keeps its order.
        let most = of_fidelities.iter().map(|(_, measured)| measured.len()).max();
        let Some(place) = of_fidelities.iter().rposition(|(_, measured)| Some(measured.len()) == most) else {
            return Ranking::default();
        };
        let (_, mut measured) = of_fidelities.remove(place);
        let merit = |measurement: &Measurement| measurement.objective.merit(measurement.value);
        measured.sort_by(|(_, a), (_, b)| merit(b).total_cmp(&merit(a)));
        let ranked = measured.into_iter().take(top).enumerate();
        Ranking {
            entries: ranked
                .map(|(index, (trial, measurement))| entry(index + 1, trial, measurement))
                .collect(),
            left_out: of_fidelities
                .into_iter()
                .map(|(fidelity, measured)| (fidelity, measured.len()))
                .collect(),
        }
    }

    /// What is left out, in a line; `None` where nothing is.
    pub fn remark(&self) -> Option<String> {
        let words = self.left_out.iter().map(|(fidelity, count)| {
            let digest =
                fidelity.digest.as_ref().map_or(String::new(), |digest| format!(", settings {digest}"));
            format!("{count} of {fidelity}{digest}")
        });
        let words: Vec<String> = words.collect();
        (!words.is_empty()).then(|| {
            format!("not ranked, for scores of another fidelity do not compare: {}", words.join("; "))
        })
    }
}

/// All fidelities with a digest.
fn known_fidelities(trials: &[StoredTrial]) -> Vec<&Fidelity> {
    let mut known: Vec<&Fidelity> = Vec::new();
    for trial in trials {
        if let TrialStatus::Done(Measurement { fidelity, .. }) = &trial.status
            && fidelity.digest.is_some()
            && !known.contains(&fidelity)
        {
            known.push(fidelity);
        }
    }
    known
}

/// Version 0.1 took no digests. Where a run goes on with settings that its first resume found to be its own, what was
/// measured before has theirs.
fn with_known_digest(fidelity: &Fidelity, known: &[&Fidelity]) -> Fidelity {
    let is_alike = |other: &&&Fidelity| (&other.recipe, other.epochs) == (&fidelity.recipe, fidelity.epochs);
    let mut alike = known.iter().filter(is_alike);
    match (&fidelity.digest, alike.next(), alike.next()) {
        (None, Some(only), None) => (*only).clone(),
        _ => fidelity.clone(),
    }
}

fn entry(rank: usize, trial: &StoredTrial, measurement: &Measurement) -> RankedTrial {
    let objective = measurement.objective.clone();
    RankedTrial {
        rank,
        trial: trial.id,
        architecture: trial.arch.clone(),
        key: trial.key.clone(),
        objective: MeasuredObjective {
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

#[cfg(test)]
mod tests {
    use nao_space::Objective;

    use super::*;

    fn trial(id: u64, value: f64, fidelity: Fidelity) -> StoredTrial {
        let measured = Measurement::new(Objective::validation_accuracy(), value).at(fidelity);
        StoredTrial {
            id: TrialId(id),
            round: 0,
            arch: id.to_string(),
            key: ArchKey(id.to_string()),
            seed: id,
            origin: Origin::Random,
            attempts: 1,
            status: TrialStatus::Done(measured),
        }
    }

    fn ranked(trials: &[StoredTrial]) -> Vec<u64> {
        Ranking::of(trials, 10).entries.iter().map(|entry| entry.trial.0).collect()
    }

    #[test]
    fn scores_of_two_fidelities_are_never_ranked_together() {
        let narrow = || Fidelity::new("digits", 1).with_digest("a");
        let wide = || Fidelity::new("digits", 1).with_digest("b");
        let long = || Fidelity::new("digits", 2).with_digest("c");
        let mut trials = vec![
            trial(1, 0.5, narrow()),
            trial(2, 0.9, wide()),
            trial(3, 0.7, narrow()),
            trial(4, 0.8, long()),
        ];
        assert_eq!(ranked(&trials), [3, 1]);
        let remark = Ranking::of(&trials, 1).remark().unwrap();
        assert!(remark.contains("settings b; 1 of digits, 2") && remark.ends_with("settings c"), "{remark}");
        // Of equally many, those of the later fidelity.
        trials.push(trial(5, 0.6, wide()));
        assert_eq!(ranked(&trials), [2, 5]);
    }

    #[test]
    fn scores_without_digest_belong_to_the_one_fidelity_that_they_can_be_of() {
        let old = |id, value| trial(id, value, Fidelity::new("digits", 1));
        let new = |id, value, digest| trial(id, value, Fidelity::new("digits", 1).with_digest(digest));
        assert_eq!(ranked(&[old(1, 0.5), old(2, 0.6)]), [2, 1]);
        assert_eq!(ranked(&[old(1, 0.5), old(2, 0.6), new(3, 0.55, "a")]), [2, 3, 1]);
        let mixed = [old(1, 0.5), old(2, 0.6), new(3, 0.55, "a"), new(4, 0.9, "b")];
        assert_eq!(ranked(&mixed), [2, 1]);
        assert_eq!(Ranking::of(&[], 3), Ranking::default());
    }
}
