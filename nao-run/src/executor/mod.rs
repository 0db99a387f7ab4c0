//! Where trials run: the trait, and its engines. Threads of this process; processes on this machine; workers that share
//! the run folder; jobs of Slurm.

mod clock;
mod epochs;
mod event;
mod exchange;
mod local;
mod protocol;
mod slurm;
mod threads;
mod workers;

use std::time::Duration;

use nao_space::{Trial, TrialId};

use crate::error::Result;

pub use clock::{Clock, RealClock};
pub use epochs::EpochFile;
pub use event::{Event, OpenTrials, Standing, Start, TrialOutcome};
pub use exchange::{
    Attempt, AttemptNumber, Beat, Claim, Claimant, CopyOfAttempt, Exchange, Leases, Naming, NoKey, Pace,
    Place, Published, TaskBoard, TaskFile, TaskKey, TaskResult, WorkOrder, WorkerId, publish_once,
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
