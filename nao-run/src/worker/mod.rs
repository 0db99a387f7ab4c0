//! What works for a run: at a run folder, for any coordinator and together with any other workers ([`WorkerLoop`], and several
//! of them on one node: [`run_group`]); or for a coordinator on this machine, which sends trials one by one
//! ([`serve_pipe`]).

mod joining;
mod pipe_worker;
mod supervised_training;
mod worker_group;
mod worker_loop;

use nao_space::{Checkpointing, EvaluationError, Measurement, Progress, Trial, TrialId, quantity};

pub use joining::{device_of_slot, processors_of_task, tasks_of_batch, wait_for_folder, wait_for_order};
pub use pipe_worker::serve_pipe;
pub use supervised_training::{SupervisedTraining, TrainingEnd};
pub use worker_group::{GroupSettings, run_group};
pub use worker_loop::WorkerLoop;

/// Tries one architecture: mostly [`Evaluator::evaluate_resumably`](nao_space::Evaluator::evaluate_resumably), on the
/// threads that the worker has.
pub trait TryOne<A>:
    Fn(&Trial<A>, &Checkpointing, &mut (dyn Progress + Send)) -> Result<Measurement, EvaluationError>
{
}

impl<A, F> TryOne<A> for F where
    F: Fn(&Trial<A>, &Checkpointing, &mut (dyn Progress + Send)) -> Result<Measurement, EvaluationError>
{
}

/// Where a worker says what it does.
pub trait WorkerLog: Sync {
    /// Something that happens all the time, such as the begin of a trial.
    fn say(&self, line: &str);

    /// Something that a person should know.
    fn warn(&self, line: &str);

    /// A trial is over, and its outcome published.
    fn published(&self, trial: TrialId, outcome: &Result<Measurement, EvaluationError>);
}

/// Adds the most memory that this process ever held to a measurement: a later trial shows no less than an earlier one.
fn add_peak(measurement: &mut Measurement) {
    if let Some(peak) = crate::memory::peak_mib() {
        measurement.extra.insert(quantity::PEAK_MEMORY_MIB.to_owned(), peak);
    }
}
