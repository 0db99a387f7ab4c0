//! The search of NAO: learn from everything measured, move the best, decode what is new (docs/specification.md, d.1).

use std::collections::HashSet;
use std::time::Instant;

use burn::tensor::Device;
use nao_space::search::{
    Observation, Origin, Proposal, Proposals, RandomSearch, Stop, Strategy, StrategyError,
};
use nao_space::seed::rng_for;
use nao_space::{Space, Token, TrialId};
use serde::{Deserialize, Serialize};

use super::report::{ProposalCounts, RoundReport};
use super::state::State;
use crate::config::ControllerConfig;
use crate::controller::Controller;
use crate::error::ControllerError;
use crate::language::Language;
use crate::metrics;
use crate::targets::Targets;
use crate::training::FitReport;

/// Settings of the search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NaoConfig {
    /// The networks and their training.
    pub controller: ControllerConfig,
    /// How many of the best architectures are moved (K).
    pub seeds: usize,
    /// The first step size (eta).
    pub first_step: f64,
    /// By how much the step grows while too few new architectures were found.
    pub step_increment: f64,
    /// The largest step tried, itself included.
    pub step_limit: f64,
    /// Whether a round goes on from the weights of the last one (as V1 does) or from new ones. Adam starts
    /// afresh in either case.
    pub warm_start: bool,
}

impl Default for NaoConfig {
    /// V1's search (docs/specification.md, d.3): 100 seeds, steps 1, 2, ... up to 51, weights kept.
    fn default() -> Self {
        NaoConfig {
            controller: ControllerConfig::default(),
            seeds: 100,
            first_step: 1.0,
            step_increment: 1.0,
            step_limit: 51.0,
            warm_start: true,
        }
    }
}

impl NaoConfig {
    /// Checks every field, alone and against the language.
    ///
    /// # Errors
    /// Names the first field that cannot be, its value and what it may be.
    pub fn check(&self, language: &Language) -> Result<(), ControllerError> {
        let refuse = |field: &'static str, problem: String| {
            Err(ControllerError::Config { field, problem, space: language.space.clone() })
        };
        if self.seeds == 0 {
            return refuse("seeds", "is 0; it must be at least 1".into());
        }
        for (field, value) in [("first_step", self.first_step), ("step_increment", self.step_increment)] {
            if !(value.is_finite() && value > 0.0) {
                return refuse(field, format!("is {value}; it must be above 0"));
            }
        }
        if !(self.step_limit.is_finite() && self.step_limit >= self.first_step) {
            let problem =
                format!("is {}; it must be at least first_step = {}", self.step_limit, self.first_step);
            return refuse("step_limit", problem);
        }
        self.controller.check(language)
    }

    /// The step sizes in order.
    pub(super) fn steps(&self) -> impl Iterator<Item = f64> + '_ {
        // Multiples rather than a running sum, which would drift and miss the limit.
        (0u32..)
            .map(|index| self.first_step + f64::from(index) * self.step_increment)
            .take_while(|&step| step <= self.step_limit)
    }
}

/// Neural architecture optimization as a [`Strategy`].
pub struct NaoSearch<'a, S: Space> {
    space: &'a S,
    config: NaoConfig,
    language: Language,
    seed: u64,
    device: Device,
    /// Draws architectures, and knows every one ever proposed or told.
    random: RandomSearch<'a, S>,
    observations: Vec<Observation<S::Arch>>,
    /// Asks so far.
    rounds: u64,
    /// The controller of the last round.
    controller: Option<Controller>,
    report: Option<RoundReport>,
}

/// An architecture that is moved, and the trial that measured it.
struct Parent {
    trial: TrialId,
    sequence: Vec<Token>,
}

impl<'a, S: Space> NaoSearch<'a, S> {
    /// A search of `space` from a seed; the controller computes on `device`.
    ///
    /// # Errors
    /// When the configuration does not fit the space.
    pub fn new(space: &'a S, config: NaoConfig, seed: u64, device: Device) -> Result<Self, ControllerError> {
        let language = Language::of(space);
        config.check(&language)?;
        Ok(NaoSearch {
            space,
            config,
            language,
            seed,
            device,
            random: RandomSearch::new(space, seed),
            observations: Vec::new(),
            rounds: 0,
            controller: None,
            report: None,
        })
    }

    /// The same search, whose first training goes on from these weights
    /// ([`controller_weights`](super::controller_weights) of another search) where it is set to keep weights.
    ///
    /// # Errors
    /// When they do not fit the settings.
    pub fn going_on_from(mut self, weights: &[u8]) -> Result<Self, ControllerError> {
        let mut rng = rng_for(self.seed, "controller weights", 0);
        let config = self.config.controller.clone();
        let mut controller = Controller::new(config, self.language.clone(), &self.device, &mut rng)?;
        controller.load_safetensors(weights)?;
        self.controller = Some(controller);
        Ok(self)
    }

    /// The settings.
    pub fn config(&self) -> &NaoConfig {
        &self.config
    }

    /// What the last ask did; `None` if it trained nothing. Not part of a saved state.
    pub fn last_report(&self) -> Option<&RoundReport> {
        self.report.as_ref()
    }

    /// The controller as the last training left it.
    pub fn controller(&self) -> Option<&Controller> {
        self.controller.as_ref()
    }

    /// A round without anything to learn from.
    fn draw(&mut self, count: usize, warning: Option<String>) -> Result<Proposals<S::Arch>, StrategyError> {
        let mut asked = self.random.ask(count)?;
        asked.warnings.extend(warning);
        Ok(asked)
    }

    /// A round that learns.
    fn learn_and_move(&mut self, count: usize, round: u64) -> Result<Proposals<S::Arch>, StrategyError> {
        let merits: Vec<f64> = self.observations.iter().filter_map(Observation::merit).collect();
        let targets = Targets::min_max(&merits);
        if merits.is_empty() {
            return self.draw(count, targets.warning);
        }
        let sequences: Vec<Vec<Token>> =
            self.measured().map(|(observation, _)| self.space.encode(&observation.arch)).collect();
        let values: Vec<f32> = targets.values.iter().copied().flatten().collect();
        let (controller, fit) = self.fitted(&sequences, &values, round).map_err(model_error)?;
        let start = Instant::now();
        let mut report = assess(&controller, self.space, &sequences, &values, &fit).map_err(model_error)?;
        let mut asked = Proposals { proposals: Vec::new(), stop: None, warnings: Vec::new() };
        asked.warnings.extend(targets.warning);
        self.ascend(&controller, count, &mut asked, &mut report)?;
        self.controller = Some(controller);
        let found = asked.proposals.len();
        if found == 0 {
            asked.stop = Some(Stop::NothingNewAfterStepLimit { step: self.config.step_limit });
        } else if found < count {
            let filling = self.random.ask(count - found)?;
            asked.warnings.push(format!(
                "steps up to {} gave {found} of the {count} new architectures asked for; drawn at random: {}",
                self.config.step_limit,
                filling.proposals.len()
            ));
            asked.proposals.extend(filling.proposals);
            asked.stop = filling.stop;
        }
        let random = asked.proposals.len() - found;
        report.proposals = ProposalCounts { ascent: found, random };
        report.round = round;
        report.propose_seconds = start.elapsed().as_secs_f64();
        self.report = Some(report);
        Ok(asked)
    }

    /// Observations with a finite merit, in order of telling.
    fn measured(&self) -> impl Iterator<Item = (&Observation<S::Arch>, f64)> {
        self.observations.iter().filter_map(|observation| Some((observation, observation.merit()?)))
    }

    /// A controller trained on the pool.
    fn fitted(
        &self,
        sequences: &[Vec<Token>],
        targets: &[f32],
        round: u64,
    ) -> Result<(Controller, FitReport), ControllerError> {
        let kept = if self.config.warm_start { self.controller.clone() } else { None };
        let mut controller = match kept {
            Some(controller) => controller,
            None => {
                let mut rng = rng_for(self.seed, "controller weights", round);
                let config = self.config.controller.clone();
                Controller::new(config, self.language.clone(), &self.device, &mut rng)?
            }
        };
        let mut rng = rng_for(self.seed, "controller fit", round);
        let fit = controller.fit(sequences, targets, self.space, &mut rng)?;
        Ok((controller, fit))
    }

    /// The best measured architectures, each once, best first; of equals the earlier trial.
    fn parents(&self) -> Vec<Parent> {
        let mut ranked: Vec<(&Observation<S::Arch>, f64)> = self.measured().collect();
        ranked.sort_by(|(a, merit_a), (b, merit_b)| merit_b.total_cmp(merit_a).then(a.trial.cmp(&b.trial)));
        let mut seen = HashSet::new();
        ranked
            .into_iter()
            .filter(|(observation, _)| seen.insert(self.space.key(&observation.arch)))
            .take(self.config.seeds)
            .map(|(observation, _)| Parent {
                trial: observation.trial,
                sequence: self.space.encode(&observation.arch),
            })
            .collect()
    }

    /// Moves all parents by growing steps, always from where they are, and keeps what decodes to something
    /// canonically new, until there is enough.
    fn ascend(
        &mut self,
        controller: &Controller,
        count: usize,
        asked: &mut Proposals<S::Arch>,
        report: &mut RoundReport,
    ) -> Result<(), StrategyError> {
        let parents = self.parents();
        let sequences: Vec<Vec<Token>> = parents.iter().map(|parent| parent.sequence.clone()).collect();
        let embedding = controller.encode(&sequences).map_err(model_error)?;
        report.parents = parents.len();
        for step in self.config.clone().steps() {
            report.largest_step = Some(step);
            let moved = controller.ascend(&embedding, step);
            let decoded = controller.decode(&moved, self.space).map_err(model_error)?;
            report.decoded += decoded.len();
            for (parent, sequence) in parents.iter().zip(decoded) {
                if asked.proposals.len() == count {
                    return Ok(());
                }
                let arch = self.space.decode(&sequence).map_err(|error| StrategyError::Model {
                    strategy: NAME.into(),
                    message: error.to_string(),
                })?;
                if self.random.learn(&arch) {
                    let origin = Origin::Ascent { parent: parent.trial, step };
                    asked.proposals.push(Proposal { arch, origin });
                }
            }
        }
        Ok(())
    }
}

/// The name of the strategy.
const NAME: &str = "nao";

impl<S: Space> Strategy<S> for NaoSearch<'_, S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let round = self.rounds;
        self.report = None;
        let asked = if count == 0 || self.observations.is_empty() {
            self.draw(count, None)
        } else {
            self.learn_and_move(count, round)
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
        let state = State {
            language: self.language.clone(),
            config: self.config.clone(),
            seed: self.seed,
            rounds: self.rounds,
            observations: self.observations.clone(),
            random: self.random.save()?,
        };
        state.to_bytes(self.controller.as_ref())
    }

    fn report(&self) -> Option<serde_json::Value> {
        serde_json::to_value(self.report.as_ref()?).ok()
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), StrategyError> {
        let saved = State::<S::Arch>::from_bytes(bytes)?;
        saved.state.check(&self.language, &self.config, self.seed)?;
        let controller = match saved.weights.is_empty() {
            true => None,
            false => {
                let mut rng = rng_for(self.seed, "controller weights", 0);
                let config = self.config.controller.clone();
                let mut controller = Controller::new(config, self.language.clone(), &self.device, &mut rng)
                    .map_err(model_error)?;
                controller.load(saved.weights).map_err(model_error)?;
                Some(controller)
            }
        };
        let mut random = RandomSearch::new(self.space, self.seed);
        random.restore(&saved.state.random)?;
        self.random = random;
        self.controller = controller;
        self.observations = saved.state.observations;
        self.rounds = saved.state.rounds;
        self.report = None;
        Ok(())
    }
}

pub(super) fn model_error(error: ControllerError) -> StrategyError {
    StrategyError::Model { strategy: NAME.into(), message: error.to_string() }
}

/// How well the controller knows the pool that it was trained on.
fn assess<S: Space>(
    controller: &Controller,
    space: &S,
    sequences: &[Vec<Token>],
    targets: &[f32],
    fit: &FitReport,
) -> Result<RoundReport, ControllerError> {
    let doubles = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<f64>>();
    let (predictions, targets) = (doubles(&controller.predict(sequences)?), doubles(targets));
    let written = controller.decode(&controller.encode(sequences)?, space)?;
    let last = fit.last();
    let kendall_tau = metrics::kendall_tau(&predictions, &targets);
    Ok(RoundReport {
        round: 0,
        trained_on: sequences.len(),
        epochs: fit.epochs.len(),
        loss: last.map(|losses| losses.loss),
        prediction_loss: last.map(|losses| losses.prediction),
        reconstruction_loss: last.map(|losses| losses.reconstruction),
        // Where there is no tau, the order of pairs is that of the list.
        pairwise_accuracy: kendall_tau.and_then(|_| metrics::pairwise_accuracy(&predictions, &targets)),
        kendall_tau,
        hamming: metrics::mean_hamming(sequences, &written),
        parents: 0,
        largest_step: None,
        decoded: 0,
        proposals: ProposalCounts::default(),
        fit_seconds: fit.seconds,
        propose_seconds: 0.0,
    })
}
