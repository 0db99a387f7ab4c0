//! Trials on threads of this process, for evaluators that need no process of their own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use nao_space::{
    Checkpointing, EpochReport, EvaluationError, Evaluator, Measurement, Progress, Trial, TrialId,
};

use super::{EpochFile, Event, Executor, OpenTrials, Start};
use crate::error::Result;
use crate::folder::RunFolder;

/// The least time between two checkpoints of a trial after epochs.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// Runs trials on threads of this process. A panic of the evaluator fails its trial alone; what ends the process, such as
/// a stack overflow, ends the search, which then goes on from its folder.
pub struct ThreadsExecutor<A> {
    run: RunFolder,
    /// Where the threads take trials from; none once no more will come.
    queue: Option<Sender<Trial<A>>>,
    inbox: Receiver<Event>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// What one thread has.
struct Slot<A, E> {
    number: usize,
    run: RunFolder,
    evaluator: Arc<E>,
    queue: Arc<Mutex<Receiver<Trial<A>>>>,
    outbox: Sender<Event>,
    stop: Arc<AtomicBool>,
}

impl<A: Send + 'static> ThreadsExecutor<A> {
    /// An executor of `slots` threads, which share the evaluator; states of trials under way are kept in the run folder.
    pub fn new<E>(run: &RunFolder, evaluator: Arc<E>, slots: usize) -> Self
    where
        E: Evaluator<A> + Send + Sync + 'static,
    {
        let (queue, trials) = mpsc::channel();
        let (outbox, inbox) = mpsc::channel();
        let (trials, stop) = (Arc::new(Mutex::new(trials)), Arc::new(AtomicBool::new(false)));
        let threads = (0..slots).map(|number| {
            let slot = Slot {
                number,
                run: run.clone(),
                evaluator: evaluator.clone(),
                queue: trials.clone(),
                outbox: outbox.clone(),
                stop: stop.clone(),
            };
            std::thread::spawn(move || slot.work())
        });
        let threads = threads.collect();
        ThreadsExecutor { run: run.clone(), queue: Some(queue), inbox, stop, threads }
    }
}

impl<A, E: Evaluator<A>> Slot<A, E> {
    /// Tries one trial after the other until no more come.
    fn work(&self) {
        loop {
            let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(trial) = next else { return };
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            self.tell(Event::Started { slot: Some(self.number), trial: trial.id, start: Start::Next });
            let outcome = self.evaluate(&trial);
            let was_stopped = matches!(outcome, Err(EvaluationError::Interrupted));
            if was_stopped && self.stop.load(Ordering::Relaxed) {
                return;
            }
            self.tell(Event::Finished { slot: Some(self.number), trial: trial.id, outcome });
        }
    }

    fn evaluate(&self, trial: &Trial<A>) -> Result<Measurement, EvaluationError> {
        let checkpoint = Checkpointing { path: self.run.checkpoint(trial.id), interval: CHECKPOINT_EVERY };
        let (epochs, before) = EpochFile::begin(&self.run, trial.id);
        let mut reporter =
            Reporter { slot: self.number, trial: trial.id, epochs, outbox: &self.outbox, stop: &self.stop };
        before.into_iter().for_each(|report| reporter.tell(report));
        let evaluate = || self.evaluator.evaluate_resumably(trial, &checkpoint, &mut reporter);
        // The evaluator depends on the trial alone, and nothing else that it could leave half done is used again.
        let outcome = catch_unwind(AssertUnwindSafe(evaluate));
        outcome.unwrap_or_else(|panic| Err(EvaluationError::Panicked { message: message(&*panic) }))
    }

    /// A coordinator that does not listen any more needs no news.
    fn tell(&self, event: Event) {
        let _ = self.outbox.send(event);
    }
}

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or("no message".to_owned())
}

/// Passes on what an evaluator reports.
struct Reporter<'a> {
    slot: usize,
    trial: TrialId,
    epochs: EpochFile,
    outbox: &'a Sender<Event>,
    stop: &'a AtomicBool,
}

impl Reporter<'_> {
    fn tell(&self, report: EpochReport) {
        let _ = self.outbox.send(Event::Epoch { slot: Some(self.slot), trial: self.trial, report });
    }
}

impl Progress for Reporter<'_> {
    fn epoch(&mut self, report: &EpochReport) {
        self.epochs.keep(report);
        self.tell(report.clone());
    }

    fn warning(&mut self, message: &str) {
        let _ = self.outbox.send(Event::Note(format!("trial {}: {message}", self.trial)));
    }

    fn should_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl<A> ThreadsExecutor<A> {
    /// Stops all trials and waits for the threads: each ends at the next moment at which its evaluator asks whether to.
    fn end_all(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.queue = None;
        for thread in self.threads.drain(..) {
            // Panics of evaluators are caught; there is no other.
            let _ = thread.join();
        }
    }
}

impl<A> Executor<A> for ThreadsExecutor<A> {
    fn submit(&mut self, trials: Vec<Trial<A>>) -> Result<()> {
        if let Some(queue) = &self.queue {
            for trial in trials {
                // The threads live for as long as the queue does.
                let _ = queue.send(trial);
            }
        }
        Ok(())
    }

    fn poll(&mut self, timeout: Duration) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        match self.inbox.recv_timeout(timeout) {
            Ok(event) => events.push(event),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(events),
        }
        events.extend(self.inbox.try_iter());
        Ok(events)
    }

    fn settled(&mut self, trial: TrialId) -> Result<()> {
        self.run.forget_state(trial);
        Ok(())
    }

    fn leave(&mut self) -> OpenTrials {
        self.end_all();
        OpenTrials::Stopped
    }
}

impl<A> Drop for ThreadsExecutor<A> {
    fn drop(&mut self) {
        self.end_all();
    }
}
