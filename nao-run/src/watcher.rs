//! Following a search while it runs.

use nao_space::{EpochReport, EvaluationError, Measurement, TrialId};

use crate::executor::Standing;
use crate::store::StoredTrial;

/// What happens in a search.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RunEvent<'a> {
    /// The search begins, or goes on with these trials of earlier starts.
    Begun {
        /// The trials so far.
        trials: &'a [StoredTrial],
        /// Trials in all.
        budget: u64,
    },
    /// The strategy is at work on a round.
    Choosing {
        /// Counted from 0.
        round: u64,
        /// How many trials it is to have.
        trials: u64,
    },
    /// A round of these trials begins, or goes on.
    Round {
        /// Counted from 0.
        round: u64,
        /// Its trials.
        trials: &'a [StoredTrial],
    },
    /// A trial began.
    Started {
        /// The slot, from 0, where there are slots.
        slot: Option<usize>,
        /// The trial.
        trial: TrialId,
    },
    /// A trial finished an epoch.
    Epoch {
        /// The slot, from 0, where there are slots.
        slot: Option<usize>,
        /// The trial.
        trial: TrialId,
        /// The state of its training.
        report: &'a EpochReport,
    },
    /// A trial is over, and its outcome is kept.
    Finished {
        /// The slot, from 0, where there are slots.
        slot: Option<usize>,
        /// The trial.
        trial: TrialId,
        /// What it measured, or why it failed.
        outcome: &'a Result<Measurement, EvaluationError>,
    },
    /// Where the open trials of the round stand, on other machines.
    Standing(Standing),
    /// Something that a person should know.
    Note(&'a str),
    /// Nothing; told every now and then, so that clocks go on.
    Tick,
}

/// Follows a search. Nothing that it does changes the search.
///
/// Every closure that takes a [`RunEvent`] is one.
pub trait Watcher {
    /// Something happened.
    fn watch(&mut self, event: RunEvent<'_>);
}

impl<F: FnMut(RunEvent<'_>)> Watcher for F {
    fn watch(&mut self, event: RunEvent<'_>) {
        self(event);
    }
}
