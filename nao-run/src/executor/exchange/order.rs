//! How workers work: what is not part of the result, and may change from one start of the coordinator to the next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the coordinator asks of every worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkOrder {
    /// `cpu` or `cuda:N`; with several slots on a node, slot 2 has the second after N.
    pub device: String,
    /// Seconds that a trial may take in all its attempts.
    pub time_limit: Option<f64>,
    /// MiB of memory that a worker may hold.
    pub memory_limit: Option<f64>,
    /// Seconds between two heartbeats.
    pub heartbeat: f64,
    /// Seconds without a heartbeat after which a task is taken over.
    pub lease: f64,
    /// Least seconds between two checkpoints after epochs.
    pub checkpoint: f64,
    /// Attempts in a row that come no further after which a trial is given up.
    pub max_attempts: u32,
}

impl WorkOrder {
    /// Time between two heartbeats.
    pub fn heartbeat(&self) -> Duration {
        duration(self.heartbeat)
    }

    /// Time without a heartbeat after which a task is taken over.
    pub fn lease(&self) -> Duration {
        duration(self.lease)
    }

    /// Least time between two checkpoints after epochs.
    pub fn checkpoint(&self) -> Duration {
        duration(self.checkpoint)
    }

    /// Time that a trial may take.
    pub fn time_limit(&self) -> Option<Duration> {
        self.time_limit.map(duration)
    }
}

/// Settings are checked where they are read; a file that somebody has edited must not bring a worker down.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(60))
}
