//! The jobs of a run, for commands that look from outside.

use std::collections::BTreeMap;

use super::batch::{has_jobs, job_name};
use super::commands::SlurmCommands;
use super::scheduler::{Scheduler, SchedulerError};
use crate::error::Result;
use crate::executor::exchange::Exchange;

/// The name of the jobs of a run, and their scheduler.
pub struct Slurm {
    name: String,
    scheduler: SlurmCommands,
}

impl Slurm {
    /// Those of a run that has handed in jobs.
    pub fn of(exchange: &Exchange) -> Result<Option<Self>> {
        if !has_jobs(exchange) {
            return Ok(None);
        }
        Ok(Some(Slurm { name: job_name(exchange)?, scheduler: SlurmCommands }))
    }

    /// The name of the jobs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tasks by state.
    pub fn states(&mut self) -> Result<BTreeMap<String, usize>, SchedulerError> {
        let mut counts = BTreeMap::new();
        for report in self.scheduler.reports(&self.name)? {
            *counts.entry(report.state.to_string()).or_default() += 1;
        }
        Ok(counts)
    }

    /// Ends all jobs.
    pub fn cancel(&mut self) -> Result<(), SchedulerError> {
        self.scheduler.cancel(&self.name)
    }
}
