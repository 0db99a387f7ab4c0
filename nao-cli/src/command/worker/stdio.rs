//! A worker on standard input and output: one JSON document per line each way.

use std::fs::File;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::mpsc;

use anyhow::{Context, Result};
use burn::tensor::Device;
use nao_run::RunFolder;
use nao_run::executor::FromWorker;
use nao_run::memory::peak_mib;
use nao_space::{Checkpointing, EpochReport, Progress, Trial, TrialId};
use rayon::ThreadPool;
use serde::de::DeserializeOwned;

use super::{pool, processors};
use crate::args::WorkerArgs;
use crate::data::device;
use crate::run::RunContents;
use crate::task::{Task, with_task};

pub fn run(args: &WorkerArgs) -> Result<()> {
    // Ctrl-C reaches the whole group of processes; only the coordinator decides what it means.
    ctrlc::set_handler(|| {}).context("cannot listen for Ctrl-C")?;
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
    for trial in trials() {
        // A search that was killed loses little, and short trainings write nothing.
        let checkpoint = Checkpointing { path: folder.checkpoint(trial.id), interval };
        let mut line = Line::begin(folder, trial.id);
        // Inside of the pool no operation is handed to another thread and waited for, which saves a tenth.
        let mut outcome = threads.install(|| evaluator.evaluate_resumably(&trial, &checkpoint, &mut line));
        if let (Ok(measurement), Some(peak)) = (&mut outcome, peak_mib()) {
            // Of this process so far: a later trial shows no less than an earlier one.
            measurement.extra.insert("peak_memory_mib".into(), peak);
        }
        say(&FromWorker::Finished { trial: trial.id, outcome });
    }
    Ok(())
}

/// The trials on standard input. They are read beside the training, so that the end of the input, which means that the
/// coordinator is gone, ends this process in the middle of a child.
fn trials<A: DeserializeOwned + Send + 'static>() -> mpsc::Receiver<Trial<A>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let trial = serde_json::from_str(&line).unwrap_or_else(|error| {
                eprintln!("error: not a trial: {error}: {line}");
                std::process::exit(2);
            });
            if sender.send(trial).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    receiver
}

/// Reports epochs to the coordinator, and keeps them for one that comes after it.
struct Line {
    trial: TrialId,
    epochs: PathBuf,
}

impl Line {
    /// Tells the epochs of a trial that goes on from an earlier start again. What cannot be read or written of them costs a
    /// part of the curve.
    fn begin(folder: &RunFolder, trial: TrialId) -> Self {
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
        Line { trial, epochs }
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
}

/// Writes a line. A coordinator that does not listen any more is gone, and so is the reason to go on.
fn say(message: &FromWorker) {
    let line = serde_json::to_string(message).expect("a message has a JSON form");
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
