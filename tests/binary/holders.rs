//! Workers caught in the middle of a trial, so that what befalls them befalls the trial, however fast a machine is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

/// Epochs after which a trial counts as too close to its end: one that is caught has half of them before it.
const YOUNG: usize = 3;

/// A worker that is stopped in the middle of a trial without a result. It goes on when this is dropped.
pub struct Caught {
    run: PathBuf,
    /// The folder of all attempts at its trial.
    attempts: PathBuf,
    /// The folder of this attempt.
    attempt: PathBuf,
    holder: Value,
    process: u32,
}

impl Caught {
    /// The task of the scheduler that it is, as `JOB_TASK`.
    pub fn place(&self) -> String {
        let place = &self.holder["place"];
        format!("{}_{}", place["job"].as_str().unwrap(), place["task"])
    }

    pub fn kill(&self) {
        signal(self.process, "-KILL");
    }

    pub fn ask_to_go(&self) {
        signal(self.process, "-TERM");
    }

    /// Whether it is still stopped: neither continued from elsewhere nor dead.
    pub fn is_stopped(&self) -> bool {
        state(self.process) == Some('T')
    }

    /// Whether a later attempt at its trial has begun, or the trial has even got its outcome from one.
    pub fn has_a_successor(&self) -> bool {
        last(&self.attempts).is_none_or(|last| last > self.attempt)
    }

    /// Whether it can still have a say in its trial.
    fn is_in_the_middle(&self) -> bool {
        let attempt = &self.attempt;
        let result = self.run.join("results").join(self.attempts.file_name().unwrap()).with_extension("json");
        !result.exists()
            && !attempt.join("released").exists()
            && holder(attempt).as_ref() == Some(&self.holder)
            && attempt.join("checkpoint.safetensors").exists()
            && epochs(&self.attempts) <= YOUNG
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        signal(self.process, "-CONT");
    }
}

/// Stops a worker in the middle of a trial, if one satisfies this and its trial is far from its end.
pub fn catch(run: &Path, wanted: impl Fn(&Value) -> bool) -> Option<Caught> {
    let trials = std::fs::read_dir(run.join("attempts")).into_iter().flatten().flatten();
    trials.map(|trial| trial.path()).find_map(|attempts| {
        // Only the last attempt counts; those before were put back, or lost.
        let attempt = last(&attempts)?;
        let holder = holder(&attempt).filter(|holder| wanted(holder))?;
        let process = u32::try_from(holder["process"].as_u64()?).ok()?;
        if state(process)? == 'T' {
            // Another test stopped it, and only that one may continue it.
            return None;
        }
        signal(process, "-STOP");
        let caught = Caught { run: run.to_owned(), attempts, attempt, holder, process };
        while !caught.is_stopped() {
            state(process)?;
            std::thread::sleep(Duration::from_millis(1));
        }
        // It ran on until it stood still.
        caught.is_in_the_middle().then_some(caught)
    })
}

/// The folder of the last attempt at a trial.
fn last(attempts: &Path) -> Option<PathBuf> {
    std::fs::read_dir(attempts).ok()?.flatten().map(|attempt| attempt.path()).max()
}

fn holder(attempt: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(attempt.join("holder.json")).ok()?).ok()
}

/// How many epochs all attempts at a trial have done.
fn epochs(attempts: &Path) -> usize {
    let attempts = std::fs::read_dir(attempts).into_iter().flatten().flatten();
    let curves =
        attempts.filter_map(|attempt| std::fs::read_to_string(attempt.path().join("curve.jsonl")).ok());
    curves.map(|curve| curve.lines().count()).sum()
}

fn signal(process: u32, name: &str) {
    // One that is gone hears nothing.
    let _ = Command::new("kill").args([name, &process.to_string()]).output();
}

/// The letter that the system has for the state of a process; none for one that is gone.
fn state(process: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next().filter(|state| !matches!(state, 'Z' | 'X'))
}
