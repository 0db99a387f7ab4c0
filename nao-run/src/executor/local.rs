//! Worker processes on this machine, one per slot. A process keeps its random state, its threads and its memory
//! to itself, can be killed at its time limit, and takes nothing down with it when it dies.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use nao_space::{EvaluationError, Measurement, Trial, TrialId};
use serde::Serialize;

use super::{Event, Exchange, Executor, FromWorker, OpenTrials, Start, TrialOutcome};
use crate::error::{Context, Result, bail};
use crate::folder::RunFolder;
use crate::memory::resident_mib_of;
use crate::shell::quoted;

/// The exit code of a worker that finds something wrong with what it is given.
const REFUSED: i32 = 2;

/// How workers are started.
#[derive(Clone, Debug)]
pub struct WorkerSettings {
    /// The `nao` program.
    pub program: PathBuf,
    /// The run folder, whose configuration says what a trial is.
    pub run: RunFolder,
    /// Threads per worker.
    pub threads: usize,
    /// The devices of the children, one for each slot in turn; at least one.
    pub devices: Vec<String>,
    /// How long a trial may take.
    pub time_limit: Option<Duration>,
    /// How many MiB of memory a worker may hold.
    pub memory_limit: Option<f64>,
}

/// How long workers may take to keep the state of their trials when the search is told to stop.
const FAREWELL: Duration = Duration::from_millis(1_500);

/// Runs trials in worker processes.
pub struct LocalExecutor<A> {
    settings: WorkerSettings,
    slots: Vec<Slot>,
    waiting: VecDeque<Trial<A>>,
    inbox: Receiver<Message>,
    outbox: Sender<Message>,
}

/// One place for a worker.
#[derive(Default)]
struct Slot {
    worker: Option<Worker>,
    /// The trial that the worker has, and since when.
    busy: Option<(TrialId, Instant)>,
    /// Counts the workers of this slot, so that late words of a dead one are not heard.
    generation: u64,
}

struct Worker {
    process: Child,
    input: ChildStdin,
}

/// A word from the thread that reads a worker's output.
struct Message {
    slot: usize,
    generation: u64,
    /// The line, or `None` at the end of the output.
    line: Option<String>,
}

impl<A> LocalExecutor<A> {
    /// An executor of `slots` workers, started when there is work.
    pub fn new(settings: WorkerSettings, slots: usize) -> Self {
        let (outbox, inbox) = mpsc::channel();
        let slots = (0..slots).map(|_| Slot::default()).collect();
        LocalExecutor { settings, slots, waiting: VecDeque::new(), inbox, outbox }
    }

    /// Hands waiting trials to free slots.
    fn fill(&mut self) -> Result<Vec<Event>>
    where
        A: Serialize,
    {
        let mut events = Vec::new();
        for slot in 0..self.slots.len() {
            if self.slots[slot].busy.is_some() {
                continue;
            }
            let Some(trial) = self.waiting.pop_front() else { break };
            if self.slots[slot].worker.is_none() {
                self.start_worker(slot)?;
            }
            self.slots[slot].busy = Some((trial.id, Instant::now()));
            events.push(Event::Started { slot: Some(slot), trial: trial.id, start: Start::Next });
            let line = serde_json::to_string(&trial).context("a trial has no JSON form")?;
            let worker = self.slots[slot].worker.as_mut().expect("started above");
            // A worker that cannot be written to is dead; the end of its output says so.
            let _ = writeln!(worker.input, "{line}").and_then(|()| worker.input.flush());
        }
        Ok(events)
    }

    fn start_worker(&mut self, slot: usize) -> Result<()> {
        let settings = &self.settings;
        let mut process = Command::new(&settings.program)
            .arg("worker")
            .arg(settings.run.path())
            .args(["--stdio", "--threads", &settings.threads.to_string()])
            .args(["--device", &settings.devices[slot % settings.devices.len()]])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start a worker ({})", settings.program.display()))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            unreachable!("both are piped");
        };
        let place = &mut self.slots[slot];
        place.generation += 1;
        let (generation, outbox) = (place.generation, self.outbox.clone());
        place.worker = Some(Worker { process, input });
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if outbox.send(Message { slot, generation, line: Some(line) }).is_err() {
                    return;
                }
            }
            let _ = outbox.send(Message { slot, generation, line: None });
        });
        Ok(())
    }

    /// What a message means; `None` for one of a worker that is no more.
    fn understand(&mut self, message: Message) -> Result<Option<Event>> {
        let Message { slot, generation, line } = message;
        if self.slots[slot].generation != generation {
            return Ok(None);
        }
        let Some(line) = line else { return self.bury(slot) };
        Ok(match serde_json::from_str(&line) {
            Ok(FromWorker::Epoch { trial, report }) => Some(Event::Epoch { slot: Some(slot), trial, report }),
            Ok(FromWorker::Finished { trial, outcome }) => self.finish(slot, trial, outcome),
            Err(error) => {
                tracing::warn!("worker {slot} said something else: {error}: {line}");
                None
            }
        })
    }

    fn finish(
        &mut self,
        slot: usize,
        trial: TrialId,
        outcome: Result<Measurement, EvaluationError>,
    ) -> Option<Event> {
        self.slots[slot].busy.take_if(|(busy, _)| *busy == trial)?;
        Some(Event::Finished { slot: Some(slot), trial, outcome })
    }

    /// A worker's output has ended: its trial, if it had one, fails. One that refuses the settings or the data of the run
    /// would refuse all trials, and says nothing about any.
    fn bury(&mut self, slot: usize) -> Result<Option<Event>> {
        let ended = self.end_worker(slot);
        let Some((trial, _)) = self.slots[slot].busy.take() else { return Ok(None) };
        if ended.and_then(|status| status.code()) == Some(REFUSED) {
            let run = self.settings.run.path();
            bail!(
                "a worker refuses {}, for the reason above; once it is gone, go on with:  nao resume {}",
                run.display(),
                quoted(run)
            );
        }
        let status = ended.map_or("unknown end".into(), |status| status.to_string());
        let outcome = Err(EvaluationError::WorkerDied { status });
        Ok(Some(Event::Finished { slot: Some(slot), trial, outcome }))
    }

    /// Kills the worker of a slot, if there is one, and gives how it ended.
    fn end_worker(&mut self, slot: usize) -> Option<ExitStatus> {
        let place = &mut self.slots[slot];
        place.generation += 1;
        let Worker { mut process, input } = place.worker.take()?;
        drop(input);
        let ended = process.try_wait().ok().flatten();
        let _ = process.kill();
        process.wait().ok().or(ended)
    }

    /// Lets all workers know that they are to go, and gives them time to keep the state of their trials.
    fn bid_farewell(&mut self) {
        let mut leaving = Vec::new();
        for slot in &mut self.slots {
            slot.generation += 1;
            // The end of its input is the word.
            let Some(Worker { process, input }) = slot.worker.take() else { continue };
            drop(input);
            leaving.push(process);
        }
        let deadline = Instant::now() + FAREWELL;
        loop {
            leaving.retain_mut(|process| matches!(process.try_wait(), Ok(None)));
            if leaving.is_empty() || Instant::now() >= deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        for process in &mut leaving {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Ends all workers and forgets all trials.
    fn end_all(&mut self) {
        self.waiting.clear();
        for slot in 0..self.slots.len() {
            self.end_worker(slot);
            self.slots[slot].busy = None;
        }
    }

    /// Ends trials that take too long or too much, with their workers.
    fn enforce_limits(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for slot in 0..self.slots.len() {
            let Some((trial, since)) = self.slots[slot].busy else { continue };
            let Some(error) = self.too_long(since).or_else(|| self.too_much(slot)) else { continue };
            self.slots[slot].busy = None;
            self.end_worker(slot);
            events.push(Event::Finished { slot: Some(slot), trial, outcome: Err(error) });
        }
        events
    }

    fn too_long(&self, since: Instant) -> Option<EvaluationError> {
        let limit = self.settings.time_limit.filter(|limit| since.elapsed() > *limit)?;
        Some(EvaluationError::TimeLimit { seconds: limit.as_secs_f64() })
    }

    fn too_much(&self, slot: usize) -> Option<EvaluationError> {
        let limit = self.settings.memory_limit?;
        let held = resident_mib_of(self.slots[slot].worker.as_ref()?.process.id())?;
        let detail = format!("held {held:.0} MiB of at most {limit:.0}");
        (held > limit).then_some(EvaluationError::OutOfMemory { detail })
    }
}

impl<A: Serialize> Executor<A> for LocalExecutor<A> {
    fn recover(&mut self, record: &mut dyn FnMut(TrialOutcome) -> Result<()>) -> Result<()> {
        Exchange::of(self.settings.run.path()).recover(record)
    }

    fn asked_to_stop(&self) -> Option<String> {
        Exchange::of(self.settings.run.path()).asked_to_stop()
    }

    fn submit(&mut self, trials: Vec<Trial<A>>) -> Result<()> {
        self.waiting.extend(trials);
        Ok(())
    }

    fn poll(&mut self, timeout: Duration) -> Result<Vec<Event>> {
        let mut events = self.fill()?;
        events.extend(self.enforce_limits());
        let mut wait = if events.is_empty() { timeout } else { Duration::ZERO };
        loop {
            match self.inbox.recv_timeout(wait) {
                Ok(message) => events.extend(self.understand(message)?),
                Err(RecvTimeoutError::Timeout) => return Ok(events),
                Err(RecvTimeoutError::Disconnected) => unreachable!("this executor holds a sender"),
            }
            wait = Duration::ZERO;
        }
    }

    fn settled(&mut self, trial: TrialId) -> Result<()> {
        self.settings.run.forget_state(trial);
        Ok(())
    }

    fn leave(&mut self) -> OpenTrials {
        self.bid_farewell();
        self.end_all();
        OpenTrials::Stopped
    }
}

impl<A> Drop for LocalExecutor<A> {
    fn drop(&mut self) {
        self.end_all();
    }
}
