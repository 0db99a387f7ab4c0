//! Tasks and results in files of the run folder, for workers on any machine that shares it.
//!
//! ```text
//! order.json                  how workers work: device, limits, heartbeat; written by the coordinator
//! stop                        there is while workers shall go; says why
//! tasks/KEY.json              a trial that has no recorded outcome
//! attempts/KEY/003/           who has it, or had it
//!     holder.json               host, process, place in the scheduler
//!     heartbeat.json            how far it is; written anew all the time
//!     checkpoint.safetensors    its state
//!     log                       what happened, a line each
//!     released                  there is once the holder has put it back on purpose
//! results/KEY.json            an outcome that the coordinator has not read
//! ```
//!
//! A trial may run twice at a time: schedulers start a task again while its first copy lives on. It is recorded once,
//! because results are named by what was measured ([`TaskKey`]) and published by hard link, which only the first wins.
//! Nothing here reads the clock of another machine: a lease has lapsed when its heartbeat stood still for so long on the
//! clock of him who watches.

mod attempt;
mod claim;
mod lease;
mod order;
mod publish;
mod task;
mod task_board;
#[cfg(test)]
mod tests;
mod worker_id;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Context, Result};
use crate::executor::TrialOutcome;
use crate::files::{read_text, write_whole};

pub use attempt::{Attempt, AttemptNumber, Beat, CopyOfAttempt};
pub use claim::{Claim, Claimant};
pub use lease::Leases;
pub use order::WorkOrder;
pub use publish::{Published, publish_once};
pub use task::{Naming, NoKey, TaskFile, TaskKey, TaskResult};
pub use task_board::{Pace, TaskBoard};
pub use worker_id::{Place, WorkerId};

/// The files by which coordinator and workers meet.
#[derive(Clone, Debug)]
pub struct Exchange {
    run: PathBuf,
}

impl Exchange {
    /// That of a run folder.
    pub fn of(run: &Path) -> Self {
        Exchange { run: run.to_owned() }
    }

    /// Makes what folders are missing.
    pub fn prepare(&self) -> Result<()> {
        for folder in [self.tasks(), self.results(), self.attempts(), self.batches()] {
            fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        Ok(())
    }

    /// The run folder.
    pub fn run(&self) -> &Path {
        &self.run
    }

    fn tasks(&self) -> PathBuf {
        self.run.join("tasks")
    }

    fn results(&self) -> PathBuf {
        self.run.join("results")
    }

    fn attempts(&self) -> PathBuf {
        self.run.join("attempts")
    }

    /// Where jobs of a scheduler are described.
    pub fn batches(&self) -> PathBuf {
        self.run.join("batches")
    }

    fn task(&self, key: &TaskKey) -> PathBuf {
        self.tasks().join(format!("{key}.json"))
    }

    fn result(&self, key: &TaskKey) -> PathBuf {
        self.results().join(format!("{key}.json"))
    }

    fn attempts_of(&self, key: &TaskKey) -> PathBuf {
        self.attempts().join(key.to_string())
    }

    fn order_path(&self) -> PathBuf {
        self.run.join("order.json")
    }

    fn stop_path(&self) -> PathBuf {
        self.run.join("stop")
    }

    /// Puts a task up, unless it is there.
    pub fn put_task<A: Serialize>(&self, task: &TaskFile<A>) -> Result<()> {
        let path = self.task(&task.key);
        if path.exists() { Ok(()) } else { write_whole(&path, &json(task)?) }
    }

    /// A task; `None` once it is gone.
    pub fn read_task<A: DeserializeOwned>(&self, key: &TaskKey) -> Result<Option<TaskFile<A>>> {
        read_if_there(&self.task(key))
    }

    /// Whether a task still waits for its outcome to be recorded.
    pub fn is_open(&self, key: &TaskKey) -> bool {
        self.task(key).exists()
    }

    /// All tasks that are up, in no order.
    pub fn open_tasks(&self) -> Result<Vec<TaskKey>> {
        keys_in(&self.tasks())
    }

    /// Whether a task has a result that the coordinator has not read yet.
    pub fn has_result(&self, key: &TaskKey) -> bool {
        self.result(key).exists()
    }

    /// All results that the coordinator has not put away.
    pub fn results_there(&self) -> Result<Vec<TaskKey>> {
        keys_in(&self.results())
    }

    /// A result; `None` where there is none.
    pub fn read_result(&self, key: &TaskKey) -> Result<Option<TaskResult>> {
        read_if_there(&self.result(key))
    }

    /// Publishes a result, which the first one wins.
    pub fn publish(&self, result: &TaskResult) -> Result<Published> {
        publish_once(&self.result(&result.key), &json(result)?)
    }

    /// Takes a task down whose outcome is recorded: its result and the logs of its attempts go into `children`, the folder
    /// of the trial, where the first result stays. The result itself stays, and keeps others from claiming, until
    /// [`clear`](Self::clear); so whoever finds one of a trial that has its outcome does all of this again.
    pub fn put_away(&self, key: &TaskKey, children: &Path) -> Result<()> {
        let failed = || format!("cannot write to {}", children.display());
        fs::create_dir_all(children).with_context(failed)?;
        match fs::hard_link(self.result(key), children.join("result.json")) {
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => {
                return Err(error).with_context(failed);
            }
            _ => {}
        }
        let logs: String =
            self.copies(key)?.iter().filter_map(|copy| fs::read_to_string(copy.log()).ok()).collect();
        // Logs only grow until they are removed: of two, the shorter is half written, or what a late copy began anew.
        let kept = fs::metadata(children.join("log")).map_or(0, |log| log.len());
        if logs.len() as u64 > kept {
            fs::write(children.join("log"), logs).with_context(failed)?;
        }
        remove_if_there(&self.task(key))
    }

    /// A coordinator begins: gives `record` every result that is there, and takes each away once it is recorded; then lets
    /// workers work.
    pub fn recover(&self, record: &mut dyn FnMut(TrialOutcome) -> Result<()>) -> Result<()> {
        for key in self.results_there()? {
            let Some(result) = self.read_result(&key)? else { continue };
            let TaskResult { trial, outcome, curve, .. } = result;
            record(TrialOutcome { trial, outcome, curve })?;
            self.put_away(&key, &self.run.join("children").join(trial.to_string()))?;
            self.clear(&key)?;
        }
        self.let_work()
    }

    /// Removes the attempts at a task that is put away, and then its result. `false` if a worker that has not seen yet that
    /// the task is gone has written meanwhile: try again later.
    pub fn clear(&self, key: &TaskKey) -> Result<bool> {
        let removed = fs::remove_dir_all(self.attempts_of(key));
        let is_clear = removed.is_ok() || !self.attempts_of(key).exists();
        if is_clear {
            remove_if_there(&self.result(key))?;
        }
        Ok(is_clear)
    }

    /// Removes the attempts at a task whose outcome is recorded, as far as they can be removed.
    pub fn forget(&self, key: &TaskKey) {
        let _ = fs::remove_dir_all(self.attempts_of(key));
    }

    /// Says how to work.
    pub fn write_order(&self, order: &WorkOrder) -> Result<()> {
        write_whole(&self.order_path(), &json(order)?)
    }

    /// Removes what processes that were killed have left half made. Whoever is at it still begins again.
    pub fn sweep(&self) {
        for folder in [self.tasks(), self.results(), self.attempts()] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with('.') {
                    // A folder or a file; one that is gone meanwhile is what was wanted.
                    let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
                }
            }
        }
    }

    /// Takes everything down that is up for workers: their search goes on without them. Results stay.
    pub fn close(&self) -> Result<()> {
        remove_if_there(&self.order_path())?;
        self.open_tasks()?.iter().try_for_each(|key| remove_if_there(&self.task(key)))
    }

    /// How to work; `None` before the coordinator has said so.
    pub fn order(&self) -> Result<Option<WorkOrder>> {
        read_if_there(&self.order_path())
    }

    /// Asks all workers to keep what they have and go.
    pub fn ask_to_stop(&self, why: &str) -> Result<()> {
        write_whole(&self.stop_path(), why.as_bytes())
    }

    /// Lets workers work again.
    pub fn let_work(&self) -> Result<()> {
        remove_if_there(&self.stop_path())
    }

    /// Why workers shall go, if they shall.
    pub fn asked_to_stop(&self) -> Option<String> {
        fs::read_to_string(self.stop_path()).ok()
    }
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).context("a value has no JSON form")
}

fn read_if_there<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match read_text(path) {
        Ok(text) => {
            let value = serde_json::from_str(&text);
            value.map(Some).with_context(|| format!("{} is damaged", path.display()))
        }
        Err(_) if !path.exists() => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The keys by which files of a folder are named; files under way, with other names, do not count.
fn keys_in(folder: &Path) -> Result<Vec<TaskKey>> {
    let failed = || format!("cannot read {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(failed),
    };
    let mut keys = Vec::new();
    for entry in entries {
        let name = entry.with_context(failed)?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".json"));
        let key: Option<TaskKey> = stem.and_then(|stem| stem.parse().ok());
        keys.extend(key);
    }
    Ok(keys)
}
