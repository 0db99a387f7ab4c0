//! The coordinator's side of the exchange: puts tasks up, takes results in, follows attempts.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::time::Duration;

use nao_space::{EpochReport, EvaluationError, Trial, TrialId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{AttemptNumber, Exchange, Leases, Naming, Published, TaskFile, TaskKey, TaskResult, WorkerId};
use crate::error::Result;
use crate::executor::{Event, Standing, Start};

/// How often the coordinator looks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Time between two looks for results.
    pub files_every: Duration,
    /// Time between two looks at heartbeats.
    pub attempts_every: Duration,
    /// Time without a heartbeat after which a trial has no sign of life.
    pub lease: Duration,
}

/// What a coordinator has put up for workers, and what it knows of it.
pub struct TaskBoard<A> {
    exchange: Exchange,
    naming: Naming<A>,
    pace: Pace,
    next_files: Duration,
    next_attempts: Duration,
    open: BTreeMap<TaskKey, OpenTask>,
    leases: Leases,
    /// Tasks that are put away and not cleared yet.
    untidy: BTreeSet<TaskKey>,
    of: PhantomData<A>,
}

/// A task that waits for its outcome to be recorded.
#[derive(Debug)]
struct OpenTask {
    trial: TrialId,
    /// The last attempt that was seen.
    attempt: Option<AttemptNumber>,
    /// Its outcome was told, and waits to be recorded.
    is_told: bool,
}

impl<A: Serialize + DeserializeOwned> TaskBoard<A> {
    /// A board at the run folder; `now` is the coordinator's own clock, here and below.
    pub fn new(exchange: Exchange, naming: Naming<A>, pace: Pace, now: Duration) -> Self {
        TaskBoard {
            exchange,
            naming,
            pace,
            next_files: now,
            next_attempts: now,
            open: BTreeMap::new(),
            leases: Leases::default(),
            untidy: BTreeSet::new(),
            of: PhantomData,
        }
    }

    /// The files.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Puts trials up and returns their tasks, in the same order. Those that were up before stay as they are; what
    /// belongs to other trials, which have their outcomes by now, is put away.
    pub fn put_up(&mut self, trials: Vec<Trial<A>>, now: Duration) -> Result<Vec<TaskKey>> {
        self.exchange.prepare()?;
        // The first of them begin soon.
        self.next_attempts = now + 2 * self.pace.files_every;
        let mut keys = Vec::new();
        for trial in trials {
            let key = (self.naming)(&trial);
            self.open.insert(key, OpenTask { trial: trial.id, attempt: None, is_told: false });
            self.exchange.put_task(&TaskFile { key, trial })?;
            keys.push(key);
        }
        for key in self.exchange.open_tasks()? {
            if !self.open.contains_key(&key)
                && let Some(task) = self.exchange.read_task::<A>(&key)?
            {
                self.put_away(&key, task.trial.id)?;
            }
        }
        Ok(keys)
    }

    /// What is new, as far as it is time to look.
    pub fn news(&mut self, now: Duration) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        if now >= self.next_files {
            self.next_files = now + self.pace.files_every;
            events.extend(self.collect()?);
        }
        if now >= self.next_attempts {
            self.next_attempts = now + self.pace.attempts_every;
            events.extend(self.follow(now)?);
        }
        Ok(events)
    }

    /// When it is time to look again.
    pub fn next_look(&self) -> Duration {
        self.next_files.min(self.next_attempts)
    }

    /// The results that came since the last call.
    fn collect(&mut self) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        for key in self.exchange.results_there()? {
            if self.untidy.contains(&key) || self.open.get(&key).is_some_and(|task| task.is_told) {
                continue;
            }
            let Some(result) = self.exchange.read_result(&key)? else { continue };
            let Some(task) = self.open.get_mut(&key) else {
                // Of a trial that has its outcome: a late copy, or a coordinator died before it had put it away.
                self.put_away(&key, result.trial)?;
                continue;
            };
            task.is_told = true;
            let trial = task.trial;
            // The whole curve, whatever of it was seen on the way.
            events.extend(result.curve.into_iter().map(|report| Event::Epoch { slot: None, trial, report }));
            events.push(Event::Finished { slot: None, trial, outcome: result.outcome });
        }
        Ok(events)
    }

    /// What the attempts say: which trials have begun, and where all stand.
    fn follow(&mut self, now: Duration) -> Result<Vec<Event>> {
        self.tidy()?;
        let (mut events, mut standing) = (Vec::new(), Standing::default());
        for (key, task) in self.open.iter_mut().filter(|(_, task)| !task.is_told) {
            let copies = self.exchange.copies(key)?;
            let Some(last) = copies.last() else {
                standing.waiting += 1;
                continue;
            };
            if task.attempt.is_none_or(|seen| seen < last.number) {
                task.attempt = Some(last.number);
                events.push(Event::Started {
                    slot: None,
                    trial: task.trial,
                    start: Start::Number(last.number.0),
                });
            }
            if last.is_released() {
                standing.waiting += 1;
                continue;
            }
            standing.running += 1;
            standing.stale += usize::from(self.leases.has_lapsed(last, self.pace.lease, now));
        }
        events.push(Event::Standing(standing));
        Ok(events)
    }

    /// The tasks that have no outcome yet.
    pub fn open(&self) -> impl Iterator<Item = &TaskKey> {
        self.open.iter().filter(|(_, task)| !task.is_told).map(|(key, _)| key)
    }

    /// Whether a task has no outcome yet.
    pub fn is_open(&self, key: &TaskKey) -> bool {
        self.open.get(key).is_some_and(|task| !task.is_told)
    }

    /// Gives a task an outcome in the name of those who cannot, unless one of them did.
    pub fn fail(&self, key: &TaskKey, error: EvaluationError) -> Result<()> {
        let Some(trial) = self.open.get(key).map(|task| task.trial) else { return Ok(()) };
        let result = TaskResult {
            key: *key,
            trial,
            outcome: Err(error),
            curve: Vec::<EpochReport>::new(),
            holder: WorkerId::me(),
        };
        let _: Published = self.exchange.publish(&result)?;
        Ok(())
    }

    /// The outcome of a trial is recorded.
    pub fn settled(&mut self, trial: TrialId) -> Result<()> {
        let key = self.open.iter().find(|(_, task)| task.trial == trial).map(|(key, _)| *key);
        let Some(key) = key else { return Ok(()) };
        self.open.remove(&key);
        self.leases.forget(&key);
        self.put_away(&key, trial)
    }

    fn put_away(&mut self, key: &TaskKey, trial: TrialId) -> Result<()> {
        let children = self.exchange.run().join("children").join(trial.to_string());
        self.exchange.put_away(key, &children)?;
        self.untidy.insert(*key);
        self.tidy()
    }

    /// Removes what is left of tasks that are put away.
    fn tidy(&mut self) -> Result<()> {
        for key in std::mem::take(&mut self.untidy) {
            if !self.exchange.clear(&key)? {
                self.untidy.insert(key);
            }
        }
        Ok(())
    }

    /// The search is over: asks everybody to go, and clears up behind those who were late.
    pub fn close(&mut self, why: &str) -> Result<()> {
        self.exchange.ask_to_stop(why)?;
        for _ in 0..20 {
            self.tidy()?;
            if self.untidy.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.exchange.sweep();
        Ok(())
    }
}
