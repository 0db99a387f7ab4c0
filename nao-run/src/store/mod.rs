//! The store: an SQLite file that holds every trial of a run, each result exactly once.

#[cfg(test)]
mod full_disk;
mod header;
mod journal;
#[cfg(test)]
mod model;
mod opening;
mod tally;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torn;

use std::path::{Path, PathBuf};

use nao_space::search::{Origin, Stop};
use nao_space::{ArchKey, EvaluationError, Measurement, TrialId};
use rusqlite::{Connection, Params, Row, params};
use tempfile::TempDir;

use crate::error::{Context, Result, RunError, bail};

pub use tally::Tally;

/// The append-only truth of a run.
pub struct Store {
    connection: Connection,
    /// What to call it in errors.
    path: PathBuf,
    /// Where the copy lies that is read instead, if need be; it goes with the store.
    _copy: Option<TempDir>,
}

/// Where a trial stands.
#[derive(Clone, Debug, PartialEq)]
pub enum TrialStatus {
    /// Waiting for a worker.
    Proposed,
    /// With a worker, or with one that is no more.
    Running,
    /// Measured.
    Done(Measurement),
    /// Failed for good.
    Failed(EvaluationError),
}

/// One row of the trials.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTrial {
    /// Its number.
    pub id: TrialId,
    /// The round that proposed it.
    pub round: u64,
    /// The architecture in the notation of the space.
    pub arch: String,
    /// Its canonical spelling.
    pub key: ArchKey,
    /// Its seed.
    pub seed: u64,
    /// How it was found.
    pub origin: Origin,
    /// How often it was started.
    pub attempts: u32,
    /// Where it stands.
    pub status: TrialStatus,
}

/// One row of the rounds.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundRecord {
    /// Counted from 0.
    pub round: u64,
    /// Why the strategy has nothing more, if so.
    pub stop: Option<Stop>,
    /// What the strategy warned of.
    pub warnings: Vec<String>,
    /// Wall time of the strategy in seconds.
    pub seconds: f64,
}

/// What became of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the store.
    New,
    /// The trial had a result before, which stays.
    Duplicate,
}

impl Store {
    /// Opens a round with all its trials, or not at all.
    pub fn open_round(&mut self, round: &RoundRecord, trials: &[StoredTrial]) -> Result<()> {
        let unwritten = unwritten(&self.path);
        let transaction = self.connection.transaction().with_context(&unwritten)?;
        let stop = round.stop.map(|stop| json(&stop)).transpose()?;
        transaction
            .execute(
                "INSERT INTO rounds (round, stop, warnings, seconds) VALUES (?1, ?2, ?3, ?4)",
                params![round.round as i64, stop, json(&round.warnings)?, round.seconds],
            )
            .with_context(&unwritten)?;
        for trial in trials {
            transaction
                .execute(
                    "INSERT INTO trials (id, round, arch, key, seed, origin, status) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'proposed')",
                    params![
                        trial.id.0 as i64,
                        trial.round as i64,
                        trial.arch,
                        trial.key.0,
                        trial.seed as i64,
                        json(&trial.origin)?
                    ],
                )
                .with_context(|| format!("cannot store trial {} in {}", trial.id, self.path.display()))?;
        }
        transaction.commit().with_context(&unwritten)
    }

    /// Takes the reason back for which a round was the last, and says so among its warnings: the run goes on.
    pub fn reopen_round(&self, round: &RoundRecord, note: &str) -> Result<()> {
        let mut warnings = round.warnings.clone();
        warnings.push(note.to_owned());
        let sql = "UPDATE rounds SET stop = NULL, warnings = ?2 WHERE round = ?1";
        self.write(sql, params![round.round as i64, json(&warnings)?]).map(drop)
    }

    /// Marks a trial as started and counts the attempt.
    pub fn start(&self, id: TrialId) -> Result<()> {
        let sql = "UPDATE trials SET status = 'running', attempts = attempts + 1 \
                   WHERE id = ?1 AND status IN ('proposed', 'running')";
        self.write(sql, [id.0 as i64]).map(drop)
    }

    /// Marks a trial as started for the `attempt`th time, counted from 1, by an engine that counts itself. To hear of the
    /// same attempt again, as after a restart of the coordinator, changes nothing.
    pub fn started(&self, id: TrialId, attempt: u32) -> Result<()> {
        let sql = "UPDATE trials SET status = 'running', attempts = MAX(attempts, ?2) \
                   WHERE id = ?1 AND status IN ('proposed', 'running')";
        self.write(sql, params![id.0 as i64, attempt]).map(drop)
    }

    /// Puts a started trial back without a result, and forgets the attempt: it was stopped on purpose.
    pub fn put_back(&self, id: TrialId) -> Result<()> {
        let sql = "UPDATE trials SET status = 'proposed', attempts = MAX(attempts - 1, 0) \
                   WHERE id = ?1 AND status = 'running'";
        self.write(sql, [id.0 as i64]).map(drop)
    }

    /// Records the result of a trial, once: a second one changes nothing.
    pub fn record(&self, id: TrialId, outcome: &Result<Measurement, EvaluationError>) -> Result<Recorded> {
        let (status, measurement, error) = match outcome {
            Ok(measurement) => ("done", Some(readable(id, measurement)?), None),
            Err(error) => ("failed", None, Some(json(error)?)),
        };
        let sql = "UPDATE trials SET status = ?2, measurement = ?3, error = ?4 \
                   WHERE id = ?1 AND status IN ('proposed', 'running')";
        let changed = self.write(sql, params![id.0 as i64, status, measurement, error])?;
        Ok(if changed == 1 { Recorded::New } else { Recorded::Duplicate })
    }

    /// All rounds in order.
    pub fn rounds(&self) -> Result<Vec<RoundRecord>> {
        self.read("SELECT round, stop, warnings, seconds FROM rounds ORDER BY round", [], read_round)
    }

    /// All trials in order.
    pub fn trials(&self) -> Result<Vec<StoredTrial>> {
        self.read(&format!("SELECT {COLUMNS} FROM trials ORDER BY id"), [], read_trial)
    }

    /// The trials of one round in order; takes as long as the round is large, however long the run is.
    pub fn trials_of_round(&self, round: u64) -> Result<Vec<StoredTrial>> {
        let sql = format!("SELECT {COLUMNS} FROM trials WHERE round = ?1 ORDER BY id");
        self.read(&sql, [round as i64], read_trial)
    }

    /// Number of trials.
    pub fn count(&self) -> Result<u64> {
        let sql = "SELECT MAX(id) FROM trials";
        let counts = self.read(sql, [], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
        Ok(counts.into_iter().flatten().next().unwrap_or(0) as u64)
    }

    /// One change, all or nothing; gives the number of rows that it changed.
    fn write(&self, sql: &str, parameters: impl Params) -> Result<usize> {
        self.connection.execute(sql, parameters).with_context(unwritten(&self.path))
    }

    fn read<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let failed = || format!("cannot read {}: is it damaged?", self.path.display());
        let mut statement = self.connection.prepare(sql).with_context(failed)?;
        let mut rows = statement.query(parameters).with_context(failed)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().with_context(failed)? {
            all.push(read(row).with_context(|| format!("{} is damaged", self.path.display()))?);
        }
        Ok(all)
    }
}

fn unwritten(path: &Path) -> impl Fn() -> String {
    move || format!("cannot write to {}: is the disk full, or the folder read-only?", path.display())
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).context("a value has no JSON form")
}

/// JSON has no word for what is no finite number: with one in it, the store could not be read again.
fn readable(id: TrialId, measurement: &Measurement) -> Result<String> {
    let mut numbers = measurement.extra.values().chain([&measurement.value, &measurement.seconds]);
    if !numbers.all(|number| number.is_finite()) {
        bail!("trial {id} measured something that is no finite number: {measurement:?}");
    }
    json(measurement)
}

fn read_round(row: &Row<'_>) -> Result<RoundRecord> {
    let stop: Option<String> = row.get("stop")?;
    let warnings: String = row.get("warnings")?;
    Ok(RoundRecord {
        round: row.get::<_, i64>("round")? as u64,
        stop: stop.map(|stop| serde_json::from_str(&stop)).transpose()?,
        warnings: serde_json::from_str(&warnings)?,
        seconds: row.get("seconds")?,
    })
}

/// What [`read_trial`] reads.
const COLUMNS: &str = "id, round, arch, key, seed, origin, status, attempts, measurement, error";

fn read_trial(row: &Row<'_>) -> Result<StoredTrial> {
    let (origin, status): (String, String) = (row.get("origin")?, row.get("status")?);
    let (measurement, error): (Option<String>, Option<String>) = (row.get("measurement")?, row.get("error")?);
    let status = match (status.as_str(), measurement, error) {
        ("proposed", ..) => TrialStatus::Proposed,
        ("running", ..) => TrialStatus::Running,
        ("done", Some(text), _) => TrialStatus::Done(serde_json::from_str(&text)?),
        ("failed", _, Some(text)) => TrialStatus::Failed(serde_json::from_str(&text)?),
        _ => return Err(RunError::Damaged(format!("a trial has status `{status}` without its result"))),
    };
    Ok(StoredTrial {
        id: TrialId(row.get::<_, i64>("id")? as u64),
        round: row.get::<_, i64>("round")? as u64,
        arch: row.get("arch")?,
        key: ArchKey(row.get("key")?),
        seed: row.get::<_, i64>("seed")? as u64,
        origin: serde_json::from_str(&origin)?,
        attempts: row.get("attempts")?,
        status,
    })
}
