//! `nao worker`: trains children. Of a search on this machine, which sends them one by one; or of a run folder, for any
//! coordinator and together with any other workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nao_child::{ArchOf, CellRecipe};
use nao_run::execution::most_processes;
use nao_run::executor::{Batch, Exchange, TaskKey, WorkOrder};
use nao_run::worker::{GroupSettings, WorkerLog, WorkerLoop, run_group, serve_pipe};
use nao_run::{RunFolder, quoted};
use nao_space::{Checkpointing, EvaluationError, Measurement, Progress, Trial, TrialId};
use rayon::ThreadPool;

use crate::args::WorkerArgs;
use crate::cells::{NamedRecipe, with_recipe};
use crate::device::device;
use crate::failure::STOPPED;
use crate::interrupt::IsIgnored;
use crate::output::{mention, tell};
use crate::report::figure;
use crate::run::RunContents;

/// How long the run folder may still be on its way when workers start together with the search.
const FOLDER_PATIENCE: Duration = Duration::from_secs(30);

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
        threads: args.threads.unwrap_or_else(|| (processors() / slots).max(1)),
        batch: args.batch,
        device: args.device.clone(),
        idle: args.idle,
    };
    Ok(run_group(&args.run, &settings, &leave)?)
}

/// A worker on standard input and output.
fn at_pipe(args: &WorkerArgs) -> Result<()> {
    ignore_signals().context("cannot listen for signals")?;
    let threads = pool(args.threads.unwrap_or_else(processors))?;
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
    wait_for_folder(args, &leave);
    let folder = RunFolder::open(&args.run)?;
    let exchange = Exchange::of(folder.path());
    let Some(order) = wait_for_order(&folder, &exchange, args, &leave)? else { return Ok(()) };
    with_recipe!(folder.kind()?, R => work::<R>(args, &folder, exchange, order, leave))
}

fn work<R: NamedRecipe>(
    args: &WorkerArgs,
    folder: &RunFolder,
    exchange: Exchange,
    order: WorkOrder,
    leave: Arc<AtomicBool>,
) -> Result<()> {
    let config = folder.config::<R>()?;
    let data = folder.data::<R>(&config)?;
    let device = device(&device_word(args, &order))?;
    let assigned = assigned(&exchange, args)?;
    let evaluator = config.recipe.evaluator(data, device)?;
    let threads = pool(args.threads.unwrap_or_else(processors))?;
    let try_one = Box::new(
        move |trial: &Trial<ArchOf<R>>, checkpoint: &Checkpointing, progress: &mut (dyn Progress + Send)| {
            threads.install(|| evaluator.evaluate_resumably(trial, checkpoint, progress))
        },
    );
    let idle = Duration::from_secs(args.idle);
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

fn wait_for_folder(args: &WorkerArgs, leave: &AtomicBool) {
    let (begun, patience) = (Instant::now(), FOLDER_PATIENCE.min(Duration::from_secs(args.idle)));
    let mut is_said = false;
    while !args.run.is_dir() && begun.elapsed() < patience && !leave.load(Ordering::Relaxed) {
        if !is_said {
            tell(format_args!("waiting for the run folder {} ...", args.run.display()));
            is_said = true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What the coordinator asks; `None` when it is time to go.
fn wait_for_order(
    folder: &RunFolder,
    exchange: &Exchange,
    args: &WorkerArgs,
    leave: &AtomicBool,
) -> Result<Option<WorkOrder>> {
    let begun = Instant::now();
    loop {
        if let Some(order) = exchange.order()? {
            return Ok(Some(order));
        }
        if leave.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if begun.elapsed() > Duration::from_secs(args.idle) {
            let (run, quoted) = (args.run.display(), quoted(&args.run));
            match folder.end()? {
                None => bail!(
                    "{run} gives no work: start its search with --executor workers, or nao resume {quoted} --executor workers"
                ),
                Some(end) if end.yields_to_budget() => bail!(
                    "{run} has ended ({end}) and gives no work; with a larger budget it does: nao resume {quoted} \
                     --budget TRIALS --executor workers"
                ),
                Some(end) => bail!("{run} has ended ({end}) and gives no work"),
            }
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The device of this worker: as named, or as ordered, a further one for each slot.
fn device_word(args: &WorkerArgs, order: &WorkOrder) -> String {
    let word = args.device.clone().unwrap_or_else(|| order.device.clone());
    let number = word.strip_prefix("cuda:").and_then(|number| number.parse::<usize>().ok());
    match (number, args.slot) {
        (Some(number), Some(slot)) => format!("cuda:{}", number + slot),
        _ => word,
    }
}

/// The tasks of a worker that a scheduler has started; `None` for one that takes any.
fn assigned(exchange: &Exchange, args: &WorkerArgs) -> Result<Option<Vec<TaskKey>>> {
    let Some(number) = args.batch else { return Ok(None) };
    let index = match args.index {
        Some(index) => index,
        None => {
            let text =
                std::env::var("SLURM_ARRAY_TASK_ID").context("--batch is for tasks of an array job")?;
            text.parse().with_context(|| format!("SLURM_ARRAY_TASK_ID is `{text}`"))?
        }
    };
    let batch = Batch::read(exchange, number)?;
    let keys = batch.tasks.into_iter().nth(index as usize);
    Ok(Some(keys.with_context(|| format!("batch {number} has no task {index}"))?))
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
