//! What proposes architectures.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::language::Space;
use crate::trial::{Objective, TrialId};

/// A search method: it is asked for architectures and told what they measured.
///
/// Proposals depend only on the seed given at construction and on what was told, in order: never on
/// timing, the number of workers or the order in which they finished.
pub trait Strategy<S: Space> {
    /// The name under which users choose the strategy.
    fn name(&self) -> &str;

    /// Proposes up to `count` new architectures, none canonically equal to one proposed or told before.
    /// Fewer come only with the reason, or where further ones depend on outcomes not told yet, as of a search that goes
    /// level by level.
    ///
    /// # Errors
    /// When the strategy cannot propose at all, as after a training that diverged.
    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError>;

    /// Tells outcomes, each trial once, ordered by trial.
    ///
    /// # Errors
    /// When observations contradict each other, as with two objectives.
    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError>;

    /// Everything that `restore` needs to go on as if nothing had happened, but for what was told, which is kept by
    /// whoever tells it.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn save(&self) -> Result<Vec<u8>, StrategyError>;

    /// Measurements of the strategy on itself during the last ask, such as how well its model ranks: for the
    /// records of a run, never for decisions.
    fn report(&self) -> Option<serde_json::Value> {
        None
    }

    /// Takes over a saved state of a strategy with the same construction, with everything that it had been told when it was
    /// saved, in the same order.
    ///
    /// # Errors
    /// When the bytes are not such a state, or another number of observations belongs to it.
    fn restore(&mut self, state: &[u8], told: &[Observation<S::Arch>]) -> Result<(), StrategyError>;
}

/// What a strategy answers when it is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposals<A> {
    /// The proposals, in the order in which they are to be numbered.
    pub proposals: Vec<Proposal<A>>,
    /// Why there are fewer than asked for; the loop ends the search on it.
    pub stop: Option<Stop>,
    /// Things a person should know, such as a degenerate pool.
    pub warnings: Vec<String>,
}

impl<A> Proposals<A> {
    /// No proposals yet.
    pub fn none() -> Self {
        Proposals { proposals: Vec::new(), stop: None, warnings: Vec::new() }
    }
}

/// Why a strategy had nothing more to propose.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stop", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stop {
    /// Every architecture of the space is known.
    SpaceExhausted,
    /// Moving the seeds up to this step decoded to known architectures only.
    NothingNewAfterStepLimit {
        /// The largest step tried.
        step: f64,
    },
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::SpaceExhausted => f.write_str("space exhausted"),
            Stop::NothingNewAfterStepLimit { step } => write!(f, "nothing new after step limit {step}"),
        }
    }
}

/// An architecture to try, and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal<A> {
    /// What to try.
    pub arch: A,
    /// How it was found.
    pub origin: Origin,
}

/// How an architecture was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// Drawn from the space.
    Random,
    /// Named by a person, to begin with.
    Given,
    /// Decoded from the embedding of `parent` after a gradient step.
    Ascent {
        /// The trial whose architecture was moved.
        parent: TrialId,
        /// The step size (eta in the paper).
        step: f64,
    },
    /// Among the best of a search with shared weights.
    SharedWeights {
        /// Its number in the pool of that search.
        member: u64,
        /// Its score with shared weights.
        score: f64,
    },
    /// Derived from the mixtures of a relaxed network.
    Relaxed,
    /// Drawn from a policy that has learned, or is to learn, what is good.
    Policy,
    /// An edit of `parent`.
    Mutation {
        /// The trial whose architecture was edited.
        parent: TrialId,
    },
}

/// The outcome of one trial as a strategy sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation<A> {
    /// The trial.
    pub trial: TrialId,
    /// What was tried.
    pub arch: A,
    /// What was to be measured.
    pub objective: Objective,
    /// The value, or `None` for a failed trial: known, to be avoided, and no number.
    pub value: Option<f64>,
}

impl<A> Observation<A> {
    /// The value turned so that larger is better; `None` if the trial failed or measured no finite number.
    pub fn merit(&self) -> Option<f64> {
        self.value.filter(|value| value.is_finite()).map(|value| self.objective.merit(value))
    }
}

/// Why a strategy cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StrategyError {
    /// A state that this strategy did not write.
    #[error("cannot restore the state of strategy `{strategy}`: {message}")]
    State {
        /// The strategy.
        strategy: String,
        /// What is wrong.
        message: String,
    },
    /// The model inside the strategy failed.
    #[error("strategy `{strategy}`: {message}")]
    Model {
        /// The strategy.
        strategy: String,
        /// What happened.
        message: String,
    },
}
