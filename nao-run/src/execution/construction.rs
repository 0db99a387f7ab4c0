//! The executor of a run, as its configuration says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nao_space::{Fidelity, Space};

use super::{Engine, ExecutionConfig};
use crate::error::{Context, Result};
use crate::executor::{
    Exchange, Executor, LocalExecutor, Pace, RealClock, SlurmCommands, SlurmExecutor, SlurmSettings, TaskKey,
    TaskStart, WorkerSettings, WorkersExecutor, check_arguments, check_shared, check_slurm,
};
use crate::files::copy_whole;
use crate::folder::RunFolder;

/// The longest time between two looks at heartbeats.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// Checks what an executor needs of its surroundings, before anything is made: `out` is where the run folder will be.
///
/// # Errors
/// When there is no Slurm, or the folder is not one that all nodes see.
pub fn check_surroundings(execution: &ExecutionConfig, out: Option<&Path>) -> Result<()> {
    if execution.executor != Engine::Slurm {
        return Ok(());
    }
    if !execution.slurm.any_folder {
        check_shared(out.unwrap_or(Path::new("runs/new")))?;
    }
    check_slurm()
}

/// The executor of a run over a space, whose trials are measured that thoroughly.
///
/// # Errors
/// When this program cannot be found, or the run folder cannot be written.
pub fn executor<S: Space + 'static>(
    folder: &RunFolder,
    execution: &ExecutionConfig,
    space: S,
    fidelity: Fidelity,
) -> Result<Box<dyn Executor<S::Arch>>> {
    let exchange = Exchange::of(folder.path());
    let naming = TaskKey::naming(space, fidelity);
    Ok(match execution.executor {
        Engine::Local => {
            // Workers of an earlier start on other machines have nothing to do any more.
            exchange.close()?;
            Box::new(LocalExecutor::new(local(folder, execution)?, execution.workers))
        }
        Engine::Workers => {
            let pace = pace(execution);
            Box::new(WorkersExecutor::new(exchange, naming, &execution.order(), pace, RealClock::start())?)
        }
        Engine::Slurm => {
            let start = TaskStart { program: own_copy(folder)?, slots: execution.slurm.slots_per_node };
            let settings = slurm_settings(execution, start, pace(execution))?;
            Box::new(SlurmExecutor::new(exchange, naming, SlurmCommands, settings, RealClock::start())?)
        }
    })
}

fn local(folder: &RunFolder, execution: &ExecutionConfig) -> Result<WorkerSettings> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(WorkerSettings {
        program: std::env::current_exe().context("cannot find this program")?,
        run: folder.clone(),
        threads: (threads / execution.workers).max(1),
        devices: execution.devices().map(str::to_owned).collect(),
        time_limit: execution.time_limit.map(seconds),
        memory_limit: execution.memory_limit,
    })
}

/// How often files, attempts and leases are looked at.
fn pace(execution: &ExecutionConfig) -> Pace {
    let lease = seconds(execution.cluster.lease);
    // Often enough that a lapsed lease is seen as such.
    let attempts_every = (lease / 4).min(LONGEST_LOOK);
    Pace { files_every: seconds(execution.cluster.look), attempts_every, lease }
}

/// How array jobs are made and followed, each task of which starts its workers so.
pub(crate) fn slurm_settings(
    execution: &ExecutionConfig,
    start: TaskStart,
    pace: Pace,
) -> Result<SlurmSettings> {
    let slurm = &execution.slurm;
    Ok(SlurmSettings {
        order: execution.order(),
        start,
        arguments: check_arguments(&slurm.args)?,
        trials_per_task: slurm.trials_per_task(),
        parallel: slurm.parallel,
        pace,
        scheduler_every: seconds(slurm.look),
        grace: seconds(slurm.grace),
    })
}

/// The program as it is now, in the run folder: a newer one may take its place while tasks wait for their turn.
fn own_copy(folder: &RunFolder) -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let copy = folder.path().join("bin").join("nao");
    if copy != program {
        copy_whole(&program, &copy)?;
    }
    Ok(copy)
}

/// Settings are checked when they are read.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_LOOK)
}
