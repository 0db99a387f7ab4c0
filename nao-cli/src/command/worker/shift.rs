//! A worker at a run folder: takes a task, trains it, publishes the result, takes the next.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nao_run::RunFolder;
use nao_run::executor::{
    Attempt, Batch, Claim, Claimant, Clock, Exchange, Holder, Published, RealClock, TaskFile, TaskKey,
    TaskResult, WorkOrder,
};
use nao_space::{Evaluator, Objective};
use rayon::ThreadPool;
use sha2::{Digest, Sha256};

use super::duty::{Done, Duty};
use super::{pool, processors};
use crate::args::WorkerArgs;
use crate::data::device;
use crate::report::figure;
use crate::run::RunContents;
use crate::task::{Arch, Task, with_task};

/// How long the run folder may still be on its way when workers start together with the search.
const FOLDER_PATIENCE: Duration = Duration::from_secs(30);

/// Failures of the file system in a row that a worker bears: those of networks pass.
const FORGIVEN: u32 = 5;

/// The longest time between two looks for tasks.
const LONGEST_NAP: Duration = Duration::from_secs(2);

/// How long a task that somebody has is left alone.
const HELD_FOR: Duration = Duration::from_secs(1);

pub fn run(args: &WorkerArgs) -> Result<()> {
    let leave = leave_flag()?;
    wait_for_folder(args, &leave);
    let folder = RunFolder::open(&args.run)?;
    let exchange = Exchange::of(folder.path());
    let Some(order) = wait_for_order(&exchange, args, &leave)? else { return Ok(()) };
    with_task!(folder.kind()?, T => work::<T>(args, &folder, exchange, order, leave))
}

/// A flag that SIGTERM, SIGUSR1 and Ctrl-C raise; a second Ctrl-C ends the program at once.
#[cfg(unix)]
pub fn leave_flag() -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
    let flag = Arc::new(AtomicBool::new(false));
    let failed = "cannot listen for signals";
    signal_hook::flag::register_conditional_shutdown(SIGINT, 130, flag.clone()).context(failed)?;
    for signal in [SIGTERM, SIGUSR1, SIGINT] {
        signal_hook::flag::register(signal, flag.clone()).context(failed)?;
    }
    Ok(flag)
}

/// A flag that Ctrl-C raises.
#[cfg(not(unix))]
pub fn leave_flag() -> Result<Arc<AtomicBool>> {
    super::super::interrupt_flag()
}

fn wait_for_folder(args: &WorkerArgs, leave: &AtomicBool) {
    let (begun, patience) = (Instant::now(), FOLDER_PATIENCE.min(Duration::from_secs(args.idle)));
    let mut is_said = false;
    while !args.run.is_dir() && begun.elapsed() < patience && !leave.load(Ordering::Relaxed) {
        if !is_said {
            eprintln!("waiting for the run folder {} ...", args.run.display());
            is_said = true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What the coordinator asks; `None` when it is time to go.
fn wait_for_order(exchange: &Exchange, args: &WorkerArgs, leave: &AtomicBool) -> Result<Option<WorkOrder>> {
    let begun = Instant::now();
    loop {
        if let Some(order) = exchange.order()? {
            return Ok(Some(order));
        }
        if leave.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if begun.elapsed() > Duration::from_secs(args.idle) {
            bail!(
                "{} gives no work: start its search with --executor workers, or nao resume {} --executor workers",
                args.run.display(),
                args.run.display()
            );
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn work<T: Task>(
    args: &WorkerArgs,
    folder: &RunFolder,
    exchange: Exchange,
    order: WorkOrder,
    leave: Arc<AtomicBool>,
) -> Result<()> {
    let config = folder.config::<T>()?;
    let data = T::load(&config.data, Some(folder.path()))?;
    let device = device(&device_word(args, &order))?;
    let holder = Holder::me();
    let claimant = Claimant {
        holder,
        lease: order.lease(),
        max_attempts: order.max_attempts,
        leases: Default::default(),
    };
    let mut shift = Shift::<T> {
        assigned: assigned(&exchange, args)?,
        evaluator: T::evaluator(data, config.recipe, device)?,
        threads: pool(args.threads.unwrap_or_else(processors))?,
        clock: RealClock::start(),
        idle: Duration::from_secs(args.idle),
        exchange,
        order,
        claimant,
        leave,
        held: HashMap::new(),
    };
    shift.work()
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

/// What a worker does until it goes.
struct Shift<T: Task> {
    exchange: Exchange,
    order: WorkOrder,
    assigned: Option<Vec<TaskKey>>,
    evaluator: Box<dyn Evaluator<Arch<T>> + Send + Sync>,
    threads: ThreadPool,
    claimant: Claimant,
    clock: RealClock,
    leave: Arc<AtomicBool>,
    idle: Duration,
    /// Tasks that others have, and until when they are left alone.
    held: HashMap<TaskKey, Duration>,
}

/// What there was to do.
enum Found {
    /// A task was worked on.
    Work,
    /// Others have what there is.
    Wait,
    /// Nothing is left, nor will be.
    Nothing,
}

impl<T: Task> Shift<T> {
    fn work(&mut self) -> Result<()> {
        let mut idle_since = self.clock.now();
        let mut nap = Duration::from_millis(50);
        let mut failures = 0;
        loop {
            if let Some(why) = self.exchange.asked_to_stop() {
                println!("going: {why}");
                return Ok(());
            }
            if self.leave.load(Ordering::Relaxed) {
                return Ok(());
            }
            let found = match self.look() {
                Err(error) if failures < FORGIVEN => {
                    failures += 1;
                    eprintln!("warning: {error:#}; trying again");
                    self.clock.sleep(LONGEST_NAP);
                    continue;
                }
                found => found?,
            };
            failures = 0;
            match found {
                Found::Nothing => return Ok(()),
                Found::Work => {
                    (idle_since, nap) = (self.clock.now(), Duration::from_millis(50));
                }
                Found::Wait if self.assigned.is_none() && self.clock.now() - idle_since > self.idle => {
                    println!("going: nothing to do for {} s", self.idle.as_secs());
                    return Ok(());
                }
                Found::Wait => {
                    self.clock.sleep(nap);
                    nap = (nap * 2).min(LONGEST_NAP);
                }
            }
        }
    }

    /// Looks for a task and works on it.
    fn look(&mut self) -> Result<Found> {
        let keys = match &self.assigned {
            Some(keys) => keys.clone(),
            None => self.unassigned()?,
        };
        let mut is_any_left = self.assigned.is_none();
        for key in keys {
            let now = self.clock.now();
            if self.held.get(&key).is_some_and(|until| now < *until) {
                is_any_left = true;
                continue;
            }
            match self.exchange.claim(&key, &mut self.claimant, now)? {
                Claim::Gone => {}
                Claim::Held => {
                    is_any_left = true;
                    self.held.insert(key, now + HELD_FOR);
                }
                Claim::GivenUp(error) => {
                    if let Some(task) = self.exchange.read_task::<Arch<T>>(&key)? {
                        self.publish(TaskResult {
                            key,
                            trial: task.trial.id,
                            outcome: Err(error),
                            curve: Vec::new(),
                            holder: self.claimant.holder.clone(),
                        })?;
                    }
                    return Ok(Found::Work);
                }
                Claim::Mine(attempt) => {
                    self.held.remove(&key);
                    self.train(&attempt)?;
                    return Ok(Found::Work);
                }
            }
        }
        Ok(if is_any_left { Found::Wait } else { Found::Nothing })
    }

    /// Open tasks without result, from a place in their circle that is this worker's own: those who start at the same
    /// moment then do not all reach for the same one.
    fn unassigned(&self) -> Result<Vec<TaskKey>> {
        let mut keys = self.exchange.open_tasks()?;
        keys.retain(|key| !self.exchange.has_result(key));
        keys.sort_unstable();
        if !keys.is_empty() {
            let Holder { host, process, .. } = &self.claimant.holder;
            let digest = Sha256::digest(format!("{host} {process}").as_bytes());
            let place = usize::from(digest[0]) << 8 | usize::from(digest[1]);
            let places = keys.len();
            keys.rotate_left(place % places);
        }
        Ok(keys)
    }

    fn train(&mut self, attempt: &Attempt) -> Result<()> {
        let Some(TaskFile { key, trial }) = self.exchange.read_task::<Arch<T>>(&attempt.key())? else {
            return Ok(());
        };
        println!("trial {}: attempt {}", trial.id, attempt.number());
        let duty =
            Duty::new(&self.exchange, attempt, trial.id, &self.order, &self.claimant.holder, &self.leave);
        let done = duty.carry_out(|checkpoint, progress| {
            self.threads.install(|| self.evaluator.evaluate_resumably(&trial, checkpoint, progress))
        });
        if !self.exchange.is_open(&key) {
            // Mostly it has its outcome. What this attempt wrote after it was cleared away would stay.
            self.exchange.forget(&key);
            println!("trial {}: nobody waits for it any more", trial.id);
            return Ok(());
        }
        match done {
            Done::Left(why) => {
                attempt.release(&why);
                println!("trial {}: put back, {why}", trial.id);
                Ok(())
            }
            Done::Needless => Ok(()),
            Done::With(outcome, curve) => {
                let holder = self.claimant.holder.clone();
                // Once it is published the coordinator tidies the attempt away: the last word comes before.
                attempt.note("publishes its result");
                let published = self.publish(TaskResult { key, trial: trial.id, outcome, curve, holder });
                if published.is_err() {
                    attempt.release("its result could not be written");
                }
                published
            }
        }
    }

    fn publish(&self, result: TaskResult) -> Result<()> {
        if self.exchange.publish(&result)? == Published::Late {
            println!("trial {}: another attempt was first", result.trial);
            return Ok(());
        }
        match &result.outcome {
            Ok(measurement) => {
                let Objective { name, .. } = &measurement.objective;
                println!("trial {}: {name} {}", result.trial, figure(measurement.value));
            }
            Err(error) => println!("trial {}: {error}", result.trial),
        }
        Ok(())
    }
}
