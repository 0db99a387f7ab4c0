//! How a run is carried out: where children are trained, how many at a time, and what they may take. Nothing of this
//! changes a result.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;
use nao_run::executor::{WorkOrder, check_arguments};
use serde::{Deserialize, Serialize};

use crate::device::device;

/// Where children are trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// In processes of this machine
    #[default]
    Local,
    /// By `nao worker RUN` processes on any machines that share the run folder
    Workers,
    /// In array jobs of Slurm
    Slurm,
}

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

    /// Checks what no type can.
    pub(super) fn check(&self) -> Result<()> {
        let ExecutionConfig { cluster, slurm, .. } = self;
        for (name, value) in [
            ("workers: at least one worker has to train children", self.workers),
            ("slurm.slots_per_node: at least one child has to be trained", slurm.slots_per_node),
            ("slurm.parallel: at least one task has to run", slurm.parallel.unwrap_or(1)),
            ("cluster.max_attempts: at least one attempt has to be made", cluster.max_attempts as usize),
        ] {
            if value == 0 {
                let (name, why) = name.split_once(':').unwrap_or((name, ""));
                bail!("execution.{name} is 0:{why}");
            }
        }
        let most = most_processes();
        if self.workers > most {
            bail!(
                "execution.workers is {}: this machine has {} processors, and at most {most} workers at a time are started on it",
                self.workers,
                processors()
            );
        }
        for (name, value) in [
            ("time_limit", self.time_limit),
            ("memory_limit", self.memory_limit),
            ("cluster.heartbeat", Some(cluster.heartbeat)),
            ("cluster.lease", Some(cluster.lease)),
            ("cluster.look", Some(cluster.look)),
            ("slurm.look", Some(slurm.look)),
        ] {
            if value.is_some_and(|value| value <= 0.0 || Duration::try_from_secs_f64(value).is_err()) {
                let unit = if name == "memory_limit" { "MiB" } else { "seconds" };
                bail!("execution.{name} must be a positive number of {unit}");
            }
        }
        for (name, value) in [("cluster.checkpoint", cluster.checkpoint), ("slurm.grace", slurm.grace)] {
            if Duration::try_from_secs_f64(value).is_err() {
                bail!("execution.{name} must be a number of seconds, at least 0");
            }
        }
        if cluster.lease < 2.0 * cluster.heartbeat {
            bail!(
                "execution.cluster.lease = {} is too short for a heartbeat every {} s: take at least twice as much",
                cluster.lease,
                cluster.heartbeat
            );
        }
        if !(0.0..=1.0).contains(&self.max_failed_share) {
            bail!("execution.max_failed_share is {}: it is a share, 0 to 1", self.max_failed_share);
        }
        if slurm.trials_per_task() < slurm.slots_per_node {
            bail!(
                "execution.slurm.trials_per_task = {} leaves some of {} slots without work: take at least as many",
                slurm.trials_per_task(),
                slurm.slots_per_node
            );
        }
        check_arguments(&slurm.args)?;
        if self.executor == Engine::Local {
            // Other machines may have other devices.
            self.devices().try_for_each(|word| device(word).map(drop))?;
        }
        Ok(())
    }
}
