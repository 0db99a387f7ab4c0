//! How a run stands, seen from outside: from its files, from any machine that has them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use nao_space::TrialId;
use serde::Serialize;

use crate::end::End;
use crate::error::Result;
use crate::execution::Engine;
use crate::executor::{CopyOfAttempt, Exchange, Slurm, WorkerId};
use crate::folder::RunFolder;
use crate::settings::Difference;
use crate::store::TrialStatus;

/// How a run stands.
#[derive(Clone, Debug, Serialize)]
pub struct RunStatus {
    /// The run folder.
    pub run: String,
    /// Where its children are trained.
    pub executor: Engine,
    /// Which process coordinates it.
    pub coordinator: Option<String>,
    /// Why everything that works for it is to stop.
    pub stopped: Option<String>,
    /// Why there is nothing to go on with, if so.
    pub ended: Option<String>,
    /// Settings of `run.toml` that are not those of the run.
    pub edited: Vec<String>,
    /// Rounds that are open or over.
    pub rounds: u64,
    /// Trials in all.
    pub budget: u64,
    /// Measured trials.
    pub done: usize,
    /// Failed trials by reason.
    pub failed: BTreeMap<String, usize>,
    /// Trials whose outcome is there for the coordinator to record.
    pub unrecorded: usize,
    /// Open trials that no process works on.
    pub waiting: usize,
    /// Open trials that some process works on.
    pub running: Vec<RunningTrial>,
    /// What the scheduler has of the run, where there is one.
    pub scheduler: Option<SchedulerStatus>,
}

/// A trial that some process works on.
#[derive(Clone, Debug, Serialize)]
pub struct RunningTrial {
    /// The trial.
    pub trial: TrialId,
    /// Which attempt at it, from 1.
    pub attempt: u32,
    /// The worker that has it, where that is known.
    #[serde(flatten)]
    pub holder: Option<WorkerId>,
    /// Epochs done.
    pub epoch: u32,
    /// Epochs in all, once one is done.
    pub epochs: Option<u32>,
    /// Mean training loss of the last epoch.
    pub train_loss: Option<f64>,
    /// The value after the last epoch, where it was measured.
    pub value: Option<f64>,
    /// Seconds spent in all attempts.
    pub spent: f64,
    /// Seconds since the last sign of life.
    pub silent: Option<f64>,
    /// Silent for longer than its lease, or its process known to be dead.
    pub stale: bool,
}

/// What the scheduler has of a run.
#[derive(Clone, Debug, Serialize)]
pub struct SchedulerStatus {
    /// The name of the jobs.
    pub jobs: String,
    /// Tasks by state.
    pub tasks: BTreeMap<String, usize>,
    /// Why it could not be asked.
    pub error: Option<String>,
}

impl RunStatus {
    /// Looks at a run folder, whose settings say the engine and the budget, and are `edited` in what defines the run.
    ///
    /// # Errors
    /// When store or files of the folder cannot be read.
    pub fn of(folder: &RunFolder, executor: Engine, budget: u64, edited: &[Difference]) -> Result<Self> {
        let exchange = Exchange::of(folder.path());
        let edited = edited.iter().map(|difference| difference.words("in run.toml")).collect();
        let order = exchange.order()?;
        let lease = order.map(|order| order.lease());
        let now = now_of_files(folder);
        let (mut done, mut failed, mut waiting, mut running, mut rounds) =
            (0, BTreeMap::new(), 0, Vec::new(), 0);
        let (results, mut unrecorded) = (results(&exchange)?, 0);
        let mut at_work = attempts(&exchange)?;
        let store = folder.store_to_read()?;
        let ended = End::of(&store, budget)?.map(|end| end.to_string());
        for trial in store.trials()? {
            rounds = rounds.max(trial.round + 1);
            match trial.status {
                TrialStatus::Done(_) => done += 1,
                TrialStatus::Failed(error) => *failed.entry(error.reason().to_owned()).or_default() += 1,
                _ if results.contains(&trial.id) => unrecorded += 1,
                TrialStatus::Proposed | TrialStatus::Running => match at_work.remove(&trial.id) {
                    Some(copy) => running.push(running_trial(trial.id, &copy, lease, now)),
                    None if trial.status == TrialStatus::Running && lease.is_none() => {
                        running.push(RunningTrial::here(trial.id, trial.attempts));
                    }
                    None => waiting += 1,
                },
            }
        }
        let coordinator = folder.lock_owner()?;
        if coordinator.is_none() && lease.is_none() {
            // On this machine trials run as long as their coordinator.
            waiting += running.len();
            running.clear();
        }
        let scheduler = Slurm::of(&exchange)?.map(|mut slurm| {
            let states = slurm.states();
            SchedulerStatus {
                jobs: slurm.name().to_owned(),
                error: states.as_ref().err().map(ToString::to_string),
                tasks: states.unwrap_or_default(),
            }
        });
        Ok(RunStatus {
            run: folder.path().display().to_string(),
            executor,
            coordinator,
            stopped: exchange.asked_to_stop(),
            ended,
            edited,
            rounds,
            budget,
            done,
            failed,
            unrecorded,
            waiting,
            running,
            scheduler,
        })
    }
}

/// The trials whose results are not put away.
fn results(exchange: &Exchange) -> Result<BTreeSet<TrialId>> {
    let mut trials = BTreeSet::new();
    for key in exchange.results_there()? {
        trials.extend(exchange.read_result(&key)?.map(|result| result.trial));
    }
    Ok(trials)
}

/// The last attempt at each open task that was not put back.
fn attempts(exchange: &Exchange) -> Result<BTreeMap<TrialId, CopyOfAttempt>> {
    let mut attempts = BTreeMap::new();
    for key in exchange.open_tasks()? {
        let task = exchange.read_task::<serde_json::Value>(&key)?;
        let last = exchange.copies(&key)?.pop().filter(|last| !last.is_released());
        if let (Some(task), Some(last)) = (task, last) {
            attempts.insert(task.trial.id, last);
        }
    }
    Ok(attempts)
}

fn running_trial(
    trial: TrialId,
    copy: &CopyOfAttempt,
    lease: Option<Duration>,
    now: SystemTime,
) -> RunningTrial {
    let (beat, holder) = (copy.beat().unwrap_or_default(), copy.holder());
    let silent = copy.last_written().map(|written| now.duration_since(written).unwrap_or_default());
    let is_late = silent.zip(lease).is_some_and(|(silent, lease)| silent > lease);
    RunningTrial {
        trial,
        attempt: copy.number.0,
        stale: is_late || holder.as_ref().is_some_and(WorkerId::is_dead),
        holder,
        epoch: beat.epoch,
        epochs: beat.epochs,
        train_loss: beat.train_loss,
        value: beat.value,
        spent: beat.spent,
        silent: silent.map(|silent| silent.as_secs_f64()),
    }
}

impl RunningTrial {
    /// A trial of this machine, whose coordinator alone knows more.
    fn here(trial: TrialId, attempt: u32) -> Self {
        RunningTrial {
            trial,
            attempt,
            holder: None,
            epoch: 0,
            epochs: None,
            train_loss: None,
            value: None,
            spent: 0.0,
            silent: None,
            stale: false,
        }
    }
}

/// The time on the clock of the file system, whose stamps heartbeats carry; that of this machine where it is read-only.
fn now_of_files(folder: &RunFolder) -> SystemTime {
    let probe = tempfile::Builder::new().prefix(".now-").tempfile_in(folder.path());
    let stamp = probe.and_then(|probe| probe.as_file().metadata()?.modified());
    stamp.unwrap_or_else(|_| SystemTime::now())
}
