//! What executors say of trials.

use nao_space::{EpochReport, EvaluationError, Measurement, TrialId};

use crate::error::Result;

/// The outcome of a trial that no coordinator has waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialOutcome {
    /// The trial.
    pub trial: TrialId,
    /// What it measured, or why it failed.
    pub outcome: Result<Measurement, EvaluationError>,
    /// Its learning curve.
    pub curve: Vec<EpochReport>,
}

/// What becomes of trials without outcome when the coordinator goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenTrials {
    /// They were stopped.
    Stopped,
    /// They go on by themselves; says where.
    Working(String),
}

/// Which start of a trial it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The next one.
    Next,
    /// That one, counted from 1; it may have been told before.
    Number(u32),
}

/// What an executor reports.
#[derive(Debug)]
pub enum Event {
    /// A trial began.
    Started {
        /// The slot, from 0, where there are slots.
        slot: Option<usize>,
        /// The trial.
        trial: TrialId,
        /// Which start of it this is.
        start: Start,
    },
    /// A trial finished an epoch.
    Epoch {
        /// The slot, from 0, where there are slots.
        slot: Option<usize>,
        /// The trial.
        trial: TrialId,
        /// The state of its training.
        report: EpochReport,
    },
    /// A trial is over.
    Finished {
        /// The slot, from 0, where there are slots.
        slot: Option<usize>,
        /// The trial.
        trial: TrialId,
        /// What it measured, or why it failed.
        outcome: Result<Measurement, EvaluationError>,
    },
    /// Where the open trials stand.
    Standing(Standing),
    /// Something that a person should know.
    Note(String),
}

/// How many trials are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// With a worker.
    pub running: usize,
    /// Of these, without a sign of life for a whole lease.
    pub stale: usize,
    /// Waiting for one.
    pub waiting: usize,
}
