//! The loop: rounds of proposals until the budget is spent or nothing new is left (docs/specification.md, d.1).
//!
//! [`SearchLoop`] holds the arithmetic of rounds for a program that stores and distributes trials itself;
//! [`run_search`] is the whole loop for one process.

use serde::{Deserialize, Serialize};

use super::strategy::{Observation, Origin, Proposals, Stop, Strategy, StrategyError};
use crate::language::Space;
use crate::seed::seed_for;
use crate::trial::{EvaluationError, Evaluator, Measurement, Quiet, Trial, TrialId};

/// How many trials a search may spend, and in which portions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundLimits {
    /// Trials of the first round, the seed architectures.
    pub initial: u64,
    /// Trials of every later round.
    pub per_round: u64,
    /// Trials in all.
    pub budget: u64,
}

/// One round: its number and how many trials it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// Counted from 0.
    pub index: u64,
    /// Number of trials.
    pub trials: u64,
}

/// The arithmetic of a search: which round comes next, which numbers and seeds its trials get.
#[derive(Clone, Debug)]
pub struct SearchLoop {
    limits: RoundLimits,
    seed: u64,
    rounds: u64,
    trials: u64,
}

impl SearchLoop {
    /// A loop that has not begun.
    pub fn new(limits: RoundLimits, seed: u64) -> Self {
        SearchLoop { limits, seed, rounds: 0, trials: 0 }
    }

    /// A loop in which `rounds` rounds with `trials` trials in all were proposed already.
    pub fn resumed(limits: RoundLimits, seed: u64, rounds: u64, trials: u64) -> Self {
        SearchLoop { limits, seed, rounds, trials }
    }

    /// The next round, or `None` when the budget is spent.
    pub fn next_round(&self) -> Option<Round> {
        let wanted = if self.rounds == 0 { self.limits.initial } else { self.limits.per_round };
        let trials = wanted.min(self.limits.budget.saturating_sub(self.trials));
        (trials > 0).then_some(Round { index: self.rounds, trials })
    }

    /// Numbers the proposals of the next round and gives each its seed.
    pub fn open_round<A>(&mut self, asked: Proposals<A>) -> Vec<(Trial<A>, Origin)> {
        self.rounds += 1;
        let numbered = asked.proposals.into_iter().map(|proposal| {
            self.trials += 1;
            let id = TrialId(self.trials);
            let seed = seed_for(self.seed, "trial", id.0);
            (Trial { id, arch: proposal.arch, seed }, proposal.origin)
        });
        numbered.collect()
    }
}

/// What a search did.
#[derive(Clone, Debug)]
pub struct History<A> {
    /// Every trial in order, with its round, its origin and its outcome.
    pub trials: Vec<FinishedTrial<A>>,
    /// Why the search ended before its budget, if it did.
    pub stop: Option<Stop>,
    /// What strategies warned of, in order.
    pub warnings: Vec<String>,
}

/// One trial of a history.
#[derive(Clone, Debug)]
pub struct FinishedTrial<A> {
    /// The trial.
    pub trial: Trial<A>,
    /// The round that proposed it, counted from 0.
    pub round: u64,
    /// How it was found.
    pub origin: Origin,
    /// What it measured, or why it did not.
    pub outcome: Result<Measurement, EvaluationError>,
}

impl<A> History<A> {
    /// The best trial that measured a number; of equals the earliest.
    pub fn best(&self) -> Option<(&FinishedTrial<A>, &Measurement)> {
        let measured = self.trials.iter().filter_map(|trial| Some((trial, trial.outcome.as_ref().ok()?)));
        measured.reduce(|best, next| {
            let merit = |(_, m): &(&FinishedTrial<A>, &Measurement)| m.objective.merit(m.value);
            if merit(&next) > merit(&best) { next } else { best }
        })
    }
}

/// Why a search cannot go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The strategy failed.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// Every trial of a round failed: going on would spend the budget for nothing.
    #[error("every trial of round {} failed ({trials} in all); the last one: {last}", .round + 1)]
    RoundFailed {
        /// The round, counted from 0.
        round: u64,
        /// Its number of trials.
        trials: usize,
        /// The reason of the last failure.
        last: EvaluationError,
    },
}

/// Runs a whole search in this thread.
///
/// # Errors
/// When the strategy fails, or every trial of a round does.
///
/// ```
/// use nao_space::search::{RandomSearch, RoundLimits, run_search};
/// use nao_space::{CnnArch, CnnSpace, Evaluator, EvaluationError, Fidelity, Measurement, Objective, Progress, Trial};
///
/// /// Likes cells with many loose ends.
/// struct LooseEnds;
/// impl Evaluator<CnnArch> for LooseEnds {
///     fn objective(&self) -> Objective {
///         Objective::validation_accuracy()
///     }
///     fn evaluate(&self, trial: &Trial<CnnArch>, _: &mut dyn Progress) -> Result<Measurement, EvaluationError> {
///         let value = trial.arch.normal.loose_ends().len() as f64 / 6.0;
///         Ok(Measurement::new(self.objective(), value).at(Fidelity::new("toy", 0)))
///     }
/// }
///
/// let space = CnnSpace::default();
/// let limits = RoundLimits { initial: 10, per_round: 5, budget: 20 };
/// let history = run_search::<CnnSpace>(&mut RandomSearch::new(space, 1), &LooseEnds, limits, 1)?;
/// assert_eq!(history.trials.len(), 20);
/// assert!(history.best().unwrap().1.value > 0.5);
/// # Ok::<(), nao_space::search::SearchError>(())
/// ```
pub fn run_search<S: Space>(
    strategy: &mut dyn Strategy<S>,
    evaluator: &dyn Evaluator<S::Arch>,
    limits: RoundLimits,
    seed: u64,
) -> Result<History<S::Arch>, SearchError> {
    let mut rounds = SearchLoop::new(limits, seed);
    let mut history = History { trials: Vec::new(), stop: None, warnings: Vec::new() };
    while let Some(round) = rounds.next_round() {
        let asked = strategy.ask(round.trials as usize)?;
        history.stop = asked.stop;
        history.warnings.extend(asked.warnings.iter().cloned());
        let first = history.trials.len();
        for (trial, origin) in rounds.open_round(asked) {
            let outcome = evaluator.evaluate(&trial, &mut Quiet);
            history.trials.push(FinishedTrial { trial, round: round.index, origin, outcome });
        }
        let finished = &history.trials[first..];
        if let Some(Err(last)) = finished.last().map(|last| &last.outcome)
            && finished.iter().all(|trial| trial.outcome.is_err())
        {
            let last = last.clone();
            return Err(SearchError::RoundFailed { round: round.index, trials: finished.len(), last });
        }
        let observed = finished.iter().map(|trial| Observation {
            trial: trial.trial.id,
            arch: trial.trial.arch.clone(),
            objective: evaluator.objective(),
            value: trial.outcome.as_ref().ok().map(|measurement| measurement.value),
        });
        strategy.tell(&observed.collect::<Vec<_>>())?;
        if history.stop.is_some() {
            break;
        }
    }
    Ok(history)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_spend_the_budget_and_no_more() {
        let limits = RoundLimits { initial: 4, per_round: 3, budget: 9 };
        let mut rounds = SearchLoop::new(limits, 1);
        let mut sizes = Vec::new();
        while let Some(round) = rounds.next_round() {
            sizes.push(round.trials);
            let proposals =
                (0..round.trials).map(|arch| super::super::Proposal { arch, origin: Origin::Random });
            let opened =
                rounds.open_round(Proposals { proposals: proposals.collect(), stop: None, warnings: vec![] });
            assert_eq!(opened.len() as u64, round.trials);
        }
        assert_eq!(sizes, [4, 3, 2]);
    }
}
