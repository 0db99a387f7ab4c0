//! The search of the preset `structure`: an exact posterior, ascent in the embedding, and one-edit neighbours, ranked
//! together.

mod candidates;
mod cheap;
#[cfg(test)]
mod cheap_tests;
mod report;
mod state;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use nao_space::features::Features;
use nao_space::search::{
    Measured, Memory, Observation, Origin, Proposal, Proposals, Stop, Strategy, StrategyError, saved_state,
};
use nao_space::seed::rng_for;
use nao_space::{ArchKey, Graphs, Token};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

pub use self::cheap::{CheapConfig, CheapLook};
pub use self::report::{OriginCounts, StructureReport};

use self::candidates::{Candidate, Judged, candidate_points};
use self::cheap::{CheapLooks, Round};
use self::state::StructureState;
use super::NAO as NAME;
use crate::error::ControllerError;
use crate::gaussian_process::{EvidenceSearch, GaussianProcess, Kernel, KernelForm, Points};
use crate::structure::{Moves, PretrainedSpace, ScoreScale, StartPoints, StructureConfig};
use crate::targets::{normal_scores, standard_scores};

/// All architectures of a small space with their features, for searches that score every one of them instead of
/// generating candidates.
pub struct Enumeration<S: Graphs> {
    archs: Vec<S::Arch>,
    keys: Vec<ArchKey>,
    features: Vec<Features>,
}

impl<S: Graphs> Enumeration<S> {
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
pub struct StructureSearch<S: Graphs> {
    config: StructureConfig,
    pretrained: Arc<PretrainedSpace>,
    enumeration: Option<Arc<Enumeration<S>>>,
    cheap: Option<CheapLooks<S::Arch>>,
    memory: Memory<S>,
    /// Of everything measured, in order of telling.
    features: Vec<Features>,
    /// Asks so far.
    rounds: u64,
    /// Where the next search of the evidence begins: for the ranking and for the ascent.
    kernels: [Vec<Kernel>; 2],
    report: Option<StructureReport>,
}

impl<S: Graphs> StructureSearch<S> {
    /// A search of `space` from a seed, which learns the space first, as `config.pretraining` says: it takes a minute or two.
    /// Searches of one space can share what was learned: see [`new`](StructureSearch::new).
    ///
    /// # Errors
    /// When the configuration cannot be, or the space cannot be learned.
    pub fn learn(
        space: S,
        config: StructureConfig,
        seed: u64,
        device: &Device,
    ) -> Result<Self, ControllerError> {
        config.check(&space.name())?;
        let pretrained = Arc::new(PretrainedSpace::learn(&space, &config.pretraining, device)?);
        StructureSearch::new(space, config, seed, pretrained)
    }

    /// A search of `space` from a seed by what was learned of the space, whose settings take the place of
    /// `config.pretraining`.
    ///
    /// # Errors
    /// When the configuration cannot be, or another space was learned.
    pub fn new(
        space: S,
        mut config: StructureConfig,
        seed: u64,
        pretrained: Arc<PretrainedSpace>,
    ) -> Result<Self, ControllerError> {
        pretrained.check_space(&space)?;
        config.pretraining = pretrained.config().clone();
        config.check(&space.name())?;
        Ok(StructureSearch {
            config,
            pretrained,
            enumeration: None,
            cheap: None,
            memory: Memory::new(space, seed),
            features: Vec::new(),
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
    pub fn looking_cheaply(mut self, config: CheapConfig, look: CheapLook<S::Arch>) -> Self {
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
    fn draw(&mut self, count: usize) -> Proposals<S::Arch> {
        let Some(enumeration) = self.enumeration.clone() else { return self.memory.fill(count) };
        let mut asked = Proposals::none();
        let mut order: Vec<usize> = (0..enumeration.archs.len()).collect();
        order.shuffle(&mut self.rng("structure draw"));
        for at in order {
            if asked.proposals.len() == count {
                return asked;
            }
            let arch = &enumeration.archs[at];
            if self.memory.propose(arch) {
                asked.proposals.push(Proposal { arch: arch.clone(), origin: Origin::Random });
            }
        }
        asked.stop = Some(Stop::SpaceExhausted);
        asked
    }

    /// The generator of this round for a purpose.
    fn rng(&self, purpose: &str) -> ChaCha8Rng {
        rng_for(self.memory.seed(), purpose, self.rounds)
    }

    /// Computes the features of what was measured since the last time.
    fn learn_features(&mut self) {
        let (map, space) = (self.pretrained.map(), self.memory.space());
        let new = &self.memory.measured()[self.features.len()..];
        self.features.extend(new.iter().map(|measured| map.features(space, &measured.arch)));
    }

    /// A round that learns.
    fn learn_and_move(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let start = Instant::now();
        let merits = self.memory.merits();
        let targets = match self.config.scores {
            ScoreScale::Ranks => normal_scores(&merits),
            ScoreScale::Values => standard_scores(&merits),
        };
        let process = self.fitted(&targets).map_err(model_error)?;
        let fit_seconds = start.elapsed().as_secs_f64();
        let candidates = self.candidates(&targets)?;
        let mut offered = OriginCounts::default();
        candidates.iter().for_each(|candidate| offered.count(candidate.origin));
        let predictions = process.predict(&candidate_points(self.pretrained.map(), &candidates));
        let mut judged = Judged { process, candidates, predictions };
        if let Some(cheap) = &mut self.cheap {
            let round = Round {
                number: self.rounds,
                config: &self.config,
                pretrained: &self.pretrained,
                memory: &self.memory,
                features: &self.features,
                targets: &targets,
            };
            judged = cheap.look_and_judge(&round, judged).map_err(model_error)?;
        }
        let picked = judged.pick(self.pretrained.map(), &self.config, count);
        let Judged { process, candidates, .. } = judged;
        let mut asked = Proposals::none();
        let mut chosen = OriginCounts::default();
        for pick in picked {
            let candidate = &candidates[pick];
            if self.memory.propose(&candidate.arch) {
                chosen.count(candidate.origin);
                asked.proposals.push(Proposal { arch: candidate.arch.clone(), origin: candidate.origin });
            }
        }
        if asked.proposals.len() < count {
            let filling = self.draw(count - asked.proposals.len());
            filling.proposals.iter().for_each(|proposal| chosen.count(proposal.origin));
            asked.proposals.extend(filling.proposals);
            asked.stop = filling.stop;
        }
        self.report = Some(StructureReport {
            round: self.rounds,
            trained_on: merits.len(),
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
    fn fitted(&mut self, targets: &[f64]) -> Result<GaussianProcess, ControllerError> {
        let points = Points::new(self.pretrained.map(), &self.features);
        let search = self.config.evidence_search(self.features.first());
        let mut rng = self.rng("structure fit");
        let process = GaussianProcess::fit(points, targets, &search, &self.kernels[0], &mut rng)?;
        self.kernels[0] = process.kernels().to_vec();
        Ok(process)
    }

    /// All architectures among which proposals are chosen, none of them known.
    fn candidates(&mut self, targets: &[f64]) -> Result<Vec<Candidate<S::Arch>>, StrategyError> {
        if let Some(enumeration) = &self.enumeration {
            let all = enumeration.archs.iter().zip(&enumeration.keys).zip(&enumeration.features);
            let new = all.filter(|((_, key), _)| !self.memory.knows(key)).map(|((arch, key), features)| {
                let (arch, key, features) = (arch.clone(), key.clone(), features.clone());
                Candidate { arch, key, origin: Origin::Random, features, score: None }
            });
            return Ok(new.collect());
        }
        let parents: Vec<Measured<S::Arch>> =
            self.memory.parents(self.config.parents).into_iter().cloned().collect();
        let mut found: Vec<(S::Arch, Origin)> = Vec::new();
        if !self.config.step_sizes.is_empty() && self.config.steps > 0 {
            found.extend(match self.config.points {
                StartPoints::Moved => self.moved(targets, &parents)?,
                StartPoints::Random => self.anywhere(parents.len())?,
            });
        }
        found.extend(self.neighbours(&parents));
        let space = self.memory.space();
        let mut seen = HashSet::new();
        let mut candidates = Vec::with_capacity(found.len());
        for (arch, origin) in found {
            let key = space.key(&arch);
            if !self.memory.knows(&key) && seen.insert(key.clone()) {
                let features = self.pretrained.map().features(space, &arch);
                candidates.push(Candidate { arch, key, origin, features, score: None });
            }
        }
        Ok(candidates)
    }

    /// Neighbours of parents, each in another spelling; of too many, random ones.
    fn neighbours(&self, parents: &[Measured<S::Arch>]) -> Vec<(S::Arch, Origin)> {
        let space = self.memory.space();
        let mut rng = self.rng("structure neighbours");
        let mut neighbours: Vec<(S::Arch, Origin)> = Vec::new();
        for parent in parents {
            let spelled = space.respell(&parent.arch, &mut rng);
            let origin = Origin::Mutation { parent: parent.trial };
            neighbours.extend(space.neighbours(&spelled).into_iter().map(|arch| (arch, origin)));
        }
        neighbours.shuffle(&mut rng);
        neighbours.truncate(self.config.neighbours);
        neighbours
    }

    /// What ascent from the parents decodes to, step by step.
    fn moved(
        &mut self,
        targets: &[f64],
        parents: &[Measured<S::Arch>],
    ) -> Result<Vec<(S::Arch, Origin)>, StrategyError> {
        let pretrained = Arc::clone(&self.pretrained);
        // Observations as the readout sees them, so that starts and observations are in the same place.
        let sequences = |measured: &[Measured<S::Arch>]| -> Vec<Vec<Token>> {
            measured.iter().map(|measured| measured.sequence.clone()).collect()
        };
        let embeddings = pretrained.encode(&sequences(self.memory.measured()));
        let points = Points::of_structure(&pretrained.read(embeddings));
        let search = EvidenceSearch {
            draws: vec![(KernelForm::Structure, self.config.draws)],
            keep: self.config.keep,
            refinements: self.config.refinements,
        };
        let mut rng = self.rng("structure ascent");
        let process = GaussianProcess::fit(points, targets, &search, &self.kernels[1], &mut rng);
        let process = process.map_err(model_error)?;
        self.kernels[1] = process.kernels().to_vec();
        let starts = pretrained.encode(&sequences(parents));
        let moves =
            Moves { sizes: &self.config.step_sizes, steps: self.config.steps, kappa: self.config.kappa };
        let mut found = Vec::new();
        for embedding in pretrained.ascend(&process, &starts, &moves) {
            let decoded = pretrained.decode(embedding, self.memory.space()).map_err(model_error)?;
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
        let mut rng = self.rng("structure points");
        let mut found = Vec::new();
        for _ in 0..self.config.steps {
            let points = self.pretrained.random_points(self.config.step_sizes.len() * parents, &mut rng);
            for sequence in self.pretrained.decode(points, self.memory.space()).map_err(model_error)? {
                found.push((self.arch(&sequence)?, Origin::Random));
            }
        }
        Ok(found)
    }

    fn arch(&self, sequence: &[Token]) -> Result<S::Arch, StrategyError> {
        self.memory.space().decode(sequence).map_err(model_error)
    }
}

impl<S: Graphs> Strategy<S> for StructureSearch<S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        self.report = None;
        let asked = match count > 0 && !self.memory.measured().is_empty() {
            true => self.learn_and_move(count)?,
            false => self.draw(count),
        };
        self.rounds += 1;
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        self.memory.tell(NAME, observations)?;
        self.learn_features();
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        let state = StructureState {
            space: self.memory.space().name(),
            config: self.config.clone(),
            seed: self.memory.seed(),
            rounds: self.rounds,
            kernels: self.kernels.clone(),
            memory: self.memory.state(),
            cheap: self.cheap.as_ref().map(CheapLooks::state),
        };
        saved_state::to_bytes(NAME, &state)
    }

    fn report(&self) -> Option<serde_json::Value> {
        serde_json::to_value(self.report.as_ref()?).ok()
    }

    fn restore(&mut self, bytes: &[u8], told: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let state: StructureState<S::Arch> = saved_state::from_bytes(NAME, bytes)?;
        state.check(&self.memory.space().name(), &self.config, self.memory.seed())?;
        let memory = self.memory.restored(NAME, state.memory, told)?;
        match (&mut self.cheap, state.cheap) {
            (Some(cheap), Some(state)) => cheap.restore(state)?,
            (None, None) => {}
            _ => {
                let message = "either it or this search, but not both, looks at cheap labels";
                return Err(saved_state::refused(NAME, message));
            }
        }
        self.memory = memory;
        self.features.clear();
        self.learn_features();
        self.rounds = state.rounds;
        self.kernels = state.kernels;
        self.report = None;
        Ok(())
    }
}

fn model_error(error: impl Display) -> StrategyError {
    StrategyError::Model { strategy: NAME.into(), message: error.to_string() }
}
