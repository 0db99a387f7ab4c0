//! `nao worker`: trains children. Of a search on this machine, which sends them one by one; or of a run folder, for any
//! coordinator and together with any other workers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[cfg(not(unix))]
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nao_child::{ArchOf, CellRecipe};
use nao_run::RunFolder;
use nao_run::execution::most_processes;
use nao_run::executor::Exchange;
use nao_run::executor::WorkOrder;
use nao_run::worker::{GroupSettings, WorkerLog, WorkerLoop, run_group, serve_pipe};
use nao_run::worker::{device_of_slot, processors_of_task, tasks_of_batch, wait_for_folder, wait_for_order};
use nao_space::{Checkpointing, EvaluationError, Measurement, Progress, Trial, TrialId};
use rayon::ThreadPool;

use crate::args::WorkerArgs;
use crate::cells::{NamedRecipe, with_recipe};
use crate::device::device;
use crate::failure::STOPPED;
use crate::figures::figure;
use crate::interrupt::IsIgnored;
use crate::output::{mention, tell};
use crate::run::RunContents;

/// Works. `is_ignored` says which signals the process was started to ignore.
pub fn run(args: WorkerArgs, is_ignored: IsIgnored) -> Result<()> {
    check_count("--threads", args.threads.unwrap_or(1))?;
    // A panic is an outcome, with its message; the trace is for those who ask for it.
    std::panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));
    let slots = args.slots.map_or(1, usize::from);
    if args.stdio {
        at_pipe(&args)
    } else if args.slot.is_none() && slots > 1 {
        side_by_side(&args, slots, is_ignored)
    } else {
        at_folder(&args, is_ignored)
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

/// A worker per slot, a process each.
fn side_by_side(args: &WorkerArgs, slots: usize, is_ignored: IsIgnored) -> Result<()> {
    check_count("--slots", slots)?;
    let leave = leave_flag(is_ignored)?;
    let settings = GroupSettings {
        slots,
        threads: args.threads.unwrap_or_else(|| (processors_of_task() / slots).max(1)),
        batch: args.batch,
        device: args.device.clone(),
        idle: args.idle,
    };
    Ok(run_group(&args.run, &settings, &leave)?)
}

/// A worker on standard input and output.
fn at_pipe(args: &WorkerArgs) -> Result<()> {
    ignore_signals().context("cannot listen for signals")?;
    let threads = pool(args.threads.unwrap_or_else(processors_of_task))?;
    let folder = RunFolder::open(&args.run)?;
    let device = device(args.device.as_deref().unwrap_or("cpu"))?;
    with_recipe!(folder.kind()?, R => {
        let config = folder.config::<R>()?;
        let interval = config.execution.order().checkpoint();
        let data = folder.data::<R>(&config)?;
        let evaluator = config.recipe.evaluator(data, device)?;
        serve_pipe::<ArchOf<R>>(&folder, interval, Terminal, |trial, checkpoint, progress| {
            // Inside of the pool no operation is handed to another thread and waited for, which saves a tenth.
            threads.install(|| evaluator.evaluate_resumably(trial, checkpoint, progress))
        });
        Ok(())
    })
}

/// A worker at the run folder.
fn at_folder(args: &WorkerArgs, is_ignored: IsIgnored) -> Result<()> {
    let leave = leave_flag(is_ignored)?;
    let idle = Duration::from_secs(args.idle);
    wait_for_folder(&args.run, idle, &leave, &Terminal);
    let folder = RunFolder::open(&args.run)?;
    let Some(order) = wait_for_order(&folder, idle, &leave)? else { return Ok(()) };
    with_recipe!(folder.kind()?, R => work::<R>(args, &folder, order, leave))
}

fn work<R: NamedRecipe>(
    args: &WorkerArgs,
    folder: &RunFolder,
    order: WorkOrder,
    leave: Arc<AtomicBool>,
) -> Result<()> {
    let config = folder.config::<R>()?;
    let data = folder.data::<R>(&config)?;
    let device = device(&device_of_slot(args.device.as_deref(), &order, args.slot))?;
    let assigned = args.batch.map(|batch| tasks_of_batch(folder, batch, args.index)).transpose()?;
    let evaluator = config.recipe.evaluator(data, device)?;
    let threads = pool(args.threads.unwrap_or_else(processors_of_task))?;
    let try_one = Box::new(
        move |trial: &Trial<ArchOf<R>>, checkpoint: &Checkpointing, progress: &mut (dyn Progress + Send)| {
            threads.install(|| evaluator.evaluate_resumably(trial, checkpoint, progress))
        },
    );
    let idle = Duration::from_secs(args.idle);
    let exchange = Exchange::of(folder.path());
    let worker = WorkerLoop::<ArchOf<R>>::new(exchange, order, idle, leave, Box::new(Terminal), try_one);
    let mut worker = match assigned {
        Some(tasks) => worker.assigned(tasks),
        None => worker,
    };
    Ok(worker.work()?)
}

/// Says on the terminal what a worker does.
struct Terminal;

impl WorkerLog for Terminal {
    fn say(&self, line: &str) {
        mention(line);
    }

    fn warn(&self, line: &str) {
        tell(line);
    }

    fn published(&self, trial: TrialId, outcome: &Result<Measurement, EvaluationError>) {
        match outcome {
            Ok(measurement) => {
                mention(format_args!(
                    "trial {trial}: {} {}",
                    measurement.objective.name,
                    figure(measurement.value)
                ));
            }
            Err(error) => mention(format_args!("trial {trial}: {error}")),
        }
    }
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

/// A flag that SIGTERM, SIGUSR1, Ctrl-C and, unless it is ignored, SIGHUP raise; a second Ctrl-C ends the program at once.
#[cfg(unix)]
fn leave_flag(is_ignored: IsIgnored) -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
    let flag = Arc::new(AtomicBool::new(false));
    let failed = "cannot listen for signals";
    let code = STOPPED.into();
    signal_hook::flag::register_conditional_shutdown(SIGINT, code, flag.clone()).context(failed)?;
    let hang_up = Some(SIGHUP).filter(|&signal| !is_ignored(signal));
    for signal in [SIGTERM, SIGUSR1, SIGINT].into_iter().chain(hang_up) {
        signal_hook::flag::register(signal, flag.clone()).context(failed)?;
    }
    Ok(flag)
}

/// A flag that Ctrl-C raises.
#[cfg(not(unix))]
fn leave_flag(_is_ignored: IsIgnored) -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(STOPPED.into());
        }
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(flag)
}

/// Threads of a worker of its own.
fn pool(threads: usize) -> Result<ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")
}
