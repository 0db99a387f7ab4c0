//! Cheap looks of the search on structure: labels of shorter trainings, taken before a full one is asked for.
//!
//! The model without labels says which candidates are worth a cheap look. Among all that were looked at, the model whose
//! prior mean rests on the cheap labels chooses those that are proposed.

use std::collections::BTreeMap;

use nao_space::features::Features;
use nao_space::search::{Memory, Origin, StrategyError, saved_state};
use nao_space::seed::rng_for;
use nao_space::{ArchKey, Graphs};
use serde::{Deserialize, Serialize};

use super::super::NAO as NAME;
use super::candidates::{Candidate, Judged, candidate_points};
use crate::error::ControllerError;
use crate::gaussian_process::{GaussianProcess, Kernel, Points};
use crate::structure::{PretrainedSpace, StructureConfig};
use crate::targets::RankScale;

/// How many cheap looks are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheapConfig {
    /// Candidates that are looked at in each round behind the first; at least 1. Random architectures of the first are
    /// looked at afterwards, for the model to learn from.
    pub per_round: usize,
}

impl Default for CheapConfig {
    /// Chosen on CIFAR-100 of NAS-Bench-201, where a cheap look costs 0.06 of a full one (of 10, 15, 20, 30 and 40).
    fn default() -> Self {
        CheapConfig { per_round: 20 }
    }
}

/// A look at the cheap label of an architecture: larger is better; `None` for one that has none, which is then not
/// proposed.
pub type CheapLook<A> = Box<dyn Fn(&A) -> Option<f64>>;

/// The cheap looks of a search.
pub(super) struct CheapLooks<A> {
    config: CheapConfig,
    look: CheapLook<A>,
    /// Every architecture that was looked at, with what was seen. By key, so that orders never depend on hashes.
    looked: BTreeMap<ArchKey, (A, Option<f64>)>,
    /// Where the next search of the evidence begins.
    kernels: Vec<Kernel>,
}

/// A round of the search in which looks are taken.
pub(super) struct Round<'r, S: Graphs> {
    /// Counted from 0.
    pub(super) number: u64,
    pub(super) config: &'r StructureConfig,
    pub(super) pretrained: &'r PretrainedSpace,
    pub(super) memory: &'r Memory<S>,
    /// Of everything measured.
    pub(super) features: &'r [Features],
    /// Of everything measured.
    pub(super) targets: &'r [f64],
}

/// What is saved of cheap looks.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheapState<A> {
    config: CheapConfig,
    looked: Vec<(ArchKey, (A, Option<f64>))>,
    kernels: Vec<Kernel>,
}

impl<A: Clone> CheapLooks<A> {
    pub(super) fn new(config: CheapConfig, look: CheapLook<A>) -> Self {
        CheapLooks { config, look, looked: BTreeMap::new(), kernels: Vec::new() }
    }

    /// The label of an architecture: the second look is memory.
    fn label(&mut self, key: &ArchKey, arch: &A) -> Option<f64> {
        let look = || (arch.clone(), (self.look)(arch).filter(|label| label.is_finite()));
        self.looked.entry(key.clone()).or_insert_with(look).1
    }

    pub(super) fn state(&self) -> CheapState<A> {
        let looked = self.looked.iter().map(|(key, looked)| (key.clone(), looked.clone())).collect();
        CheapState { config: self.config, looked, kernels: self.kernels.clone() }
    }

    /// Takes over a state, if it was saved with the same settings.
    pub(super) fn restore(&mut self, state: CheapState<A>) -> Result<(), StrategyError> {
        saved_state::check_same(NAME, "cheap looks", &state.config, &self.config)?;
        self.looked = state.looked.into_iter().collect();
        self.kernels = state.kernels;
        Ok(())
    }

    /// Looks at the cheap labels of the candidates that structure makes most of, and judges all that were ever looked at
    /// anew, by a model that rests on these labels.
    pub(super) fn look_and_judge<S: Graphs<Arch = A>>(
        &mut self,
        round: &Round<'_, S>,
        judged: Judged<A>,
    ) -> Result<Judged<A>, ControllerError> {
        let mut open = self.config.per_round;
        for at in judged.by_bound(round.config.kappa) {
            let Candidate { arch, key, .. } = &judged.candidates[at];
            if open == 0 {
                break;
            }
            if !self.looked.contains_key(key) {
                self.label(key, arch);
                open -= 1;
            }
        }
        // Observations of which there is no cheap label cannot be learned from here.
        let mut known: Vec<(&Features, f64, f64)> = Vec::new();
        for ((measured, features), &target) in
            round.memory.measured().iter().zip(round.features).zip(round.targets)
        {
            known.extend(self.label(&measured.key, &measured.arch).map(|label| (features, target, label)));
        }
        if known.is_empty() {
            return Ok(judged);
        }
        let labels: Vec<f64> = self.looked.values().filter_map(|&(_, label)| label).collect();
        let scale = RankScale::of(&labels);
        let map = round.pretrained.map();
        let scores = known.iter().map(|&(_, _, label)| scale.score(label)).collect();
        let points = Points::new(map, known.iter().map(|&(features, _, _)| features)).with_scores(scores);
        let targets: Vec<f64> = known.iter().map(|&(_, target, _)| target).collect();
        let search = round.config.evidence_search(known.first().map(|&(features, _, _)| features));
        let mut rng = rng_for(round.memory.seed(), "structure cheap fit", round.number);
        let process = GaussianProcess::fit(points, &targets, &search, &self.kernels, &mut rng)?;
        self.kernels = process.kernels().to_vec();
        let candidates = self.looked_at(round, judged.candidates, &scale);
        let predictions = process.predict(&candidate_points(map, &candidates));
        Ok(Judged { process, candidates, predictions })
    }

    /// The candidates that have a cheap label, those of this round and of earlier ones.
    fn looked_at<S: Graphs<Arch = A>>(
        &self,
        round: &Round<'_, S>,
        candidates: Vec<Candidate<A>>,
        scale: &RankScale,
    ) -> Vec<Candidate<A>> {
        let mut now: BTreeMap<ArchKey, Candidate<A>> =
            candidates.into_iter().map(|candidate| (candidate.key.clone(), candidate)).collect();
        let unmeasured = self.looked.iter().filter(|(key, _)| !round.memory.knows(key));
        let found = unmeasured.filter_map(|(key, (arch, label))| {
            let score = Some(scale.score((*label)?));
            let candidate = now.remove(key).unwrap_or_else(|| Candidate {
                features: round.pretrained.map().features(round.memory.space(), arch),
                arch: arch.clone(),
                key: key.clone(),
                origin: Origin::Random,
                score: None,
            });
            Some(Candidate { score, ..candidate })
        });
        found.collect()
    }
}
