//! The executor of a run, as its configuration says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use nao_child::ArchOf;
use nao_run::executor::{
    Exchange, Executor, LocalExecutor, Naming, Pace, RealClock, SlurmCommands, SlurmExecutor, SlurmSettings,
    TaskKey, TaskStart, WorkerSettings, WorkersExecutor, check_arguments, check_shared, check_slurm,
};
use nao_run::files::copy_whole;
use nao_run::{Patience, RunFolder, quoted};
use nao_space::{Space, Trial, counted};

use crate::cells::{CellSpace, NamedRecipe};
use crate::run::{Engine, ExecutionConfig, RunConfig};

/// The longest time between two looks at heartbeats.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// Checks what an executor needs of its surroundings, before anything is made.
pub fn check_engine(execution: &ExecutionConfig, out: Option<&Path>) -> Result<()> {
    if execution.executor != Engine::Slurm {
        return Ok(());
    }
    if !execution.slurm.any_folder {
        check_shared(out.unwrap_or(Path::new("runs/new")))?;
    }
    Ok(check_slurm()?)
}

/// The executor of a run.
pub fn engine<R: NamedRecipe>(
    folder: &RunFolder,
    config: &RunConfig<R>,
    space: &R::Space,
) -> Result<Box<dyn Executor<ArchOf<R>>>> {
    let execution = &config.execution;
    let (exchange, naming) = (Exchange::of(folder.path()), naming::<R>(config, space)?);
    let lease = seconds(execution.cluster.lease);
    // Often enough that a lapsed lease is seen as such.
    let attempts_every = (lease / 4).min(LONGEST_LOOK);
    let pace = Pace { files_every: seconds(execution.cluster.look), attempts_every, lease };
    Ok(match execution.executor {
        Engine::Local => {
            // Workers of an earlier start on other machines have nothing to do any more.
            exchange.close()?;
            Box::new(LocalExecutor::new(local(folder, execution)?, execution.workers))
        }
        Engine::Workers => {
            Box::new(WorkersExecutor::new(exchange, naming, &execution.order(), pace, RealClock::start())?)
        }
        Engine::Slurm => {
            let slurm = &execution.slurm;
            let settings = SlurmSettings {
                order: execution.order(),
                start: TaskStart { program: own_copy(folder)?, slots: slurm.slots_per_node },
                arguments: check_arguments(&slurm.args)?,
                trials_per_task: slurm.trials_per_task(),
                parallel: slurm.parallel,
                pace,
                scheduler_every: seconds(slurm.look),
                grace: seconds(slurm.grace),
            };
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

/// Names trials by what they measure.
fn naming<R: NamedRecipe>(config: &RunConfig<R>, space: &R::Space) -> Result<Naming<ArchOf<R>>> {
    let (name, fidelity) = (space.name(), config.recipe.fidelity());
    let space = R::Space::of_settings(&config.space)?;
    Ok(Box::new(move |trial: &Trial<ArchOf<R>>| {
        TaskKey::new(&name, &space.key(&trial.arch), &fidelity, trial.seed)
    }))
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

/// When the run gives up. On other machines attempts are counted by what they achieve.
pub fn patience(execution: &ExecutionConfig) -> Patience {
    let is_local = execution.executor == Engine::Local;
    Patience {
        max_attempts: is_local.then_some(execution.max_attempts),
        max_failed_share: execution.max_failed_share,
    }
}

/// How many workers have a progress bar.
pub fn bars(execution: &ExecutionConfig) -> usize {
    if execution.executor == Engine::Local { execution.workers } else { 0 }
}

/// Where children are trained, in words.
pub fn where_words(execution: &ExecutionConfig, folder: &RunFolder) -> String {
    match execution.executor {
        Engine::Local => format!("{} on {}", counted(execution.workers, "worker"), execution.device),
        Engine::Workers => format!("for workers started with: nao worker {}", quoted(folder.path())),
        Engine::Slurm => {
            let slots = execution.slurm.slots_per_node;
            let side_by_side =
                if slots > 1 { format!(", {slots} children side by side") } else { String::new() };
            format!("in array jobs of Slurm{side_by_side}")
        }
    }
}
