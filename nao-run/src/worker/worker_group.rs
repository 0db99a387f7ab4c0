//! Several workers side by side on one node, a process each, so that one that dies takes no other along.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::{Context, Result, RunError};
use crate::executor::Exchange;
use nao_space::counted;

/// How the workers of a group are started.
#[derive(Clone, Debug)]
pub struct GroupSettings {
    /// How many.
    pub slots: usize,
    /// Threads of each.
    pub threads: usize,
    /// The batch of a scheduler that they work on, where there is one.
    pub batch: Option<u32>,
    /// The device of the first, where it is not the one that the search asks for.
    pub device: Option<String>,
    /// Seconds without work after which they go.
    pub idle: u64,
}

impl GroupSettings {
    /// How this program is started as the worker of a slot.
    fn command(&self, program: &Path, run: &Path, slot: usize) -> Command {
        let mut command = Command::new(program);
        command.arg("worker").arg(run).args([
            "--slot",
            &slot.to_string(),
            "--threads",
            &self.threads.to_string(),
        ]);
        for (name, value) in
            [("--batch", self.batch.map(|batch| batch.to_string())), ("--device", self.device.clone())]
        {
            command.args(value.map(|value| [name.to_owned(), value]).into_iter().flatten());
        }
        command.args(["--idle", &self.idle.to_string()]);
        command
    }
}

/// Starts this program as a worker at the run folder once per slot, waits for all of them, and tells them to leave once
/// `leave` is raised.
///
/// # Errors
/// When a worker cannot be started, or one ended with an error though the run was not asked to stop.
pub fn run_group(run: &Path, settings: &GroupSettings, leave: &AtomicBool) -> Result<()> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let not_started = || format!("cannot start a worker ({})", program.display());
    let slots = settings.slots;
    let mut workers = Vec::new();
    for slot in 0..slots {
        workers.push(settings.command(&program, run, slot).spawn().with_context(not_started)?);
    }
    let mut told = false;
    let mut failed = 0;
    while !workers.is_empty() {
        if !told && leave.load(Ordering::Relaxed) {
            told = true;
            workers.iter().for_each(tell_to_leave);
        }
        workers.retain_mut(|worker| match worker.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) => {
                failed += usize::from(!status.success());
                false
            }
            Err(_) => false,
        });
        std::thread::sleep(Duration::from_millis(50));
    }
    if failed > 0 && Exchange::of(run).asked_to_stop().is_none() {
        return Err(RunError::Failed(format!(
            "{failed} of {} ended with an error",
            counted(slots, "worker")
        )));
    }
    Ok(())
}

#[cfg(unix)]
fn tell_to_leave(worker: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(process) = i32::try_from(worker.id()).ok().and_then(Pid::from_raw) {
        // One that has ended meanwhile needs no word.
        let _ = kill_process(process, Signal::TERM);
    }
}

#[cfg(not(unix))]
fn tell_to_leave(_worker: &Child) {}
