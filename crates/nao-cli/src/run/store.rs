//! The store: an SQLite file that holds every trial of a run, each result exactly once.

use std::path::Path;

use anyhow::{Context, Result, bail};
use nao_space::search::{Origin, Stop};
use nao_space::{ArchKey, EvaluationError, Measurement, TrialId};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

/// The version of the tables below, kept in SQLite's `user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE rounds (
        round    INTEGER PRIMARY KEY,  -- counted from 0
        stop     TEXT,                 -- JSON: why the strategy has nothing more, if so
        warnings TEXT NOT NULL,        -- JSON: array of strings
        seconds  REAL NOT NULL         -- wall time of the strategy for this round
    ) STRICT;
    CREATE TABLE trials (
        id          INTEGER PRIMARY KEY,   -- from 1, never used twice
        round       INTEGER NOT NULL REFERENCES rounds(round),
        arch        TEXT NOT NULL,         -- in the notation of the space
        key         TEXT NOT NULL UNIQUE,  -- canonical spelling
        seed        INTEGER NOT NULL,
        origin      TEXT NOT NULL,         -- JSON: kind, parent, step
        status      TEXT NOT NULL CHECK (status IN ('proposed', 'running', 'done', 'failed')),
        attempts    INTEGER NOT NULL DEFAULT 0,
        measurement TEXT,                  -- JSON, when done
        error       TEXT,                  -- JSON, when failed
        CHECK ((status = 'done') = (measurement IS NOT NULL)),
        CHECK ((status = 'failed') = (error IS NOT NULL))
    ) STRICT;
";

/// The append-only truth of a run.
pub struct Store {
    connection: Connection,
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
    /// A new store in a file that does not exist.
    pub fn create(path: &Path) -> Result<()> {
        let failed = || format!("cannot create {}: is the disk full?", path.display());
        let connection = Connection::open(path).with_context(failed)?;
        connection.pragma_update(None, "journal_mode", "WAL").with_context(failed)?;
        connection.execute_batch(&format!("BEGIN; {TABLES} COMMIT;")).with_context(failed)?;
        connection.pragma_update(None, "user_version", VERSION).with_context(failed)?;
        connection.close().map_err(|(_, error)| error).with_context(failed)
    }

    /// An existing store.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = || format!("{} is not a store of trials", path.display());
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).with_context(failed)?;
        let version: i64 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).with_context(failed)?;
        if version != VERSION {
            bail!(
                "{} has version {version}, this nao reads version {VERSION}: use the nao that wrote it",
                path.display()
            );
        }
        // Every commit is on disk before it counts: a result survives a power cut.
        connection.pragma_update(None, "synchronous", "FULL").with_context(failed)?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).with_context(failed)?;
        Ok(Store { connection })
    }

    /// Opens a round with all its trials, or not at all.
    pub fn open_round(&mut self, round: &RoundRecord, trials: &[StoredTrial]) -> Result<()> {
        let transaction = self.connection.transaction().context(FULL)?;
        let stop = round.stop.map(|stop| json(&stop)).transpose()?;
        transaction
            .execute(
                "INSERT INTO rounds (round, stop, warnings, seconds) VALUES (?1, ?2, ?3, ?4)",
                params![round.round as i64, stop, json(&round.warnings)?, round.seconds],
            )
            .context(FULL)?;
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
                .with_context(|| format!("cannot store trial {}", trial.id))?;
        }
        transaction.commit().context(FULL)
    }

    /// Marks a trial as started and counts the attempt.
    pub fn start(&self, id: TrialId) -> Result<()> {
        let sql = "UPDATE trials SET status = 'running', attempts = attempts + 1 \
                   WHERE id = ?1 AND status IN ('proposed', 'running')";
        self.connection.execute(sql, [id.0 as i64]).context(FULL)?;
        Ok(())
    }

    /// Puts a started trial back without a result, and forgets the attempt: it was stopped on purpose.
    pub fn put_back(&self, id: TrialId) -> Result<()> {
        let sql = "UPDATE trials SET status = 'proposed', attempts = attempts - 1 \
                   WHERE id = ?1 AND status = 'running'";
        self.connection.execute(sql, [id.0 as i64]).context(FULL)?;
        Ok(())
    }

    /// Records the result of a trial, once: a second one changes nothing.
    pub fn record(&self, id: TrialId, outcome: &Result<Measurement, EvaluationError>) -> Result<Recorded> {
        let (status, measurement, error) = match outcome {
            Ok(measurement) => ("done", Some(json(measurement)?), None),
            Err(error) => ("failed", None, Some(json(error)?)),
        };
        let sql = "UPDATE trials SET status = ?2, measurement = ?3, error = ?4 \
                   WHERE id = ?1 AND status IN ('proposed', 'running')";
        let changed =
            self.connection.execute(sql, params![id.0 as i64, status, measurement, error]).context(FULL)?;
        Ok(if changed == 1 { Recorded::New } else { Recorded::Duplicate })
    }

    /// All rounds in order.
    pub fn rounds(&self) -> Result<Vec<RoundRecord>> {
        let sql = "SELECT round, stop, warnings, seconds FROM rounds ORDER BY round";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            let stop: Option<String> = row.get("stop")?;
            Ok((row.get::<_, i64>("round")?, stop, row.get::<_, String>("warnings")?, row.get("seconds")?))
        })?;
        let mut rounds = Vec::new();
        for row in rows {
            let (round, stop, warnings, seconds) = row?;
            rounds.push(RoundRecord {
                round: round as u64,
                stop: stop.map(|stop| serde_json::from_str(&stop)).transpose().context(DAMAGED)?,
                warnings: serde_json::from_str(&warnings).context(DAMAGED)?,
                seconds,
            });
        }
        Ok(rounds)
    }

    /// All trials in order.
    pub fn trials(&self) -> Result<Vec<StoredTrial>> {
        let sql = "SELECT id, round, arch, key, seed, origin, status, attempts, measurement, error \
                   FROM trials ORDER BY id";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut trials = Vec::new();
        while let Some(row) = rows.next()? {
            trials.push(read_trial(row)?);
        }
        Ok(trials)
    }

    /// Number of trials.
    pub fn count(&self) -> Result<u64> {
        let sql = "SELECT MAX(id) FROM trials";
        let count: Option<Option<i64>> = self.connection.query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(count.flatten().unwrap_or(0) as u64)
    }
}

const FULL: &str = "cannot write to the store of trials: is the disk full, or the folder read-only?";
const DAMAGED: &str = "the store of trials is damaged";

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).context("a value has no JSON form")
}

fn read_trial(row: &Row<'_>) -> Result<StoredTrial> {
    let (origin, status): (String, String) = (row.get("origin")?, row.get("status")?);
    let (measurement, error): (Option<String>, Option<String>) = (row.get("measurement")?, row.get("error")?);
    let status = match (status.as_str(), measurement, error) {
        ("proposed", ..) => TrialStatus::Proposed,
        ("running", ..) => TrialStatus::Running,
        ("done", Some(text), _) => TrialStatus::Done(serde_json::from_str(&text).context(DAMAGED)?),
        ("failed", _, Some(text)) => TrialStatus::Failed(serde_json::from_str(&text).context(DAMAGED)?),
        _ => bail!("{DAMAGED}: a trial has status `{status}` without its result"),
    };
    Ok(StoredTrial {
        id: TrialId(row.get::<_, i64>("id")? as u64),
        round: row.get::<_, i64>("round")? as u64,
        arch: row.get("arch")?,
        key: ArchKey(row.get("key")?),
        seed: row.get::<_, i64>("seed")? as u64,
        origin: serde_json::from_str(&origin).context(DAMAGED)?,
        attempts: row.get("attempts")?,
        status,
    })
}

#[cfg(test)]
mod tests {
    use nao_space::{Fidelity, Objective};

    use super::*;

    fn trial(id: u64, key: &str) -> StoredTrial {
        StoredTrial {
            id: TrialId(id),
            round: 0,
            arch: key.into(),
            key: ArchKey(key.into()),
            seed: 5,
            origin: Origin::Ascent { parent: TrialId(1), step: 0.5 },
            attempts: 0,
            status: TrialStatus::Proposed,
        }
    }

    fn measured(value: f64) -> Result<Measurement, EvaluationError> {
        Ok(Measurement {
            objective: Objective::validation_accuracy(),
            value,
            fidelity: Fidelity { recipe: "test".into(), epochs: 1 },
            params: 1,
            macs: 2,
            seconds: 0.1,
            extra: Default::default(),
        })
    }

    fn round() -> RoundRecord {
        RoundRecord { round: 0, stop: Some(Stop::SpaceExhausted), warnings: vec!["w".into()], seconds: 0.5 }
    }

    fn opened(folder: &Path) -> Store {
        let path = folder.join("trials.sqlite");
        Store::create(&path).unwrap();
        let mut store = Store::open(&path).unwrap();
        store.open_round(&round(), &[trial(1, "a"), trial(2, "b")]).unwrap();
        store
    }

    #[test]
    fn what_is_stored_reads_back_and_a_second_result_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path());
        store.start(TrialId(1)).unwrap();
        assert_eq!(store.record(TrialId(1), &measured(0.1 + 0.2)).unwrap(), Recorded::New);
        assert_eq!(store.record(TrialId(1), &measured(0.9)).unwrap(), Recorded::Duplicate);
        assert_eq!(
            store.record(TrialId(1), &Err(EvaluationError::Interrupted)).unwrap(),
            Recorded::Duplicate
        );
        let failed = EvaluationError::NotFinite { epoch: 2, loss: "NaN".into() };
        store.record(TrialId(2), &Err(failed.clone())).unwrap();
        drop(store);

        let store = Store::open(&folder.path().join("trials.sqlite")).unwrap();
        let trials = store.trials().unwrap();
        let done = StoredTrial {
            attempts: 1,
            status: TrialStatus::Done(measured(0.1 + 0.2).unwrap()),
            ..trial(1, "a")
        };
        assert_eq!(trials, [done, StoredTrial { status: TrialStatus::Failed(failed), ..trial(2, "b") }]);
        assert_eq!(store.rounds().unwrap(), [round()]);
        assert_eq!(store.count().unwrap(), 2);
    }

    #[test]
    fn a_round_with_a_known_architecture_is_refused_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = opened(folder.path());
        let again = RoundRecord { round: 1, ..round() };
        assert!(store.open_round(&again, &[trial(3, "c"), trial(4, "a")]).is_err());
        assert_eq!(store.count().unwrap(), 2);
        assert_eq!(store.rounds().unwrap().len(), 1);
    }

    #[test]
    fn a_trial_that_was_stopped_on_purpose_has_no_attempt() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path());
        store.start(TrialId(1)).unwrap();
        store.put_back(TrialId(1)).unwrap();
        assert_eq!(store.trials().unwrap()[0], trial(1, "a"));
    }

    #[test]
    fn other_files_and_versions_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.sqlite");
        std::fs::write(&path, "not a database, but long enough to look at").unwrap();
        assert!(Store::open(&path).is_err());
        std::fs::remove_file(&path).unwrap();
        drop(opened(folder.path()));
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
        assert!(format!("{:#}", Store::open(&path).err().unwrap()).contains("version 9"));
    }
}
