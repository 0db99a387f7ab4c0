//! The surroundings of one training: its heartbeat, its limits, and the word to stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{WorkerLog, add_peak};
use crate::executor::{Attempt, Beat, Exchange, TaskResult, WorkOrder, WorkerId};
use crate::memory::resident_mib;
use nao_space::{Checkpointing, EpochReport, EvaluationError, Measurement, Progress, TrialId};

/// How often limits are looked at.
const TICK: Duration = Duration::from_millis(500);

/// The least time between two heartbeats.
const BEAT_AT_MOST: Duration = Duration::from_secs(2);

/// How long a training past its time may take to reach a batch border before its process is given up.
const BORDER: Duration = Duration::from_secs(60);

/// How a training ended.
pub enum TrainingEnd {
    /// With an outcome, and the curve of all attempts.
    Outcome(Result<Measurement, EvaluationError>, Vec<EpochReport>),
    /// Stopped from outside; says why. Another process can go on.
    Stopped(String),
    /// Somebody else's outcome was recorded meanwhile.
    Needless,
}

/// One training and what goes with it.
pub struct SupervisedTraining<'a> {
    exchange: &'a Exchange,
    attempt: &'a Attempt,
    trial: TrialId,
    order: &'a WorkOrder,
    holder: &'a WorkerId,
    log: &'a dyn WorkerLog,
    shared: Arc<Shared>,
    begun: Instant,
}

/// What the training and its heart share.
struct Shared {
    /// Raised by signals.
    leave: Arc<AtomicBool>,
    /// Why to stop, once there is a reason.
    reason: Mutex<Option<Reason>>,
    stop: AtomicBool,
    batches: AtomicU64,
    last: Mutex<Option<EpochReport>>,
    is_over: Mutex<bool>,
    over: Condvar,
}

#[derive(Clone, Debug, PartialEq)]
enum Reason {
    Signal,
    Asked(String),
    Needless,
    TimeLimit,
}

impl<'a> SupervisedTraining<'a> {
    /// The training of an attempt at a task, as ordered; ends soon after `leave` is raised.
    pub fn new(
        exchange: &'a Exchange,
        attempt: &'a Attempt,
        trial: TrialId,
        order: &'a WorkOrder,
        holder: &'a WorkerId,
        log: &'a dyn WorkerLog,
        leave: &Arc<AtomicBool>,
    ) -> Self {
        let shared = Arc::new(Shared {
            leave: leave.clone(),
            reason: Mutex::default(),
            stop: AtomicBool::new(false),
            batches: AtomicU64::new(0),
            last: Mutex::default(),
            is_over: Mutex::default(),
            over: Condvar::new(),
        });
        SupervisedTraining { exchange, attempt, trial, order, holder, log, shared, begun: Instant::now() }
    }

    /// Trains beside a beating heart.
    pub fn carry_out(
        &self,
        train: impl FnOnce(&Checkpointing, &mut (dyn Progress + Send)) -> Result<Measurement, EvaluationError>,
    ) -> TrainingEnd {
        let checkpoint = Checkpointing { path: self.attempt.checkpoint(), interval: self.order.checkpoint() };
        let mut record = Record { shared: self.shared.clone(), attempt: self.attempt };
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| self.beat());
            // Ends the heart on every way out, a panic as well.
            let _ending = Ending(&self.shared);
            train(&checkpoint, &mut record)
        });
        self.end(outcome)
    }

    fn end(&self, outcome: Result<Measurement, EvaluationError>) -> TrainingEnd {
        let outcome = match outcome {
            Ok(mut measurement) => {
                // Those of this attempt, and of the ones that it went on from.
                measurement.seconds += self.attempt.before.spent;
                add_peak(&mut measurement);
                Ok(measurement)
            }
            Err(EvaluationError::Interrupted) => match self.shared.reason() {
                Some(Reason::TimeLimit) => Err(self.too_long()),
                Some(Reason::Needless) => return TrainingEnd::Needless,
                Some(Reason::Asked(why)) => return TrainingEnd::Stopped(why),
                Some(Reason::Signal) | None => {
                    return TrainingEnd::Stopped("the process was told to stop".into());
                }
            },
            Err(error) => Err(error),
        };
        TrainingEnd::Outcome(outcome, self.exchange.curve(&self.attempt.key()))
    }

    fn too_long(&self) -> EvaluationError {
        EvaluationError::TimeLimit { seconds: self.order.time_limit.unwrap_or_default() }
    }

    /// Writes heartbeats and looks at limits until the training is over.
    fn beat(&self) {
        let (mut count, mut told) = (0, 0);
        let (mut last, mut next) = (Duration::ZERO, Duration::ZERO);
        loop {
            let elapsed = self.begun.elapsed();
            // A new epoch is worth a beat of its own, though not many a second.
            let is_news = self.shared.epoch() != told && elapsed >= last + BEAT_AT_MOST;
            if elapsed >= next || is_news {
                (last, next, told) = (elapsed, elapsed + self.order.heartbeat(), self.shared.epoch());
                count += 1;
                let is_there = self.attempt.beat(&self.state(count, elapsed));
                if !is_there || !self.exchange.is_open(&self.attempt.key()) {
                    self.shared.stop_for(Reason::Needless);
                }
                if let Some(why) = self.exchange.asked_to_stop() {
                    self.shared.stop_for(Reason::Asked(why));
                }
            }
            self.check_limits(elapsed);
            if self.shared.leave.load(Ordering::Relaxed) {
                self.shared.stop_for(Reason::Signal);
            }
            if self.shared.wait(TICK) {
                return;
            }
        }
    }

    fn state(&self, count: u64, elapsed: Duration) -> Beat {
        let before = &self.attempt.before;
        let last = self.shared.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Beat {
            count,
            epoch: last.as_ref().map_or(before.epoch, |report| report.epoch),
            epochs: last.as_ref().map(|report| report.epochs).or(before.epochs),
            batches: self.shared.batches.load(Ordering::Relaxed),
            train_loss: last.as_ref().map(|report| report.train_loss).or(before.train_loss),
            value: last.as_ref().and_then(|report| report.value).or(before.value),
            spent: before.spent + elapsed.as_secs_f64(),
        }
    }

    fn check_limits(&self, elapsed: Duration) {
        if let Some(limit) = self.order.time_limit() {
            let spent = Duration::try_from_secs_f64(self.attempt.before.spent).unwrap_or_default() + elapsed;
            if spent > limit {
                self.shared.stop_for(Reason::TimeLimit);
            }
            if spent > limit + BORDER {
                self.give_up(self.too_long());
            }
        }
        if let (Some(limit), Some(held)) = (self.order.memory_limit, resident_mib())
            && held > limit
        {
            let detail = format!("held {held:.0} MiB of at most {limit:.0}");
            self.give_up(EvaluationError::OutOfMemory { detail });
        }
    }

    /// Publishes a failure in the middle of the training and begins anew as another process, for nothing else gets the
    /// memory, or the stuck thread, back.
    fn give_up(&self, error: EvaluationError) -> ! {
        self.log.say(&format!("trial {}: {error}", self.trial));
        self.attempt.note(&error.to_string());
        let result = TaskResult {
            key: self.attempt.key(),
            trial: self.trial,
            outcome: Err(error),
            curve: self.exchange.curve(&self.attempt.key()),
            holder: self.holder.clone(),
        };
        if let Err(error) = self.exchange.publish(&result) {
            self.log.warn(&format!("error: {error:#}"));
        }
        begin_anew(self.log)
    }
}

#[cfg(unix)]
fn begin_anew(log: &dyn WorkerLog) -> ! {
    use std::os::unix::process::CommandExt;
    if let Ok(program) = std::env::current_exe() {
        let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).exec();
        log.warn(&format!("error: cannot start again: {error}"));
    }
    std::process::exit(1)
}

#[cfg(not(unix))]
fn begin_anew(_log: &dyn WorkerLog) -> ! {
    std::process::exit(1)
}

impl Shared {
    fn stop_for(&self, reason: Reason) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.stop.store(true, Ordering::Relaxed);
    }

    fn reason(&self) -> Option<Reason> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn epoch(&self) -> u32 {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, |report| report.epoch)
    }

    /// Waits; `true` once the training is over.
    fn wait(&self, time: Duration) -> bool {
        let over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.over.wait_timeout_while(over, time, |over| !*over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Says that the training is over.
struct Ending<'a>(&'a Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        *self.0.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.over.notify_all();
    }
}

/// Keeps what the training says.
struct Record<'a> {
    shared: Arc<Shared>,
    attempt: &'a Attempt,
}

impl Progress for Record<'_> {
    fn epoch(&mut self, report: &EpochReport) {
        self.attempt.keep_epoch(report);
        *self.shared.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
    }

    fn warning(&mut self, message: &str) {
        self.attempt.note(message);
    }

    /// Asked at every batch border.
    fn should_stop(&self) -> bool {
        self.shared.batches.fetch_add(1, Ordering::Relaxed);
        self.shared.stop.load(Ordering::Relaxed) || self.shared.leave.load(Ordering::Relaxed)
    }
}
