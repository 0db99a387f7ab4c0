//! `nao worker`: trains children. Of a search on this machine, which sends them one by one; or of a run folder, for any
//! coordinator and together with any other workers.

mod duty;
mod shift;
mod slots;
mod stdio;

use anyhow::{Context, Result, bail};
use rayon::ThreadPool;

use crate::args::WorkerArgs;
use crate::interrupt::IsIgnored;
use crate::run::most_processes;

/// Works. `is_ignored` says which signals the process was started to ignore.
pub fn run(args: WorkerArgs, is_ignored: IsIgnored) -> Result<()> {
    check_count("--threads", args.threads.unwrap_or(1))?;
    // A panic is an outcome, with its message; the trace is for those who ask for it.
    std::panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));
    if args.stdio {
        stdio::run(&args)
    } else if slots::are_many(&args) {
        slots::run(&args, is_ignored)
    } else {
        shift::run(&args, is_ignored)
    }
}

/// Refuses more processes or threads than are started on one machine.
fn check_count(option: &str, count: usize) -> Result<()> {
    let most = most_processes();
    if count > most {
        bail!("{option} {count} is more than this machine takes: at most {most}");
    }
    Ok(())
}

/// Threads of a worker of its own.
fn pool(threads: usize) -> Result<ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")
}

/// The processors that the scheduler gives this task, or those of this machine.
fn processors() -> usize {
    let here = std::thread::available_parallelism().map_or(1, usize::from);
    let given = |name| std::env::var(name).ok()?.parse::<usize>().ok();
    let given = given("SLURM_CPUS_PER_TASK").or_else(|| given("SLURM_CPUS_ON_NODE"));
    given.map_or(here, |given| given.clamp(1, here))
}
