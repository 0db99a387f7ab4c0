//! Cheap looks of the search on structure: labels of shorter trainings, taken before a full one is asked for.
//!
//! The model without labels says which candidates are worth a cheap look. Among all that were looked at, the model whose
//! prior mean rests on the cheap labels chooses those that are proposed.

use std::collections::BTreeMap;

use nao_space::search::{Origin, StrategyError};
use nao_space::seed::rng_for;
use nao_space::{ArchKey, Space};
use serde::{Deserialize, Serialize};

use super::candidates::{Candidate, Judged};
use super::structure::{Measured, StructureSearch, model_error};
use crate::gaussian_process::{GaussianProcess, Kernel};
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
pub type CheapLook<'a, A> = Box<dyn Fn(&A) -> Option<f64> + 'a>;

/// The cheap looks of a search.
pub(super) struct CheapLooks<'a, A> {
    pub(super) config: CheapConfig,
    look: CheapLook<'a, A>,
    /// Every architecture that was looked at, with what was seen. By key, so that orders never depend on hashes.
    looked: BTreeMap<ArchKey, (A, Option<f64>)>,
    /// Where the next search of the evidence begins.
    kernels: Vec<Kernel>,
}

/// What is saved of cheap looks.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheapState<A> {
    config: CheapConfig,
    looked: Vec<(ArchKey, (A, Option<f64>))>,
    kernels: Vec<Kernel>,
}

impl<'a, A: Clone> CheapLooks<'a, A> {
    pub(super) fn new(config: CheapConfig, look: CheapLook<'a, A>) -> Self {
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
    pub(super) fn restore(&mut self, state: CheapState<A>) -> Result<(), String> {
        super::same("cheap looks", &state.config, &self.config)?;
        self.looked = state.looked.into_iter().collect();
        self.kernels = state.kernels;
        Ok(())
    }
}

impl<S: Space> StructureSearch<'_, S> {
    /// Looks at the cheap labels of the candidates that structure makes most of, and judges all that were ever looked at
    /// anew, by a model that rests on these labels. Without cheap looks the judgement is as it was.
    pub(super) fn judged_by_cheap_labels(
        &mut self,
        judged: Judged<S::Arch>,
        measured: &[Measured],
        targets: &[f64],
    ) -> Result<Judged<S::Arch>, StrategyError> {
        let Some(mut cheap) = self.cheap.take() else { return Ok(judged) };
        let result = self.look_and_judge(&mut cheap, judged, measured, targets);
        self.cheap = Some(cheap);
        result
    }

    fn look_and_judge(
        &self,
        cheap: &mut CheapLooks<'_, S::Arch>,
        judged: Judged<S::Arch>,
        measured: &[Measured],
        targets: &[f64],
    ) -> Result<Judged<S::Arch>, StrategyError> {
        let mut open = cheap.config.per_round;
        for at in self.by_bound(&judged) {
            let Candidate { arch, key, .. } = &judged.candidates[at];
            if open == 0 {
                break;
            }
            if !cheap.looked.contains_key(key) {
                cheap.label(key, arch);
                open -= 1;
            }
        }
        // Observations of which there is no cheap label cannot be learned from here.
        let mut known: Vec<(&Measured, f64, f64)> = Vec::new();
        for (measured, &target) in measured.iter().zip(targets) {
            let arch = self.arch(&measured.sequence)?;
            known.extend(cheap.label(&measured.key, &arch).map(|label| (measured, target, label)));
        }
        if known.is_empty() {
            return Ok(judged);
        }
        let labels: Vec<f64> = cheap.looked.values().filter_map(|&(_, label)| label).collect();
        let scale = RankScale::of(&labels);
        let scores = known.iter().map(|&(_, _, label)| scale.score(label)).collect();
        let features = known.iter().map(|(measured, _, _)| &measured.features);
        let points = self.points(features).with_scores(scores);
        let targets: Vec<f64> = known.iter().map(|&(_, target, _)| target).collect();
        let search = self.config.evidence_search(known.first().map(|(measured, _, _)| &measured.features));
        let mut rng = rng_for(self.seed, "structure cheap fit", self.rounds);
        let process = GaussianProcess::fit(points, &targets, &search, &cheap.kernels, &mut rng);
        let process = process.map_err(model_error)?;
        cheap.kernels = process.kernels().to_vec();
        let candidates = self.looked_at(cheap, judged.candidates, &scale);
        let points = self.candidate_points(&candidates);
        let predictions = process.predict(&points);
        Ok(Judged { process, candidates, predictions })
    }

    /// The candidates that have a cheap label, those of this round and of earlier ones.
    fn looked_at(
        &self,
        cheap: &CheapLooks<'_, S::Arch>,
        candidates: Vec<Candidate<S::Arch>>,
        scale: &RankScale,
    ) -> Vec<Candidate<S::Arch>> {
        let mut now: BTreeMap<ArchKey, Candidate<S::Arch>> =
            candidates.into_iter().map(|candidate| (candidate.key.clone(), candidate)).collect();
        let unmeasured = cheap.looked.iter().filter(|(key, _)| !self.random.knows(key));
        let found = unmeasured.filter_map(|(key, (arch, label))| {
            let score = Some(scale.score((*label)?));
            let candidate = now.remove(key).unwrap_or_else(|| Candidate {
                features: self.features(arch),
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
