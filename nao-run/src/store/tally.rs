//! How many trials of a run stand where.

use std::collections::BTreeMap;

use nao_space::EvaluationError;

use super::Store;
use crate::error::{Result, RunError};

/// Trials by where they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Waiting for a worker.
    pub proposed: u64,
    /// With a worker, or with one that is no more.
    pub running: u64,
    /// Measured.
    pub done: u64,
    /// Failed for good, by [`EvaluationError::reason`].
    pub failed: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Trials that failed for good.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// All trials.
    pub fn trials(&self) -> u64 {
        self.proposed + self.running + self.done + self.failures()
    }
}

impl Store {
    /// Counts the trials by where they stand, without reading what they measured.
    pub fn tally(&self) -> Result<Tally> {
        let mut tally = Tally::default();
        let sql = "SELECT status, error, COUNT(*) FROM trials GROUP BY status, error";
        self.read(sql, [], |row| {
            let (status, error): (String, Option<String>) = (row.get(0)?, row.get(1)?);
            let count = row.get::<_, i64>(2)? as u64;
            let place = match (status.as_str(), error) {
                ("proposed", _) => &mut tally.proposed,
                ("running", _) => &mut tally.running,
                ("done", _) => &mut tally.done,
                (_, error) => {
                    let missing = || RunError::Damaged("a trial has failed without a reason".to_owned());
                    let error = error.ok_or_else(missing)?;
                    let error: EvaluationError = serde_json::from_str(&error)?;
                    tally.failed.entry(error.reason()).or_default()
                }
            };
            *place += count;
            Ok(())
        })?;
        Ok(tally)
    }
}
