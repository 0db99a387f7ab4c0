//! A worker on standard input and output: one JSON document per line each way.

use std::fs::File;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::{Context, Result};
use burn::tensor::Device;
use nao_space::{Checkpointing, EpochReport, EvaluationError, Progress, Trial, TrialId};
use rayon::ThreadPool;
use serde::de::DeserializeOwned;

use super::{pool, processors};
use crate::args::WorkerArgs;
use crate::data::device;
use crate::executor::FromWorker;
use crate::memory::peak_mib;
use crate::output::tell;
use crate::run::RunFolder;
use crate::task::{Task, with_task};

/// How long a training may take to its next border once the coordinator has gone.
const FAREWELL: Duration = Duration::from_secs(10);

pub fn run(args: &WorkerArgs) -> Result<()> {
    ignore_signals().context("cannot listen for signals")?;
    let threads = pool(args.threads.unwrap_or_else(processors))?;
    let folder = RunFolder::open(&args.run)?;
    let device = device(args.device.as_deref().unwrap_or("cpu"))?;
    with_task!(folder.kind()?, T => work::<T>(&folder, &device, &threads))
}

fn work<T: Task>(folder: &RunFolder, device: &Device, threads: &ThreadPool) -> Result<()> {
    let config = folder.config::<T>()?;
    let data = T::load(&config.data, Some(folder.path()))?;
    let interval = config.execution.order().checkpoint();
    let evaluator = T::evaluator(data, config.recipe, device.clone())?;
    let stop = Arc::new(AtomicBool::new(false));
    for trial in trials(stop.clone()) {
        // A search that was killed loses little, and short trainings write nothing.
        let checkpoint = Checkpointing { path: folder.checkpoint(trial.id), interval };
        let mut line = Line::begin(folder, trial.id, stop.clone());
        // Inside of the pool no operation is handed to another thread and waited for, which saves a tenth.
        let mut outcome = threads.install(|| evaluator.evaluate_resumably(&trial, &checkpoint, &mut line));
        if stop.load(Ordering::Relaxed) && outcome == Err(EvaluationError::Interrupted) {
            // Its state is kept; nobody listens any more.
            return Ok(());
        }
        if let (Ok(measurement), Some(peak)) = (&mut outcome, peak_mib()) {
            // Of this process so far: a later trial shows no less than an earlier one.
            measurement.extra.insert("peak_memory_mib".into(), peak);
        }
        say(&FromWorker::Finished { trial: trial.id, outcome });
    }
    Ok(())
}

/// Ctrl-C reaches the whole group of processes; only the coordinator decides what it means.
#[cfg(unix)]
fn ignore_signals() -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::default())?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn ignore_signals() -> Result<()> {
    Ok(ctrlc::set_handler(|| {})?)
}

/// The trials on standard input. They are read beside the training, so that the end of the input, which means that the
/// coordinator goes or is gone, ends this process in the middle of a child: at its next border, where its state is kept,
/// or where that takes too long.
fn trials<A: DeserializeOwned + Send + 'static>(stop: Arc<AtomicBool>) -> mpsc::Receiver<Trial<A>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let trial = serde_json::from_str(&line).unwrap_or_else(|error| {
                tell(format_args!("error: not a trial: {error}: {line}"));
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
    epochs: PathBuf,
    /// Raised when the coordinator goes.
    stop: Arc<AtomicBool>,
}

impl Line {
    /// Tells the epochs of a trial that goes on from an earlier start again. What cannot be read or written of them costs a
    /// part of the curve.
    fn begin(folder: &RunFolder, trial: TrialId, stop: Arc<AtomicBool>) -> Self {
        let (checkpoint, epochs) = (folder.checkpoint(trial), folder.epochs(trial));
        if let Some(parent) = epochs.parent() {
            let _ = std::fs::create_dir_all(parent);
        }
        if checkpoint.is_file() {
            let text = std::fs::read_to_string(&epochs).unwrap_or_default();
            let reports = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            reports.for_each(|report| say(&FromWorker::Epoch { trial, report }));
        } else {
            let _ = std::fs::remove_file(&epochs);
        }
        Line { trial, epochs, stop }
    }
}

impl Progress for Line {
    fn epoch(&mut self, report: &EpochReport) {
        let file = File::options().append(true).create(true).open(&self.epochs);
        if let (Ok(mut file), Ok(line)) = (file, serde_json::to_string(report)) {
            let _ = writeln!(file, "{line}");
        }
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
