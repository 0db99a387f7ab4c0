//! The search of NAO: learn from everything measured, move the best, decode what is new (docs/specification.md, d.1).

mod config;
mod report;
mod state;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::time::Instant;

use burn::tensor::Device;
use nao_space::search::{
    Measured, Memory, Observation, Origin, Proposal, Proposals, Stop, Strategy, StrategyError,
};
use nao_space::seed::rng_for;
use nao_space::{Space, Token};

pub use self::config::NaoConfig;
pub use self::report::{ProposalCounts, RoundReport};
pub use self::state::controller_weights;

use self::state::{Saved, State};
use super::NAO as NAME;
use crate::error::ControllerError;
use crate::language::Language;
use crate::lstm::Controller;
use crate::lstm::training::FitReport;
use crate::metrics;
use crate::targets::Targets;

/// Neural architecture optimization as a [`Strategy`].
pub struct NaoSearch<S: Space> {
    config: NaoConfig,
    language: Language,
    device: Device,
    memory: Memory<S>,
    /// Asks so far.
    rounds: u64,
    /// The controller of the last round.
    controller: Option<Controller>,
    report: Option<RoundReport>,
}

impl<S: Space> NaoSearch<S> {
    /// A search of `space` from a seed; the controller computes on `device`.
    ///
    /// # Errors
    /// When the configuration does not fit the space.
    pub fn new(space: S, config: NaoConfig, seed: u64, device: Device) -> Result<Self, ControllerError> {
        let language = Language::of(&space);
        config.check(&language)?;
        let memory = Memory::new(space, seed);
        Ok(NaoSearch { config, language, device, memory, rounds: 0, controller: None, report: None })
    }

    /// The same search, whose first training goes on from these weights
    /// ([`controller_weights`] of another search) where it is set to keep weights.
    ///
    /// # Errors
    /// When they do not fit the settings.
    pub fn going_on_from(mut self, weights: &[u8]) -> Result<Self, ControllerError> {
        let mut controller = self.fresh_controller(0)?;
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

    /// A controller with the weights that a round begins with.
    fn fresh_controller(&self, round: u64) -> Result<Controller, ControllerError> {
        let mut rng = rng_for(self.memory.seed(), "controller weights", round);
        Controller::new(self.config.controller.clone(), self.language.clone(), &self.device, &mut rng)
    }

    /// A round that learns.
    fn learn_and_move(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let targets = Targets::min_max(&self.memory.merits());
        let mut asked = Proposals { warnings: targets.warning.into_iter().collect(), ..Proposals::none() };
        let sequences: Vec<Vec<Token>> =
            self.memory.measured().iter().map(|measured| measured.sequence.clone()).collect();
        let values: Vec<f32> = targets.values.iter().copied().flatten().collect();
        let (controller, fit) = self.fitted(&sequences, &values).map_err(model_error)?;
        let start = Instant::now();
        let space = self.memory.space();
        let mut report = assess(&controller, space, &sequences, &values, &fit).map_err(model_error)?;
        self.ascend(&controller, count, &mut asked, &mut report)?;
        self.controller = Some(controller);
        let found = asked.proposals.len();
        let mut random = 0;
        if found == 0 {
            asked.stop = Some(Stop::NothingNewAfterStepLimit { step: self.config.step_limit });
        } else if found < count {
            random = self.memory.fill_up(&mut asked, count);
            asked.warnings.push(format!(
                "steps up to {} gave {found} of the {count} new architectures asked for; drawn at random: {random}",
                self.config.step_limit,
            ));
        }
        report.proposals = ProposalCounts { ascent: found, random };
        report.round = self.rounds;
        report.propose_seconds = start.elapsed().as_secs_f64();
        self.report = Some(report);
        Ok(asked)
    }

    /// A controller trained on the pool.
    fn fitted(
        &self,
        sequences: &[Vec<Token>],
        targets: &[f32],
    ) -> Result<(Controller, FitReport), ControllerError> {
        let kept = if self.config.warm_start { self.controller.clone() } else { None };
        let mut controller = match kept {
            Some(controller) => controller,
            None => self.fresh_controller(self.rounds)?,
        };
        let mut rng = rng_for(self.memory.seed(), "controller fit", self.rounds);
        let fit = controller.fit(sequences, targets, self.memory.space(), &mut rng)?;
        Ok((controller, fit))
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
        let parents: Vec<Measured<S::Arch>> =
            self.memory.parents(self.config.seeds).into_iter().cloned().collect();
        let sequences: Vec<Vec<Token>> = parents.iter().map(|parent| parent.sequence.clone()).collect();
        let embedding = controller.encode(&sequences).map_err(model_error)?;
        report.parents = parents.len();
        for step in self.config.clone().steps() {
            report.largest_step = Some(step);
            let moved = controller.ascend(&embedding, step);
            let decoded = controller.decode(&moved, self.memory.space()).map_err(model_error)?;
            report.decoded += decoded.len();
            for (parent, sequence) in parents.iter().zip(decoded) {
                if asked.proposals.len() == count {
                    return Ok(());
                }
                let arch = self.memory.space().decode(&sequence).map_err(model_error)?;
                if self.memory.propose(&arch) {
                    let origin = Origin::Ascent { parent: parent.trial, step };
                    asked.proposals.push(Proposal { arch, origin });
                }
            }
        }
        Ok(())
    }
}

impl<S: Space> Strategy<S> for NaoSearch<S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        self.report = None;
        let asked = if count == 0 || self.memory.told() == 0 {
            self.memory.fill(count)
        } else if self.memory.measured().is_empty() {
            let warning = Targets::min_max(&[]).warning;
            Proposals { warnings: warning.into_iter().collect(), ..self.memory.fill(count) }
        } else {
            self.learn_and_move(count)?
        };
        self.rounds += 1;
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        self.memory.tell(NAME, observations).map(drop)
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        let state = State {
            language: self.language.clone(),
            config: self.config.clone(),
            seed: self.memory.seed(),
            rounds: self.rounds,
            memory: self.memory.state(),
        };
        state.to_bytes(self.controller.as_ref())
    }

    fn report(&self) -> Option<serde_json::Value> {
        serde_json::to_value(self.report.as_ref()?).ok()
    }

    fn restore(&mut self, bytes: &[u8], told: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let Saved { state, weights } = State::from_bytes(bytes)?;
        state.check(&self.language, &self.config, self.memory.seed())?;
        let memory = self.memory.restored(NAME, state.memory, told)?;
        let controller = match weights.is_empty() {
            true => None,
            false => {
                let mut controller = self.fresh_controller(0).map_err(model_error)?;
                controller.load(weights).map_err(model_error)?;
                Some(controller)
            }
        };
        self.memory = memory;
        self.controller = controller;
        self.rounds = state.rounds;
        self.report = None;
        Ok(())
    }
}

fn model_error(error: impl Display) -> StrategyError {
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
