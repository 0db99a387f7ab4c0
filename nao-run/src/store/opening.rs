//! How the file of a store is made and opened.
//!
//! The store keeps a rollback journal (`trials.sqlite-journal`, there while something is written). SQLite's other way, a
//! write-ahead log, needs memory that all its users share: it fails between hosts of a network file system and in folders
//! that are read-only.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};

use super::header::{Header, with_suffix};
use super::journal::check_journal;
use super::{Store, unwritten};
use crate::error::{Context, Result, RunError, bail};
use crate::files::private_folder;

/// The version of what a store holds, kept in SQLite's `user_version`. Since version 2 fidelities have a digest, which
/// earlier programs do not read; the tables are the same.
const VERSION: i64 = 2;

/// The first version, which is read as well, and becomes today's when it is next written.
const FIRST_VERSION: i64 = 1;

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

/// Without it, a round takes as long to read as the run is long. Stores from before it get it when they are next written.
const INDEX: &str = "CREATE INDEX IF NOT EXISTS trials_by_round ON trials (round)";

/// Readers hold a writer up, and it them, for as long as they read or it writes: milliseconds, more on a slow network.
const PATIENCE: Duration = Duration::from_secs(60);

impl Store {
    /// A new store in a file that does not exist.
    pub fn create(path: &Path) -> Result<()> {
        let failed = || format!("cannot create {}: is the disk full?", path.display());
        // SQLite would let nobody but the owner write it, whatever the user's umask says.
        File::create_new(path).with_context(failed)?;
        let connection = Connection::open(path).with_context(failed)?;
        write_durably(&connection).with_context(failed)?;
        let sql = format!("BEGIN; {TABLES} {INDEX}; PRAGMA user_version = {VERSION}; COMMIT;");
        connection.execute_batch(&sql).with_context(failed)?;
        connection.close().map_err(|(_, error)| error).with_context(failed)
    }

    /// An existing store, to be written. One that an earlier nao wrote is brought to the form of today.
    pub fn open(path: &Path) -> Result<Self> {
        check_header(path)?;
        check_journal(path)?;
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        check_content(&connection, path)?;
        // SQLite opens what it may not write for reading alone.
        if connection.is_readonly(MAIN_DB)? {
            return Err(RunError::Refused(unwritten(path)()));
        }
        write_durably(&connection).with_context(unwritten(path))?;
        connection.execute_batch(INDEX).with_context(unwritten(path))?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version < VERSION {
            connection.pragma_update(None, "user_version", VERSION).with_context(unwritten(path))?;
        }
        Ok(Store { connection, path: path.to_owned(), _copy: None })
    }

    /// An existing store, to be looked at: it is not changed, and its folder may be read-only.
    pub fn open_to_read(path: &Path) -> Result<Self> {
        check_header(path)?;
        check_journal(path)?;
        // Where a write ends at this very moment, SQLite may take it for one that was left.
        for pause in [20, 40, 0].map(Duration::from_millis) {
            let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            match check_content(&connection, path) {
                Err(error) if needs_a_write(&error) => sleep(pause),
                checked => {
                    return checked.map(|()| Store { connection, path: path.to_owned(), _copy: None });
                }
            }
        }
        Store::open_copy(path)
    }

    /// What a killed process left in the middle of a write has to be undone before it can be read, and a write-ahead log
    /// needs its shared memory: in a copy.
    fn open_copy(path: &Path) -> Result<Self> {
        let copy = private_folder().context("cannot create a temporary folder")?;
        let copied = copy.path().join("copy.sqlite");
        for suffix in ["", "-journal", "-wal"] {
            let from = with_suffix(path, suffix);
            let failed = || format!("cannot copy {} to read it", from.display());
            match fs::read(&from) {
                Ok(content) => fs::write(with_suffix(&copied, suffix), content).with_context(failed)?,
                Err(error) if error.kind() == ErrorKind::NotFound && !suffix.is_empty() => {}
                Err(error) => return Err(error).with_context(failed),
            }
        }
        let connection = connect(&copied, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        check_content(&connection, path)?;
        Ok(Store { connection, path: path.to_owned(), _copy: Some(copy) })
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection> {
    let failed = || format!("cannot open {}", path.display());
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).with_context(failed)?;
    connection.busy_timeout(PATIENCE).with_context(failed)?;
    Ok(connection)
}

/// Every commit is on disk before it counts, and so is the end of its journal: a result survives a power cut. Nothing is
/// written before the commit, so that every journal that counts is whole; [`check_journal`] goes by that.
fn write_durably(connection: &Connection) -> Result<()> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
    if mode != "delete" {
        bail!("its journal stays in mode {mode}, because another program has it open");
    }
    connection.pragma_update(None, "cache_spill", "OFF")?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    Ok(())
}

/// Refuses other files and versions before SQLite has changed anything, such as the journal that it goes by.
fn check_header(path: &Path) -> Result<()> {
    let Some(header) = Header::read(path)? else {
        return Err(RunError::Damaged(format!("{} is not a store of trials", path.display())));
    };
    check_version(header.version(), path)
}

fn check_version(version: i64, path: &Path) -> Result<()> {
    let path = path.display();
    match version {
        FIRST_VERSION..=VERSION => Ok(()),
        newer if newer > VERSION => bail!(
            "{path} has version {newer}, this nao reads version {VERSION}: a newer nao wrote it, use that one"
        ),
        other => {
            bail!("{path} has version {other}, this nao reads version {VERSION}: use the nao that wrote it")
        }
    }
}

/// Looks through the whole file, once per start: what is torn is said here, and never read as a shorter history.
fn check_content(connection: &Connection, path: &Path) -> Result<()> {
    let failed = || format!("{} is damaged, or not a store of trials", path.display());
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    check_version(version.with_context(failed)?, path)?;
    let check = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    match check.with_context(failed)?.as_str() {
        "ok" => Ok(()),
        problem => Err(RunError::Damaged(format!("{} is damaged: {problem}", path.display()))),
    }
}

/// Whether a store could not be read because something would have to be written first.
fn needs_a_write(error: &RunError) -> bool {
    let RunError::Database { source, .. } = error.root() else { return false };
    matches!(source.0.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
}
