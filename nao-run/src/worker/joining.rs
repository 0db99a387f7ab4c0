//! How a worker comes to a run folder: waits for it, learns what is asked, and which tasks and which device are its own.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::WorkerLog;
use crate::error::{Context, Result, RunError, bail};
use crate::executor::{Batch, Exchange, TaskKey, WorkOrder};
use crate::folder::RunFolder;
use crate::shell::quoted;

/// How long the run folder may still be on its way when workers start together with the search.
const FOLDER_PATIENCE: Duration = Duration::from_secs(30);

/// Time between two looks for a folder or an order.
const NAP: Duration = Duration::from_millis(100);

/// Waits a while for the folder of a search that starts at the same time, until it is there, `leave` is raised, or the worker
/// has been `idle` for too long.
pub fn wait_for_folder(run: &Path, idle: Duration, leave: &AtomicBool, log: &dyn WorkerLog) {
    let (begun, patience) = (Instant::now(), FOLDER_PATIENCE.min(idle));
    let mut is_said = false;
    while !run.is_dir() && begun.elapsed() < patience && !leave.load(Ordering::Relaxed) {
        if !is_said {
            log.warn(&format!("waiting for the run folder {} ...", run.display()));
            is_said = true;
        }
        std::thread::sleep(NAP);
    }
}

/// What the coordinator asks; `None` when it is time to go.
///
/// # Errors
/// When no work was given for as long as `idle`: says what starts the search for workers, or that it has ended.
pub fn wait_for_order(folder: &RunFolder, idle: Duration, leave: &AtomicBool) -> Result<Option<WorkOrder>> {
    let exchange = Exchange::of(folder.path());
    let begun = Instant::now();
    loop {
        if let Some(order) = exchange.order()? {
            return Ok(Some(order));
        }
        if leave.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if begun.elapsed() > idle {
            return Err(without_work(folder)?);
        }
        std::thread::sleep(NAP);
    }
}

/// Why a run folder gives no work, and what helps.
fn without_work(folder: &RunFolder) -> Result<RunError> {
    let (run, quoted) = (folder.path().display(), quoted(folder.path()));
    Ok(RunError::Refused(match folder.end()? {
        None => format!(
            "{run} gives no work: start its search with --executor workers, or nao resume {quoted} --executor workers"
        ),
        Some(end) if end.yields_to_budget() => format!(
            "{run} has ended ({end}) and gives no work; with a larger budget it does: nao resume {quoted} --budget TRIALS \
             --executor workers"
        ),
        Some(end) => format!("{run} has ended ({end}) and gives no work"),
    }))
}

/// The device of a worker: as named, or as ordered, a further one for each slot.
pub fn device_of_slot(named: Option<&str>, order: &WorkOrder, slot: Option<usize>) -> String {
    let word = named.unwrap_or(&order.device);
    let number = word.strip_prefix("cuda:").and_then(|number| number.parse::<usize>().ok());
    match (number, slot) {
        (Some(number), Some(slot)) => format!("cuda:{}", number + slot),
        _ => word.to_owned(),
    }
}

/// The tasks of a worker that a scheduler has started for a batch: those of the task of the array with that index, or else
/// with that of the environment.
///
/// # Errors
/// When this is no task of an array, or the batch has no such task.
pub fn tasks_of_batch(folder: &RunFolder, number: u32, index: Option<u32>) -> Result<Vec<TaskKey>> {
    let index = match index {
        Some(index) => index,
        None => {
            let Ok(text) = std::env::var("SLURM_ARRAY_TASK_ID") else {
                bail!("--batch is for tasks of an array job");
            };
            text.parse().with_context(|| format!("SLURM_ARRAY_TASK_ID is `{text}`"))?
        }
    };
    let batch = Batch::read(&Exchange::of(folder.path()), number)?;
    let keys = batch.tasks.into_iter().nth(index as usize);
    keys.ok_or_else(|| RunError::Refused(format!("batch {number} has no task {index}")))
}

/// The processors that the scheduler gives this task, or those of this machine.
pub fn processors_of_task() -> usize {
    let here = std::thread::available_parallelism().map_or(1, usize::from);
    let given = |name| std::env::var(name).ok()?.parse::<usize>().ok();
    let given = given("SLURM_CPUS_PER_TASK").or_else(|| given("SLURM_CPUS_ON_NODE"));
    given.map_or(here, |given| given.clamp(1, here))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::ExecutionConfig;

    #[test]
    fn each_slot_has_the_next_device_and_a_name_wins_over_the_order() {
        let order = WorkOrder { device: "cuda:1".into(), ..ExecutionConfig::here().order() };
        assert_eq!(device_of_slot(None, &order, None), "cuda:1");
        assert_eq!(device_of_slot(None, &order, Some(2)), "cuda:3");
        assert_eq!(device_of_slot(Some("cuda:4"), &order, Some(1)), "cuda:5");
        assert_eq!(device_of_slot(Some("cpu"), &order, Some(1)), "cpu");
    }

    #[test]
    fn a_worker_without_work_says_what_starts_it_and_one_that_is_to_leave_says_nothing() {
        let place = tempfile::tempdir().unwrap();
        let config = "[rounds]\ninitial = 1\nper_round = 1\nbudget = 1\n";
        let files = [("run.toml", config.as_bytes())];
        let folder = RunFolder::create(&place.path().join("run"), &files).unwrap();
        let leave = AtomicBool::new(false);
        let error = wait_for_order(&folder, Duration::ZERO, &leave).unwrap_err().to_string();
        assert!(error.contains("gives no work: start its search with --executor workers"), "{error}");
        leave.store(true, Ordering::Relaxed);
        assert!(wait_for_order(&folder, Duration::ZERO, &leave).unwrap().is_none());
    }
}
