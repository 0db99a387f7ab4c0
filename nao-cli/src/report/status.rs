//! How a run stands, seen from outside: from its files, from any machine that has them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use nao_run::execution::Engine;
use nao_run::executor::{CopyOfAttempt, Exchange, Slurm, WorkerId};
use nao_run::{End, RunFolder, TrialStatus, quoted};
use nao_space::TrialId;
use serde::Serialize;

use super::table::{figure, plain_table};
use crate::cells::with_recipe;
use crate::run::{RunConfig, RunContents};

/// How a run stands.
#[derive(Debug, Serialize)]
pub struct RunStatus {
    run: String,
    executor: Engine,
    /// Who coordinates it.
    coordinator: Option<String>,
    /// Why everybody is to stop.
    stopped: Option<String>,
    /// Why there is nothing to go on with, if so.
    ended: Option<String>,
    /// Settings of `run.toml` that are not those of the run.
    edited: Vec<String>,
    rounds: u64,
    budget: u64,
    done: usize,
    /// Failed trials by reason.
    failed: BTreeMap<String, usize>,
    /// Trials whose outcome is there for the coordinator to record.
    unrecorded: usize,
    /// Open trials that nobody works on.
    waiting: usize,
    running: Vec<RunningTrial>,
    scheduler: Option<SchedulerStatus>,
}

/// A trial that somebody works on.
#[derive(Debug, Serialize)]
struct RunningTrial {
    trial: TrialId,
    attempt: u32,
    #[serde(flatten)]
    holder: Option<WorkerId>,
    epoch: u32,
    epochs: Option<u32>,
    train_loss: Option<f64>,
    value: Option<f64>,
    /// Seconds spent in all attempts.
    spent: f64,
    /// Seconds since the last sign of life.
    silent: Option<f64>,
    /// Silent for longer than its lease, or its process known to be dead.
    stale: bool,
}

/// What the scheduler has of the run.
#[derive(Debug, Serialize)]
struct SchedulerStatus {
    jobs: String,
    /// Tasks by state.
    tasks: BTreeMap<String, usize>,
    error: Option<String>,
}

impl RunStatus {
    /// Looks at a run folder.
    pub fn of(folder: &RunFolder) -> Result<Self> {
        let exchange = Exchange::of(folder.path());
        let (executor, budget, edited) = with_recipe!(folder.kind()?, R => {
            let config: RunConfig<R> = folder.settings().read()?;
            (config.execution.executor, config.rounds.budget, folder.settings().changes(&config)?)
        });
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

/// The status for people.
pub fn status_text(status: &RunStatus) -> String {
    let RunStatus { done, failed, unrecorded, waiting, running, .. } = status;
    let unrecorded =
        if *unrecorded > 0 { format!(", {unrecorded} over and to be recorded") } else { String::new() };
    let failures: usize = failed.values().sum();
    let by_reason: Vec<String> = failed.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let reasons = if failed.is_empty() { String::new() } else { format!(" ({})", by_reason.join(", ")) };
    let mut lines = vec![
        format!(
            "{}: round {}, {} of {} trials done, {failures} failed{reasons}{unrecorded}, {} running, {waiting} waiting",
            status.run,
            status.rounds,
            done,
            status.budget,
            running.len(),
        ),
        match &status.coordinator {
            Some(holder) => format!("coordinator  {holder}"),
            None if status.ended.is_none() && status.edited.is_empty() => {
                format!("coordinator  none; go on with:  nao resume {}", quoted(Path::new(&status.run)))
            }
            None => "coordinator  none".to_owned(),
        },
    ];
    lines.extend(status.ended.as_ref().map(|why| format!("ended        {why}")));
    if !status.edited.is_empty() {
        lines.push(format!("edited       {}; put the old settings back to go on", status.edited.join("; ")));
    }
    lines.extend(status.stopped.as_ref().map(|why| format!("stopped      {why}")));
    lines.extend(status.scheduler.as_ref().map(scheduler_line));
    if !running.is_empty() {
        lines.push(running_table(running));
    }
    lines.join("\n")
}

fn scheduler_line(scheduler: &SchedulerStatus) -> String {
    let tasks: Vec<String> =
        scheduler.tasks.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let what = match &scheduler.error {
        Some(error) => error.clone(),
        None if tasks.is_empty() => "no tasks".to_owned(),
        None => format!("tasks: {}", tasks.join(", ")),
    };
    format!("jobs         {}, {what}", scheduler.jobs)
}

fn running_table(running: &[RunningTrial]) -> String {
    let rows = running.iter().map(|trial| {
        let place = trial.holder.as_ref().and_then(|holder| holder.place.as_ref());
        vec![
            trial.trial.to_string(),
            trial.attempt.to_string(),
            trial.holder.as_ref().map_or("here".to_owned(), |holder| holder.host.clone()),
            trial.holder.as_ref().map_or(String::new(), |holder| holder.process.to_string()),
            place.map_or(String::new(), |place| format!("{}_{}", place.job, place.task)),
            match trial.epochs {
                Some(epochs) => format!("{}/{epochs}", trial.epoch),
                None => String::new(),
            },
            trial.train_loss.map_or(String::new(), |loss| format!("{loss:.3}")),
            trial.value.map_or(String::new(), figure),
            format!("{:.0} s", trial.spent),
            match trial.silent {
                Some(silent) if trial.stale => format!("{silent:.0} s ago, stale"),
                Some(silent) => format!("{silent:.0} s ago"),
                None => String::new(),
            },
        ]
    });
    let header =
        ["trial", "attempt", "host", "process", "job", "epoch", "loss", "validation", "spent", "heartbeat"];
    plain_table(&header, &[0, 1, 3, 5, 6, 7, 8], rows.collect())
}
