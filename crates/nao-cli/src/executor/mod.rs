//! Where trials run: the trait, and the engine that runs them in processes on this machine.

mod local;
mod protocol;

use std::time::Duration;

use anyhow::Result;
use nao_space::{EpochReport, EvaluationError, Measurement, Trial, TrialId};

pub use local::{LocalExecutor, WorkerSettings};
pub use protocol::FromWorker;

/// Runs trials somewhere and returns the outcome of each exactly once.
pub trait Executor<A> {
    /// Takes trials over; they start in this order as slots become free.
    fn submit(&mut self, trials: Vec<Trial<A>>);

    /// What happened since the last call; waits up to `timeout` for something to happen.
    fn poll(&mut self, timeout: Duration) -> Result<Vec<Event>>;

    /// Stops all running trials at once, without outcome, and forgets the waiting ones.
    fn stop(&mut self);
}

/// What an executor reports.
#[derive(Debug)]
pub enum Event {
    /// A trial began in a slot.
    Started {
        /// The slot, from 0.
        slot: usize,
        /// The trial.
        trial: TrialId,
    },
    /// A trial finished an epoch.
    Epoch {
        /// The slot, from 0.
        slot: usize,
        /// The trial.
        trial: TrialId,
        /// The state of its training.
        report: EpochReport,
    },
    /// A trial is over.
    Finished {
        /// The slot, from 0.
        slot: usize,
        /// The trial.
        trial: TrialId,
        /// What it measured, or why it failed.
        outcome: Result<Measurement, EvaluationError>,
    },
}
