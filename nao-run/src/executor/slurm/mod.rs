//! Trials as tasks of Slurm array jobs.
//!
//! Results come from files; the scheduler is asked only what became of tasks that left none. Its silence is a state, not
//! a failure, and its job numbers name nothing: what a task is about stands in the manifest of its batch, found by the
//! token in the comment of the job.

mod batch;
mod commands;
mod losses;
mod outside;
mod scheduler;
#[cfg(test)]
mod scripted;
mod suspicion;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nao_space::{Trial, TrialId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::batch::job_name;
use self::suspicion::Suspicions;
use super::{
    Clock, Event, Exchange, Executor, Naming, OpenTrials, Pace, TaskBoard, TaskKey, TrialOutcome, WorkOrder,
};
use crate::error::{Context, Result, RunError, bail};
use crate::shell::quoted;

pub use batch::{Batch, Start as TaskStart};
pub use commands::{SlurmCommands, check_arguments, check_slurm};
pub use outside::Slurm;
pub use scheduler::{ArrayJob, JobNumber, Scheduler, SchedulerError, SchedulerLimits, TaskReport, TaskState};

/// A job that was refused so often is not tried again.
const TRIES: u32 = 3;

/// The longest time between two questions to a scheduler that does not answer.
const LONGEST_SILENCE: Duration = Duration::from_secs(300);

/// How jobs are made and followed.
#[derive(Clone, Debug)]
pub struct SlurmSettings {
    /// What is asked of workers.
    pub order: WorkOrder,
    /// How a task of an array starts its workers.
    pub start: batch::Start,
    /// What the user asks of `sbatch`.
    pub arguments: Vec<String>,
    /// Trials of one task of the array, one after the other in each slot.
    pub trials_per_task: usize,
    /// Tasks at a time.
    pub parallel: Option<usize>,
    /// How often results and heartbeats are looked at.
    pub pace: Pace,
    /// Time between two questions to the scheduler.
    pub scheduler_every: Duration,
    /// How long a result may be on its way after its task has ended.
    pub grace: Duration,
}

/// Keeps array jobs of a scheduler busy.
pub struct SlurmExecutor<A, S, C> {
    board: TaskBoard<A>,
    scheduler: S,
    settings: SlurmSettings,
    clock: C,
    name: String,
    limits: Option<SchedulerLimits>,
    /// When it is time to ask for them again.
    next_limits: Duration,
    batches: Vec<SubmittedBatch>,
    /// Tasks that no job has.
    waiting: Vec<TaskKey>,
    suspicions: Suspicions,
    /// Trials that ended soon, by node.
    quick: BTreeMap<String, BTreeSet<TaskKey>>,
    excluded: BTreeSet<String>,
    next_question: Duration,
    /// Questions in a row without an answer.
    silence: u32,
    notes: Vec<Event>,
}

/// A batch on its way through the scheduler.
struct SubmittedBatch {
    batch: Batch,
    /// The tasks of the array that will do no more.
    over: BTreeSet<u32>,
    /// Tries to hand it in.
    tries: u32,
    retry_at: Duration,
}

impl SubmittedBatch {
    fn of(batch: Batch, tries: u32, retry_at: Duration) -> Self {
        SubmittedBatch { batch, over: BTreeSet::new(), tries, retry_at }
    }

    /// The open trials of tasks that may still do something.
    fn alive(&self) -> impl Iterator<Item = &TaskKey> {
        let tasks = self.batch.tasks.iter().enumerate();
        tasks.filter(|(index, _)| !self.over.contains(&(*index as u32))).flat_map(|(_, keys)| keys)
    }
}

/// Refuses folders that other machines do not see.
pub fn check_shared(run: &Path) -> Result<()> {
    let path = std::path::absolute(run).with_context(|| format!("cannot find {}", run.display()))?;
    let path = path.parent().and_then(|parent| parent.canonicalize().ok()).unwrap_or(path);
    let own = std::env::var_os("TMPDIR").map(PathBuf::from);
    let local = ["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from).into_iter().chain(own);
    if let Some(local) = local.into_iter().find(|local| path.starts_with(local)) {
        bail!(
            "{} lies in {}, which other machines do not see: choose an --out on a shared file system (or --set \
             execution.slurm.any_folder=true if they do)",
            run.display(),
            local.display()
        );
    }
    Ok(())
}

impl<A, S, C> SlurmExecutor<A, S, C>
where
    A: Serialize + DeserializeOwned,
    S: Scheduler,
    C: Clock,
{
    /// An executor at the run folder; it goes on with the jobs of an earlier one.
    pub fn new(
        exchange: Exchange,
        naming: Naming<A>,
        scheduler: S,
        settings: SlurmSettings,
        clock: C,
    ) -> Result<Self> {
        exchange.prepare()?;
        exchange.write_order(&settings.order)?;
        let now = clock.now();
        let batches =
            Batch::all(&exchange)?.into_iter().map(|batch| SubmittedBatch::of(batch, 1, now)).collect();
        let name = job_name(&exchange)?;
        Ok(SlurmExecutor {
            board: TaskBoard::new(exchange, naming, settings.pace, now),
            scheduler,
            settings,
            clock,
            name,
            limits: None,
            next_limits: now,
            batches,
            waiting: Vec::new(),
            suspicions: Suspicions::default(),
            quick: BTreeMap::new(),
            excluded: BTreeSet::new(),
            next_question: now,
            silence: 0,
            notes: Vec::new(),
        })
    }

    /// Makes batches of the waiting tasks. The first time several trials share a task of the array; one that has lost its
    /// job gets one of its own.
    fn make_batches(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let Some(limits) = self.array_limits() else { return Ok(()) };
        let sent: BTreeSet<TaskKey> =
            self.batches.iter().flat_map(|sent| sent.batch.tasks.iter().flatten()).copied().collect();
        let (again, first): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|key| sent.contains(key));
        let packed = first.chunks(self.settings.trials_per_task.max(1)).map(<[_]>::to_vec);
        let tasks: Vec<Vec<TaskKey>> = packed.chain(again.into_iter().map(|key| vec![key])).collect();
        let now = self.clock.now();
        for chunk in tasks.chunks(limits.tasks) {
            let number = self.batches.last().map_or(1, |last| last.batch.number + 1);
            let batch = Batch::create(self.board.exchange(), number, chunk.to_vec(), &self.settings.start)?;
            self.batches.push(SubmittedBatch::of(batch, 0, now));
        }
        Ok(())
    }

    /// How large arrays may be; `None` while the scheduler has no answer.
    fn array_limits(&mut self) -> Option<SchedulerLimits> {
        let now = self.clock.now();
        if self.limits.is_none() && now >= self.next_limits {
            match self.scheduler.limits() {
                Ok(limits) => self.limits = Some(limits),
                Err(error) => {
                    self.unanswered(&error);
                    self.next_limits = now + backoff(self.silence);
                }
            }
        }
        self.limits
    }

    /// Hands in what is not. A job that may have been taken is looked for first.
    fn hand_in(&mut self) -> Result<()> {
        let now = self.clock.now();
        let due = |sent: &&mut SubmittedBatch| sent.batch.job.is_none() && sent.retry_at <= now;
        if self.batches.iter_mut().filter(due).any(|sent| sent.tries > 0) && !self.find_taken()? {
            return Ok(());
        }
        let is_due = |sent: &&SubmittedBatch| {
            sent.batch.job.is_none() && sent.alive().any(|key| self.board.is_open(key))
        };
        let chunks = self.batches.iter().filter(is_due).count();
        for index in 0..self.batches.len() {
            let sent = &self.batches[index];
            if sent.batch.job.is_some() || sent.retry_at > now {
                continue;
            }
            if !sent.alive().any(|key| self.board.is_open(key)) {
                self.batches[index].retry_at = Duration::MAX;
                continue;
            }
            let job = ArrayJob {
                name: self.name.clone(),
                token: sent.batch.token.clone(),
                tasks: sent.batch.tasks.len(),
                // The chunks of one round run at the same time and share what is allowed.
                parallel: self.settings.parallel.map(|parallel| (parallel / chunks.max(1)).max(1)),
                exclude: self.excluded.iter().cloned().collect(),
                arguments: self.settings.arguments.clone(),
                folder: sent.batch.folder.clone(),
            };
            let answer = self.scheduler.submit(&job);
            let sent = &mut self.batches[index];
            sent.tries += 1;
            match answer {
                Ok(job) => {
                    sent.batch.handed_in(job)?;
                    self.silence = 0;
                    self.next_question = now + self.settings.scheduler_every;
                }
                Err(error) => {
                    sent.retry_at = now + self.settings.scheduler_every.min(backoff(sent.tries));
                    self.not_taken(index, error)?;
                }
            }
        }
        Ok(())
    }

    /// What it means that a job was not taken, as far as known.
    fn not_taken(&mut self, index: usize, error: SchedulerError) -> Result<()> {
        let tries = self.batches[index].tries;
        match error {
            SchedulerError::Refused(why) if tries > 1 && !self.excluded.is_empty() => {
                self.notes.push(Event::Note(format!("{why}; trying without excluding nodes")));
                self.excluded.clear();
                Ok(())
            }
            SchedulerError::Refused(why) if tries >= TRIES => {
                Err(RunError::Failed(format!("no job: {why}; do --slurm-args fit this cluster?")))
            }
            // It may have been taken all the same: the next try looks first.
            SchedulerError::Refused(_) => Ok(()),
            error => {
                self.unanswered(&error);
                Ok(())
            }
        }
    }

    /// Looks for jobs whose number we do not know. `false` if the scheduler has no answer.
    fn find_taken(&mut self) -> Result<bool> {
        let reports = match self.scheduler.reports(&self.name) {
            Ok(reports) => reports,
            Err(error) => {
                let later = self.clock.now() + backoff(self.silence + 1);
                for sent in self.batches.iter_mut().filter(|sent| sent.batch.job.is_none()) {
                    sent.retry_at = sent.retry_at.max(later);
                }
                self.unanswered(&error);
                return Ok(false);
            }
        };
        for sent in self.batches.iter_mut().filter(|sent| sent.batch.job.is_none()) {
            if reports.iter().any(|report| report.token == sent.batch.token) {
                sent.batch.handed_in(JobNumber("taken".into()))?;
            }
        }
        Ok(true)
    }

    /// The scheduler has no answer: go on with the files, and ask again later and later.
    fn unanswered(&mut self, error: &SchedulerError) {
        self.silence += 1;
        self.next_question = self.clock.now() + backoff(self.silence).max(self.settings.scheduler_every);
        if self.silence == 1 {
            self.notes.push(Event::Note(format!("{error}; going on with what the files say")));
        }
    }
}

/// Twice as long after each failure.
fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.min(8)).min(LONGEST_SILENCE)
}

impl<A, S, C> Executor<A> for SlurmExecutor<A, S, C>
where
    A: Serialize + DeserializeOwned,
    S: Scheduler,
    C: Clock,
{
    fn recover(&mut self, record: &mut dyn FnMut(TrialOutcome) -> Result<()>) -> Result<()> {
        self.board.exchange().recover(record)
    }

    fn asked_to_stop(&self) -> Option<String> {
        self.board.exchange().asked_to_stop()
    }

    fn submit(&mut self, trials: Vec<Trial<A>>) -> Result<()> {
        let keys = self.board.put_up(trials, self.clock.now())?;
        let sent: BTreeSet<TaskKey> = self.batches.iter().flat_map(SubmittedBatch::alive).copied().collect();
        self.waiting.extend(keys.into_iter().filter(|key| !sent.contains(key)));
        Ok(())
    }

    fn poll(&mut self, timeout: Duration) -> Result<Vec<Event>> {
        let until = self.clock.now() + timeout;
        loop {
            let now = self.clock.now();
            let mut events = self.board.news(now)?;
            self.make_batches()?;
            self.hand_in()?;
            if now >= self.next_question {
                self.look()?;
            }
            events.append(&mut self.notes);
            if !events.is_empty() || now >= until {
                return Ok(events);
            }
            let next = until.min(self.board.next_look());
            self.clock.sleep(next.saturating_sub(now).max(Duration::from_millis(1)));
        }
    }

    fn settled(&mut self, trial: TrialId) -> Result<()> {
        self.board.settled(trial)
    }

    fn leave(&mut self) -> OpenTrials {
        let run = quoted(self.board.exchange().run());
        OpenTrials::Working(format!(
            "its jobs, {}, go on by themselves; to end them:  nao cancel {run}",
            self.name
        ))
    }

    fn dismiss(&mut self, why: &str) -> Result<()> {
        self.board.close(why)?;
        if self.board.open().next().is_some() {
            // Whoever is left sees the word to stop; a scheduler that does not answer is no reason to fail.
            let _ = self.scheduler.cancel(&self.name);
        }
        Ok(())
    }
}
