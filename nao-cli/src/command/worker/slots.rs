//! Several workers side by side on one node, a process each, so that one that dies takes no other along.

use std::process::{Child, Command};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result};
use nao_run::executor::Exchange;

use super::processors;
use super::shift::leave_flag;
use crate::args::WorkerArgs;
use crate::failure::RunFailed;

/// Whether this process only looks after others.
pub fn are_many(args: &WorkerArgs) -> bool {
    args.slot.is_none() && slots(args) > 1
}

fn slots(args: &WorkerArgs) -> usize {
    args.slots.map_or(1, usize::from)
}

/// Starts a worker per slot and waits for them.
pub fn run(args: &WorkerArgs) -> Result<()> {
    let leave = leave_flag()?;
    let (slots, program) = (slots(args), std::env::current_exe().context("cannot find this program")?);
    let threads = args.threads.unwrap_or_else(|| (processors() / slots).max(1));
    let mut workers = Vec::new();
    for slot in 0..slots {
        let mut command = Command::new(&program);
        command.arg("worker").arg(&args.run).args([
            "--slot",
            &slot.to_string(),
            "--threads",
            &threads.to_string(),
        ]);
        for (name, value) in
            [("--batch", args.batch.map(|batch| batch.to_string())), ("--device", args.device.clone())]
        {
            command.args(value.map(|value| [name.to_owned(), value]).into_iter().flatten());
        }
        command.args(["--idle", &args.idle.to_string()]);
        workers
            .push(command.spawn().with_context(|| format!("cannot start a worker ({})", program.display()))?);
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
    if failed > 0 && Exchange::of(&args.run).asked_to_stop().is_none() {
        return Err(RunFailed(format!("{failed} of {slots} workers ended with an error")).into());
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
