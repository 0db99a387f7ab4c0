//! The search of the preset `structure`: an exact posterior, ascent in the embedding, and one-edit neighbours, ranked
//! together.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use nao_space::features::Features;
use nao_space::search::{
    Observation, Origin, Proposal, Proposals, RandomSearch, Stop, Strategy, StrategyError,
};
use nao_space::seed::rng_for;
use nao_space::{ArchKey, Space, Token, TrialId};
use rand::seq::SliceRandom;

use super::candidates::{Candidate, Judged};
use super::cheap::{CheapConfig, CheapLook, CheapLooks};
use super::structure_report::{OriginCounts, StructureReport};
use super::structure_state::StructureState;
use crate::error::ControllerError;
use crate::gaussian_process::{EvidenceSearch, GaussianProcess, Kernel, KernelForm, Points};
use crate::structure::{Moves, PretrainedSpace, ScoreScale, StartPoints, StructureConfig};
use crate::targets::{normal_scores, standard_scores};

/// The name of the strategy.
pub(super) const NAME: &str = "nao";

/// All architectures of a small space with their features, for searches that score every one of them instead of
/// generating candidates.
pub struct Enumeration<S: Space> {
    archs: Vec<S::Arch>,
    keys: Vec<ArchKey>,
    features: Vec<Features>,
}

impl<S: Space> Enumeration<S> {
    /// The first of all spellings of each of these architectures.
    pub fn new(space: &S, pretrained: &PretrainedSpace, archs: impl IntoIterator<Item = S::Arch>) -> Self {
        let mut enumeration = Enumeration { archs: Vec::new(), keys: Vec::new(), features: Vec::new() };
        let mut seen = HashSet::new();
        for arch in archs {
            let key = space.key(&arch);
            if seen.insert(key.clone()) {
                enumeration.features.push(pretrained.map().features(space, &arch));
                enumeration.keys.push(key);
                enumeration.archs.push(arch);
            }
        }
        enumeration
    }
}

/// NAO on structure as a [`Strategy`].
pub struct StructureSearch<'a, S: Space> {
    pub(super) space: &'a S,
    pub(super) config: StructureConfig,
    pub(super) seed: u64,
    pub(super) pretrained: Arc<PretrainedSpace>,
    enumeration: Option<Arc<Enumeration<S>>>,
    pub(super) cheap: Option<CheapLooks<'a, S::Arch>>,
    /// Draws architectures, and knows every one ever proposed or told.
    pub(super) random: RandomSearch<'a, S>,
    observations: Vec<Observation<S::Arch>>,
    /// Asks so far.
    pub(super) rounds: u64,
    /// Where the next search of the evidence begins: for the ranking and for the ascent.
    kernels: [Vec<Kernel>; 2],
    report: Option<StructureReport>,
}

/// An observation with a finite merit.
pub(super) struct Measured {
    trial: TrialId,
    pub(super) sequence: Vec<Token>,
    pub(super) key: ArchKey,
    merit: f64,
    pub(super) features: Features,
}

impl<'a, S: Space> StructureSearch<'a, S> {
    /// A search of `space` from a seed, which learns the space first, as `config.pretraining` says: it takes a minute or two.
    /// Searches of one space can share what was learned: see [`new`](StructureSearch::new).
    ///
    /// # Errors
    /// When the configuration cannot be, or the space cannot be learned.
    pub fn learn(
        space: &'a S,
        config: StructureConfig,
        seed: u64,
        device: &Device,
    ) -> Result<Self, ControllerError> {
        config.check(&space.name())?;
        let pretrained = Arc::new(PretrainedSpace::learn(space, &config.pretraining, device)?);
        StructureSearch::new(space, config, seed, pretrained)
    }

    /// A search of `space` from a seed by what was learned of the space, whose settings take the place of
    /// `config.pretraining`.
    ///
    /// # Errors
    /// When the configuration cannot be, or another space was learned.
    pub fn new(
        space: &'a S,
        mut config: StructureConfig,
        seed: u64,
        pretrained: Arc<PretrainedSpace>,
    ) -> Result<Self, ControllerError> {
        pretrained.check_space(space)?;
        config.pretraining = pretrained.config().clone();
        config.check(&space.name())?;
        Ok(StructureSearch {
            space,
            config,
            seed,
            pretrained,
            enumeration: None,
            cheap: None,
            random: RandomSearch::new(space, seed),
            observations: Vec::new(),
            rounds: 0,
            kernels: [Vec::new(), Vec::new()],
            report: None,
        })
    }

    /// The same search, which draws from an enumeration, scores every architecture of it and moves none.
    pub fn enumerating(mut self, enumeration: Arc<Enumeration<S>>) -> Self {
        self.enumeration = Some(enumeration);
        self
    }

    /// The same search, which looks at cheap labels before it proposes.
    pub fn looking_cheaply(mut self, config: CheapConfig, look: CheapLook<'a, S::Arch>) -> Self {
        self.cheap = Some(CheapLooks::new(config, look));
        self
    }

    /// The settings.
    pub fn config(&self) -> &StructureConfig {
        &self.config
    }

    /// What the last ask did; `None` if it learned nothing. Not part of a saved state.
    pub fn last_report(&self) -> Option<&StructureReport> {
        self.report.as_ref()
    }

    /// Architectures at random: of the enumeration where there is one.
    fn draw(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let Some(enumeration) = self.enumeration.clone() else { return self.random.ask(count) };
        let mut asked = Proposals { proposals: Vec::new(), stop: None, warnings: Vec::new() };
        let mut order: Vec<usize> = (0..enumeration.archs.len()).collect();
        order.shuffle(&mut rng_for(self.seed, "structure draw", self.rounds));
        for at in order {
            if asked.proposals.len() == count {
                return Ok(asked);
            }
            let arch = &enumeration.archs[at];
            if self.random.learn(arch) {
                asked.proposals.push(Proposal { arch: arch.clone(), origin: Origin::Random });
            }
        }
        asked.stop = Some(Stop::SpaceExhausted);
        Ok(asked)
    }

    /// Observations with a finite merit, in order of telling.
    fn measured(&self) -> Vec<Measured> {
        let measured = self.observations.iter().filter_map(|observation| {
            Some(Measured {
                trial: observation.trial,
                sequence: self.space.encode(&observation.arch),
                key: self.space.key(&observation.arch),
                merit: observation.merit()?,
                features: self.features(&observation.arch),
            })
        });
        measured.collect()
    }

    pub(super) fn features(&self, arch: &S::Arch) -> Features {
        self.pretrained.map().features(self.space, arch)
    }

    /// A round that learns.
    fn learn_and_move(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let start = Instant::now();
        let measured = self.measured();
        let merits: Vec<f64> = measured.iter().map(|measured| measured.merit).collect();
        let targets = match self.config.scores {
            ScoreScale::Ranks => normal_scores(&merits),
            ScoreScale::Values => standard_scores(&merits),
        };
        let process = self.fitted(&measured, &targets).map_err(model_error)?;
        let fit_seconds = start.elapsed().as_secs_f64();
        let candidates = self.candidates(&measured, &targets)?;
        let mut offered = OriginCounts::default();
        candidates.iter().for_each(|candidate| offered.count(candidate.origin));
        let predictions = process.predict(&self.candidate_points(&candidates));
        let judged = Judged { process, candidates, predictions };
        let judged = self.judged_by_cheap_labels(judged, &measured, &targets)?;
        let picked = self.pick(&judged, count);
        let Judged { process, candidates, .. } = judged;
        let mut asked = Proposals { proposals: Vec::new(), stop: None, warnings: Vec::new() };
        let mut chosen = OriginCounts::default();
        for pick in picked {
            let candidate = &candidates[pick];
            if self.random.learn(&candidate.arch) {
                chosen.count(candidate.origin);
                asked.proposals.push(Proposal { arch: candidate.arch.clone(), origin: candidate.origin });
            }
        }
        if asked.proposals.len() < count {
            let filling = self.draw(count - asked.proposals.len())?;
            filling.proposals.iter().for_each(|proposal| chosen.count(proposal.origin));
            asked.proposals.extend(filling.proposals);
            asked.stop = filling.stop;
        }
        self.report = Some(StructureReport {
            round: self.rounds,
            trained_on: measured.len(),
            kernel: process.kernels()[0].form,
            log_evidence: process.log_evidence(),
            candidates: offered,
            proposals: chosen,
            fit_seconds,
            propose_seconds: start.elapsed().as_secs_f64() - fit_seconds,
        });
        Ok(asked)
    }

    /// The posterior by which candidates are ranked.
    fn fitted(&mut self, measured: &[Measured], targets: &[f64]) -> Result<GaussianProcess, ControllerError> {
        let points = self.points(measured.iter().map(|measured| &measured.features));
        let search = self.config.evidence_search(measured.first().map(|measured| &measured.features));
        let mut rng = rng_for(self.seed, "structure fit", self.rounds);
        let process = GaussianProcess::fit(points, targets, &search, &self.kernels[0], &mut rng)?;
        self.kernels[0] = process.kernels().to_vec();
        Ok(process)
    }

    /// All architectures among which proposals are chosen, none of them known.
    fn candidates(
        &mut self,
        measured: &[Measured],
        targets: &[f64],
    ) -> Result<Vec<Candidate<S::Arch>>, StrategyError> {
        if let Some(enumeration) = self.enumeration.clone() {
            let all = enumeration.archs.iter().zip(&enumeration.keys).zip(&enumeration.features);
            let new = all.filter(|((_, key), _)| !self.random.knows(key)).map(|((arch, key), features)| {
                let (arch, key, features) = (arch.clone(), key.clone(), features.clone());
                Candidate { arch, key, origin: Origin::Random, features, score: None }
            });
            return Ok(new.collect());
        }
        let parents = parents(measured, self.config.parents);
        let mut found: Vec<(S::Arch, Origin)> = Vec::new();
        if !self.config.step_sizes.is_empty() && self.config.steps > 0 {
            found.extend(match self.config.points {
                StartPoints::Moved => self.moved(measured, targets, &parents)?,
                StartPoints::Random => self.anywhere(parents.len())?,
            });
        }
        let mut rng = rng_for(self.seed, "structure neighbours", self.rounds);
        let mut neighbours: Vec<(S::Arch, Origin)> = Vec::new();
        for parent in &parents {
            let arch = self.arch(&parent.sequence)?;
            let spelled = self.space.respell(&arch, &mut rng);
            let origin = Origin::Mutation { parent: parent.trial };
            neighbours.extend(self.space.neighbours(&spelled).into_iter().map(|arch| (arch, origin)));
        }
        neighbours.shuffle(&mut rng);
        neighbours.truncate(self.config.neighbours);
        found.extend(neighbours);
        let mut seen = HashSet::new();
        let mut candidates = Vec::with_capacity(found.len());
        for (arch, origin) in found {
            let key = self.space.key(&arch);
            if !self.random.knows(&key) && seen.insert(key.clone()) {
                let features = self.features(&arch);
                candidates.push(Candidate { arch, key, origin, features, score: None });
            }
        }
        Ok(candidates)
    }

    /// What ascent from the parents decodes to, step by step.
    fn moved(
        &mut self,
        measured: &[Measured],
        targets: &[f64],
        parents: &[&Measured],
    ) -> Result<Vec<(S::Arch, Origin)>, StrategyError> {
        let pretrained = Arc::clone(&self.pretrained);
        // Observations as the readout sees them, so that starts and observations are in the same place.
        let sequences: Vec<Vec<Token>> = measured.iter().map(|measured| measured.sequence.clone()).collect();
        let embeddings = pretrained.encode(&sequences);
        let points = Points::of_structure(&pretrained.read(embeddings));
        let mut rng = rng_for(self.seed, "structure ascent", self.rounds);
        let search = EvidenceSearch {
            draws: vec![(KernelForm::Structure, self.config.draws)],
            keep: self.config.keep,
            refinements: self.config.refinements,
        };
        let process = GaussianProcess::fit(points, targets, &search, &self.kernels[1], &mut rng);
        let process = process.map_err(model_error)?;
        self.kernels[1] = process.kernels().to_vec();
        let starts: Vec<Vec<Token>> = parents.iter().map(|parent| parent.sequence.clone()).collect();
        let moves =
            Moves { sizes: &self.config.step_sizes, steps: self.config.steps, kappa: self.config.kappa };
        let mut found = Vec::new();
        for embedding in pretrained.ascend(&process, &pretrained.encode(&starts), &moves) {
            let decoded = pretrained.decode(embedding, self.space).map_err(model_error)?;
            for (at, sequence) in decoded.into_iter().enumerate() {
                let step = self.config.step_sizes[at / parents.len()];
                let origin = Origin::Ascent { parent: parents[at % parents.len()].trial, step };
                found.push((self.arch(&sequence)?, origin));
            }
        }
        Ok(found)
    }

    /// What as many random points decode to as so many parents would be moved to.
    fn anywhere(&self, parents: usize) -> Result<Vec<(S::Arch, Origin)>, StrategyError> {
        let mut rng = rng_for(self.seed, "structure points", self.rounds);
        let mut found = Vec::new();
        for _ in 0..self.config.steps {
            let points = self.pretrained.random_points(self.config.step_sizes.len() * parents, &mut rng);
            for sequence in self.pretrained.decode(points, self.space).map_err(model_error)? {
                found.push((self.arch(&sequence)?, Origin::Random));
            }
        }
        Ok(found)
    }

    pub(super) fn arch(&self, sequence: &[Token]) -> Result<S::Arch, StrategyError> {
        self.space
            .decode(sequence)
            .map_err(|error| StrategyError::Model { strategy: NAME.into(), message: error.to_string() })
    }
}

/// The best measured architectures, each once, best first; of equals the earlier trial.
fn parents(measured: &[Measured], count: usize) -> Vec<&Measured> {
    let mut ranked: Vec<&Measured> = measured.iter().collect();
    ranked.sort_by(|a, b| b.merit.total_cmp(&a.merit).then(a.trial.cmp(&b.trial)));
    let mut seen = HashSet::new();
    ranked.into_iter().filter(|measured| seen.insert(&measured.key)).take(count).collect()
}

impl<S: Space> Strategy<S> for StructureSearch<'_, S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        self.report = None;
        let measured = self.observations.iter().filter(|observation| observation.merit().is_some()).count();
        let asked = match count > 0 && measured > 0 {
            true => self.learn_and_move(count),
            false => self.draw(count),
        }?;
        self.rounds += 1;
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        super::check_objectives(NAME, &self.observations, observations)?;
        self.random.tell(observations)?;
        self.observations.extend_from_slice(observations);
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        let state = StructureState {
            space: self.space.name(),
            config: self.config.clone(),
            seed: self.seed,
            rounds: self.rounds,
            observations: self.observations.clone(),
            kernels: self.kernels.clone(),
            random: self.random.save()?,
            cheap: self.cheap.as_ref().map(CheapLooks::state),
        };
        state.to_bytes()
    }

    fn report(&self) -> Option<serde_json::Value> {
        serde_json::to_value(self.report.as_ref()?).ok()
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), StrategyError> {
        let state = StructureState::<S::Arch>::from_bytes(bytes)?;
        state.check(&self.space.name(), &self.config, self.seed)?;
        let mut random = RandomSearch::new(self.space, self.seed);
        random.restore(&state.random)?;
        match (&mut self.cheap, state.cheap) {
            (Some(cheap), Some(state)) => cheap.restore(state).map_err(state_error)?,
            (None, None) => {}
            _ => {
                return Err(state_error(
                    "either it or this search, but not both, looks at cheap labels".into(),
                ));
            }
        }
        self.random = random;
        self.observations = state.observations;
        self.rounds = state.rounds;
        self.kernels = state.kernels;
        self.report = None;
        Ok(())
    }
}

fn state_error(message: String) -> StrategyError {
    StrategyError::State { strategy: NAME.into(), message }
}

pub(super) fn model_error(error: ControllerError) -> StrategyError {
    StrategyError::Model { strategy: NAME.into(), message: error.to_string() }
}
