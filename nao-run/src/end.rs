//! Whether a run has ended: to resume it as it is would do nothing.

use std::fmt;

use nao_space::search::Stop;

use crate::error::Result;
use crate::store::{Store, TrialStatus};

/// Why a run has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// Every trial of the budget has its outcome.
    BudgetSpent,
    /// The strategy had nothing more to propose.
    Stopped(Stop),
    /// Every trial of that round failed, counted from 0.
    RoundFailed(u64),
}

impl End {
    /// The end of a run of that budget; `None` where it can go on.
    pub fn of(store: &Store, budget: u64) -> Result<Option<Self>> {
        let tally = store.tally()?;
        let rounds = store.rounds()?;
        let Some(last) = rounds.last().filter(|_| tally.proposed + tally.running == 0) else {
            return Ok(None);
        };
        if let Some(stop) = last.stop {
            return Ok(Some(End::Stopped(stop)));
        }
        let trials = store.trials_of_round(last.round)?;
        let is_failed = |status: &TrialStatus| matches!(status, TrialStatus::Failed(_));
        if !trials.is_empty() && trials.iter().all(|trial| is_failed(&trial.status)) {
            return Ok(Some(End::RoundFailed(last.round)));
        }
        Ok((tally.trials() >= budget).then_some(End::BudgetSpent))
    }

    /// Whether the run goes on with a larger budget.
    pub fn yields_to_budget(self) -> bool {
        !matches!(self, End::Stopped(Stop::SpaceExhausted) | End::RoundFailed(_))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::BudgetSpent => f.write_str("budget spent"),
            End::Stopped(stop) => stop.fmt(f),
            End::RoundFailed(round) => write!(f, "every trial of round {} failed", round + 1),
        }
    }
}
