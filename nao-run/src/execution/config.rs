//! The settings of how a run is carried out.

use std::time::Duration;

use nao_space::counted;
use nao_space::settings::{InvalidSetting, Setting, at_least, positive, within};
use serde::{Deserialize, Serialize};

use super::Engine;
use crate::coordinator::Patience;
use crate::error::{Result, bail};
use crate::executor::{WorkOrder, check_arguments};
use crate::folder::RunFolder;
use crate::shell::quoted;

/// How a run is carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutionConfig {
    /// Where children are trained.
    #[serde(default)]
    pub executor: Engine,
    /// Children trained at the same time on this machine.
    pub workers: usize,
    /// `cpu` or `cuda:N`; with several of them, separated by commas, workers of this machine take turns.
    pub device: String,
    /// Seconds after which a child is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<f64>,
    /// MiB of memory with more than which a child is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<f64>,
    /// A trial that the program itself did not survive this often is given up.
    pub max_attempts: u32,
    /// The share of the trials of the run, 0 to 1, of which more may not fail.
    #[serde(default = "most")]
    pub max_failed_share: f64,
    /// Of workers that share the run folder.
    #[serde(default)]
    pub cluster: ClusterConfig,
    /// Of array jobs.
    #[serde(default)]
    pub slurm: SlurmConfig,
}

fn most() -> f64 {
    0.5
}

/// Processors of this machine.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many processes, or threads of one, are started on this machine at most: some for each processor, for those that
/// wait for a device, and in any case a few dozen. Each takes tens of megabytes.
pub fn most_processes() -> usize {
    (8 * processors()).max(64)
}

/// How workers on other machines are led and followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterConfig {
    /// Seconds between two heartbeats of a worker.
    pub heartbeat: f64,
    /// Seconds without a heartbeat after which another worker takes a trial over.
    pub lease: f64,
    /// Least seconds between two checkpoints of a child after epochs, on this machine as well.
    pub checkpoint: f64,
    /// Attempts in a row that come no further after which a trial is given up.
    pub max_attempts: u32,
    /// Seconds between two looks for results.
    pub look: f64,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        ClusterConfig { heartbeat: 20.0, lease: 120.0, checkpoint: 60.0, max_attempts: 3, look: 3.0 }
    }
}

/// How jobs are made and followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlurmConfig {
    /// Options of `sbatch`.
    pub args: String,
    /// Children that one task of the array trains side by side.
    pub slots_per_node: usize,
    /// Children that one task of the array trains in all; as many as it has slots where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials_per_task: Option<usize>,
    /// Tasks of the array that run at the same time; all that the cluster has room for where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel: Option<usize>,
    /// Seconds between two questions to the scheduler.
    pub look: f64,
    /// Seconds that a result may be on its way after its task has ended.
    pub grace: f64,
    /// Takes any run folder for one that all nodes see.
    pub any_folder: bool,
}

impl Default for SlurmConfig {
    fn default() -> Self {
        SlurmConfig {
            args: String::new(),
            slots_per_node: 1,
            trials_per_task: None,
            parallel: None,
            look: 30.0,
            grace: 30.0,
            any_folder: false,
        }
    }
}

impl SlurmConfig {
    /// Children that one task of the array trains in all.
    pub fn trials_per_task(&self) -> usize {
        self.trials_per_task.unwrap_or(self.slots_per_node)
    }
}

impl ExecutionConfig {
    /// On this machine.
    pub fn here() -> Self {
        ExecutionConfig {
            executor: Engine::default(),
            workers: processors(),
            device: "cpu".into(),
            time_limit: None,
            memory_limit: None,
            max_attempts: 10,
            max_failed_share: most(),
            cluster: ClusterConfig::default(),
            slurm: SlurmConfig::default(),
        }
    }

    /// The devices of workers on this machine.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        self.device.split(',').map(str::trim)
    }

    /// The first device, which the strategy has as well.
    pub fn first_device(&self) -> &str {
        self.devices().next().unwrap_or("cpu")
    }

    /// What is asked of workers on other machines.
    pub fn order(&self) -> WorkOrder {
        WorkOrder {
            device: self.first_device().to_owned(),
            time_limit: self.time_limit,
            memory_limit: self.memory_limit,
            heartbeat: self.cluster.heartbeat,
            lease: self.cluster.lease,
            checkpoint: self.cluster.checkpoint,
            max_attempts: self.cluster.max_attempts,
        }
    }

    /// When the run gives up. On other machines attempts are counted by what they achieve.
    pub fn patience(&self) -> Patience {
        let is_local = self.executor == Engine::Local;
        Patience {
            max_attempts: is_local.then_some(self.max_attempts),
            max_failed_share: self.max_failed_share,
        }
    }

    /// How many workers of this machine the coordinator hears of by slot: none of those elsewhere.
    pub fn slots(&self) -> usize {
        if self.executor == Engine::Local { self.workers } else { 0 }
    }

    /// Where the children of a run are trained, in words.
    pub fn place_in_words(&self, folder: &RunFolder) -> String {
        match self.executor {
            Engine::Local => format!("{} on {}", counted(self.workers, "worker"), self.device),
            Engine::Workers => format!("for workers started with: nao worker {}", quoted(folder.path())),
            Engine::Slurm => {
                let slots = self.slurm.slots_per_node;
                let side_by_side =
                    if slots > 1 { format!(", {slots} children side by side") } else { String::new() };
                format!("in array jobs of Slurm{side_by_side}")
            }
        }
    }

    /// Checks what no type can. Whether the devices are there is not known here.
    ///
    /// # Errors
    /// Names the first setting that makes no sense, its value and what it may be.
    pub fn check(&self) -> Result<()> {
        self.check_counts()?;
        self.check_times()?;
        let ExecutionConfig { cluster, slurm, .. } = self;
        if cluster.lease < 2.0 * cluster.heartbeat {
            bail!(
                "execution.cluster.lease = {} is too short for a heartbeat every {} s: take at least twice as much",
                cluster.lease,
                cluster.heartbeat
            );
        }
        within(setting("max_failed_share"), self.max_failed_share, 0.0..=1.0)?;
        if slurm.trials_per_task() < slurm.slots_per_node {
            bail!(
                "execution.slurm.trials_per_task = {} leaves some of {} slots without work: take at least as many",
                slurm.trials_per_task(),
                slurm.slots_per_node
            );
        }
        check_arguments(&slurm.args).map(drop)
    }

    fn check_counts(&self) -> Result<()> {
        let ExecutionConfig { cluster, slurm, .. } = self;
        at_least(setting("workers"), self.workers, 1)?;
        at_least(setting("slurm.slots_per_node"), slurm.slots_per_node, 1)?;
        at_least(setting("slurm.parallel"), slurm.parallel.unwrap_or(1), 1)?;
        at_least(setting("cluster.max_attempts"), cluster.max_attempts, 1)?;
        let most = most_processes();
        if self.workers > most {
            let rule = format!("at most {most} on this machine, which has {} processors", processors());
            return Err(InvalidSetting::new(setting("workers"), self.workers, rule).into());
        }
        Ok(())
    }

    fn check_times(&self) -> Result<()> {
        let ExecutionConfig { cluster, slurm, .. } = self;
        if let Some(limit) = self.memory_limit {
            positive(setting("memory_limit"), limit, "number of MiB")?;
        }
        for (field, seconds) in [
            ("time_limit", self.time_limit.unwrap_or(1.0)),
            ("cluster.heartbeat", cluster.heartbeat),
            ("cluster.lease", cluster.lease),
            ("cluster.look", cluster.look),
            ("slurm.look", slurm.look),
        ] {
            positive(setting(field), seconds, "number of seconds")?;
            check_seconds(field, seconds)?;
        }
        check_seconds("cluster.checkpoint", cluster.checkpoint)?;
        check_seconds("slurm.grace", slurm.grace)
    }
}

fn setting(field: &str) -> Setting<'_> {
    Setting { section: "execution", field }
}

/// Refuses what is no time that a clock can count.
fn check_seconds(field: &str, seconds: f64) -> Result<()> {
    let is_time = Duration::try_from_secs_f64(seconds).is_ok();
    let refused = || InvalidSetting::new(setting(field), seconds, "a number of seconds, at least 0");
    is_time.then_some(()).ok_or_else(|| refused().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_without_sense_are_refused_by_name() {
        assert!(ExecutionConfig::here().check().is_ok());
        let refused = |change: fn(&mut ExecutionConfig), said: &str| {
            let mut config = ExecutionConfig::here();
            change(&mut config);
            let error = config.check().unwrap_err().to_string();
            assert!(error.starts_with("execution.") && error.contains(said), "{error}");
        };
        refused(|config| config.workers = 0, "workers is 0: it must be at least 1");
        refused(|config| config.workers = 1_000_000, "workers is 1000000: it must be at most");
        refused(|config| config.slurm.parallel = Some(0), "slurm.parallel is 0");
        refused(
            |config| config.memory_limit = Some(-1.0),
            "memory_limit is -1: it must be a positive number of MiB",
        );
        refused(|config| config.time_limit = Some(0.0), "positive number of seconds");
        refused(|config| config.time_limit = Some(1e300), "time_limit");
        refused(
            |config| config.slurm.grace = -1.0,
            "slurm.grace is -1: it must be a number of seconds, at least 0",
        );
        refused(|config| config.cluster.lease = 1.0, "too short for a heartbeat every 20 s");
        refused(|config| config.max_failed_share = f64::NAN, "from 0 to 1");
        refused(|config| config.slurm.slots_per_node = 0, "slots_per_node is 0");
    }
}
