//! A worker on standard input and output: one JSON document per line each way.

use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use nao_space::excerpt::excerpt;
use nao_space::{Checkpointing, EpochReport, EvaluationError, Progress, Trial, TrialId};
use serde::de::DeserializeOwned;

use super::{TryOne, WorkerLog, add_peak};
use crate::executor::{EpochFile, FromWorker};
use crate::folder::RunFolder;

/// How long a training may take to its next border once the coordinator has gone.
const FAREWELL: Duration = Duration::from_secs(10);

/// Tries the trials that come on standard input, and answers on standard output, until the coordinator goes. States of
/// trials under way are kept in the run folder, at most once per `interval`.
pub fn serve_pipe<A>(
    run: &RunFolder,
    interval: Duration,
    log: impl WorkerLog + Send + 'static,
    try_one: impl TryOne<A>,
) where
    A: DeserializeOwned + Send + 'static,
{
    let stop = Arc::new(AtomicBool::new(false));
    for trial in trials(stop.clone(), log) {
        // A search that was killed loses little, and short trainings write nothing.
        let checkpoint = Checkpointing { path: run.checkpoint(trial.id), interval };
        let mut line = Line::begin(run, trial.id, stop.clone());
        let mut outcome = try_one(&trial, &checkpoint, &mut line);
        if stop.load(Ordering::Relaxed) && outcome == Err(EvaluationError::Interrupted) {
            // Its state is kept; nobody listens any more.
            return;
        }
        if let Ok(measurement) = &mut outcome {
            add_peak(measurement);
        }
        say(&FromWorker::Finished { trial: trial.id, outcome });
    }
}

/// The trials on standard input. They are read beside the training, so that the end of the input, which means that the
/// coordinator goes or is gone, ends this process in the middle of a child: at its next border, where its state is kept,
/// or where that takes too long.
fn trials<A: DeserializeOwned + Send + 'static>(
    stop: Arc<AtomicBool>,
    log: impl WorkerLog + Send + 'static,
) -> mpsc::Receiver<Trial<A>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let trial = serde_json::from_str(&line).unwrap_or_else(|error| {
                log.warn(&format!("error: not a trial: {error}: {}", excerpt(&line)));
                std::process::exit(2);
            });
            if sender.send(trial).is_err() {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        drop(sender);
        std::thread::sleep(FAREWELL);
        std::process::exit(0);
    });
    receiver
}

/// Reports epochs to the coordinator, and keeps them for one that comes after it.
struct Line {
    trial: TrialId,
    epochs: EpochFile,
    /// Raised when the coordinator goes.
    stop: Arc<AtomicBool>,
}

impl Line {
    /// Tells the epochs of a trial that goes on from an earlier start again.
    fn begin(run: &RunFolder, trial: TrialId, stop: Arc<AtomicBool>) -> Self {
        let (epochs, before) = EpochFile::begin(run, trial);
        before.into_iter().for_each(|report| say(&FromWorker::Epoch { trial, report }));
        Line { trial, epochs, stop }
    }
}

impl Progress for Line {
    fn epoch(&mut self, report: &EpochReport) {
        self.epochs.keep(report);
        say(&FromWorker::Epoch { trial: self.trial, report: report.clone() });
    }

    fn warning(&mut self, message: &str) {
        tracing::warn!("trial {}: {message}", self.trial);
    }

    fn should_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Writes a line. A coordinator that does not listen any more is gone, and so is the reason to go on.
fn say(message: &FromWorker) {
    let line = serde_json::to_string(message).expect("a message has a JSON form");
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
