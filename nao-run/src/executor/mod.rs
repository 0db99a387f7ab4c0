//! Where trials run: the trait, and its engines. Threads of this process; processes on this machine; workers that share
//! the run folder; jobs of Slurm.

mod clock;
mod epochs;
mod exchange;
mod local;
mod protocol;
mod slurm;
mod threads;
mod workers;

use std::time::Duration;

use nao_space::{EpochReport, EvaluationError, Measurement, Trial, TrialId};

use crate::error::Result;

pub use clock::{Clock, RealClock};
pub use epochs::EpochFile;
pub use exchange::{
    Attempt, AttemptNumber, Beat, Claim, Claimant, CopyOfAttempt, Exchange, Leases, Naming, NoKey, Pace,
    Place, Published, Standing, TaskBoard, TaskFile, TaskKey, TaskResult, WorkOrder, WorkerId, publish_once,
};
pub use local::{LocalExecutor, WorkerSettings};
pub use protocol::FromWorker;
pub use slurm::{
    ArrayJob, Batch, JobNumber, Scheduler, SchedulerError, SchedulerLimits, Slurm, SlurmCommands,
    SlurmExecutor, SlurmSettings, TaskReport, TaskStart, TaskState, check_arguments, check_shared,
    check_slurm,
};
pub use threads::ThreadsExecutor;
pub use workers::WorkersExecutor;

/// Runs trials somewhere and returns the outcome of each exactly once.
pub trait Executor<A> {
    /// A coordinator begins, or goes on after others. Gives `record` the outcomes that came while none was there, or that
    /// one before it had not put away, each of which goes once it is recorded; then lets workers work.
    fn recover(&mut self, _record: &mut dyn FnMut(TrialOutcome) -> Result<()>) -> Result<()> {
        Ok(())
    }

    /// Why everything that works for the run was asked to stop from outside, if it was.
    fn asked_to_stop(&self) -> Option<String> {
        None
    }

    /// Takes trials over; they start in this order as slots become free. Those that an earlier coordinator has handed
    /// over may be at work, or done.
    fn submit(&mut self, trials: Vec<Trial<A>>) -> Result<()>;

    /// What happened since the last call; waits up to `timeout` for something to happen.
    fn poll(&mut self, timeout: Duration) -> Result<Vec<Event>>;

    /// The outcome of a trial is recorded: what belongs to it may go.
    fn settled(&mut self, _trial: TrialId) -> Result<()> {
        Ok(())
    }

    /// The coordinator goes before the search is over.
    fn leave(&mut self) -> OpenTrials;

    /// The search is over, or has failed: no more trials come, and nobody needs to work on.
    fn dismiss(&mut self, _why: &str) -> Result<()> {
        Ok(())
    }
}

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
