//! `nao worker`: trains children. Of a search on this machine, which sends them one by one; or of a run folder, for any
//! coordinator and together with any other workers.

mod duty;
mod shift;
mod slots;
mod stdio;

use anyhow::{Context, Result};
use rayon::ThreadPool;

use crate::args::WorkerArgs;

/// Works.
pub fn run(args: WorkerArgs) -> Result<()> {
    // A panic is an outcome, with its message; the trace is for those who ask for it.
    std::panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));
    if args.stdio {
        stdio::run(&args)
    } else if slots::are_many(&args) {
        slots::run(&args)
    } else {
        shift::run(&args)
    }
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
