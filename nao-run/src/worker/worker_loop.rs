//! A worker at a run folder: takes a task, trains it, publishes the result, takes the next.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::supervised_training::{SupervisedTraining, TrainingEnd};
use super::{TryOne, WorkerLog};
use crate::error::Result;
use crate::executor::{
    Attempt, Claim, Claimant, Clock, Exchange, Published, RealClock, TaskFile, TaskKey, TaskResult,
    WorkOrder, WorkerId,
};

/// Failures of the file system in a row that a worker bears: those of networks pass.
const FORGIVEN: u32 = 5;

/// The longest time between two looks for tasks.
const LONGEST_NAP: Duration = Duration::from_secs(2);

/// How long a task that somebody has is left alone.
const HELD_FOR: Duration = Duration::from_secs(1);

/// What a worker does until it goes.
pub struct WorkerLoop<A> {
    exchange: Exchange,
    order: WorkOrder,
    /// The tasks that a scheduler has given it; none where it takes any.
    assigned: Option<Vec<TaskKey>>,
    try_one: Box<dyn TryOne<A>>,
    log: Box<dyn WorkerLog>,
    claimant: Claimant,
    clock: RealClock,
    leave: Arc<AtomicBool>,
    idle: Duration,
    /// Tasks that others have, and until when they are left alone.
    held: HashMap<TaskKey, Duration>,
}

/// What there was to do.
enum Workload {
    /// A task was worked on.
    Work,
    /// Others have what there is.
    Wait,
    /// Nothing is left, nor will be.
    Nothing,
}

impl<A: Serialize + DeserializeOwned> WorkerLoop<A> {
    /// A worker at the run folder that works as ordered, until `leave` is raised, there is nothing more to do, or there was
    /// nothing to do for as long as `idle`.
    pub fn new(
        exchange: Exchange,
        order: WorkOrder,
        idle: Duration,
        leave: Arc<AtomicBool>,
        log: Box<dyn WorkerLog>,
        try_one: Box<dyn TryOne<A>>,
    ) -> Self {
        let claimant = Claimant {
            holder: WorkerId::me(),
            lease: order.lease(),
            max_attempts: order.max_attempts,
            leases: Default::default(),
        };
        let (assigned, clock, held) = (None, RealClock::start(), HashMap::new());
        WorkerLoop { exchange, order, assigned, try_one, log, claimant, clock, leave, idle, held }
    }

    /// Works on these tasks alone, and goes once they are done.
    pub fn assigned(mut self, tasks: Vec<TaskKey>) -> Self {
        self.assigned = Some(tasks);
        self
    }

    /// Works until it is time to go.
    ///
    /// # Errors
    /// When the run folder cannot be read or written several times in a row.
    pub fn work(&mut self) -> Result<()> {
        let mut idle_since = self.clock.now();
        let mut nap = Duration::from_millis(50);
        let mut failures = 0;
        loop {
            if let Some(why) = self.exchange.asked_to_stop() {
                self.log.say(&format!("going: {why}"));
                return Ok(());
            }
            if self.leave.load(Ordering::Relaxed) {
                return Ok(());
            }
            let found = match self.look() {
                Err(error) if failures < FORGIVEN => {
                    failures += 1;
                    self.log.warn(&format!("warning: {error:#}; trying again"));
                    self.clock.sleep(LONGEST_NAP);
                    continue;
                }
                found => found?,
            };
            failures = 0;
            match found {
                Workload::Nothing => return Ok(()),
                Workload::Work => {
                    (idle_since, nap) = (self.clock.now(), Duration::from_millis(50));
                }
                Workload::Wait if self.assigned.is_none() && self.clock.now() - idle_since > self.idle => {
                    self.log.say(&format!("going: nothing to do for {} s", self.idle.as_secs()));
                    return Ok(());
                }
                Workload::Wait => {
                    self.clock.sleep(nap);
                    nap = (nap * 2).min(LONGEST_NAP);
                }
            }
        }
    }

    /// Looks for a task and works on it.
    fn look(&mut self) -> Result<Workload> {
        let keys = match &self.assigned {
            Some(keys) => keys.clone(),
            None => self.unassigned()?,
        };
        let mut is_any_left = self.assigned.is_none();
        for key in keys {
            let now = self.clock.now();
            if self.held.get(&key).is_some_and(|until| now < *until) {
                is_any_left = true;
                continue;
            }
            match self.exchange.claim(&key, &mut self.claimant, now)? {
                Claim::Gone => {}
                Claim::Held => {
                    is_any_left = true;
                    self.held.insert(key, now + HELD_FOR);
                }
                Claim::GivenUp(error) => {
                    if let Some(task) = self.exchange.read_task::<A>(&key)? {
                        self.publish(TaskResult {
                            key,
                            trial: task.trial.id,
                            outcome: Err(error),
                            curve: Vec::new(),
                            holder: self.claimant.holder.clone(),
                        })?;
                    }
                    return Ok(Workload::Work);
                }
                Claim::Mine(attempt) => {
                    self.held.remove(&key);
                    self.train(&attempt)?;
                    return Ok(Workload::Work);
                }
            }
        }
        Ok(if is_any_left { Workload::Wait } else { Workload::Nothing })
    }

    /// Open tasks without result, from a place in their circle that is this worker's own: those who start at the same
    /// moment then do not all reach for the same one.
    fn unassigned(&self) -> Result<Vec<TaskKey>> {
        let mut keys = self.exchange.open_tasks()?;
        keys.retain(|key| !self.exchange.has_result(key));
        keys.sort_unstable();
        if !keys.is_empty() {
            let WorkerId { host, process, .. } = &self.claimant.holder;
            let digest = Sha256::digest(format!("{host} {process}").as_bytes());
            let place = usize::from(digest[0]) << 8 | usize::from(digest[1]);
            let places = keys.len();
            keys.rotate_left(place % places);
        }
        Ok(keys)
    }

    fn train(&mut self, attempt: &Attempt) -> Result<()> {
        let Some(TaskFile { key, trial }) = self.exchange.read_task::<A>(&attempt.key())? else {
            return Ok(());
        };
        self.log.say(&format!("trial {}: attempt {}", trial.id, attempt.number()));
        let (holder, log) = (&self.claimant.holder, &*self.log);
        let training =
            SupervisedTraining::new(&self.exchange, attempt, trial.id, &self.order, holder, log, &self.leave);
        let done = training.carry_out(|checkpoint, progress| (self.try_one)(&trial, checkpoint, progress));
        if !self.exchange.is_open(&key) {
            // Mostly it has its outcome. What this attempt wrote after it was cleared away would stay.
            self.exchange.forget(&key);
            self.log.say(&format!("trial {}: nobody waits for it any more", trial.id));
            return Ok(());
        }
        match done {
            TrainingEnd::Stopped(why) => {
                attempt.release(&why);
                self.log.say(&format!("trial {}: put back, {why}", trial.id));
                Ok(())
            }
            TrainingEnd::Needless => Ok(()),
            TrainingEnd::Outcome(outcome, curve) => {
                let holder = self.claimant.holder.clone();
                // Once it is published the coordinator tidies the attempt away: the last word comes before.
                attempt.note("publishes its result");
                let published = self.publish(TaskResult { key, trial: trial.id, outcome, curve, holder });
                if published.is_err() {
                    attempt.release("its result could not be written");
                }
                published
            }
        }
    }

    fn publish(&self, result: TaskResult) -> Result<()> {
        if self.exchange.publish(&result)? == Published::Late {
            self.log.say(&format!("trial {}: another attempt was first", result.trial));
            return Ok(());
        }
        self.log.published(result.trial, &result.outcome);
        Ok(())
    }
}
