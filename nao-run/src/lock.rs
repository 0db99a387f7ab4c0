//! The lock of a run folder: who coordinates its search.
//!
//! The system holds the lock for as long as the process lives, between hosts too where their file system has locks, and
//! drops it however the process ends: what a killed one left in the file is no lock.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rusqlite::Connection;

use crate::error::{Context, Result, bail};
use crate::host::host;

/// Takes the lock in that file, or says who has it.
pub(super) fn take(path: &Path) -> Result<File> {
    let failed = || format!("cannot lock {}: is the disk full, or the folder read-only?", path.display());
    let mut options = File::options();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(path).with_context(failed)?;
    // A process that asks for the owner shares the lock for a moment, which is no reason to refuse.
    for pause in [20, 40, 80, 160, 0].map(Duration::from_millis) {
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).with_context(failed)?;
                write!(file, "{}", this_process()?).and_then(|()| file.sync_all()).with_context(failed)?;
                return Ok(file);
            }
            Err(TryLockError::WouldBlock) => sleep(pause),
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
    }
    let folder = path.parent().unwrap_or(path).display();
    bail!("{folder} is in use by {}: wait for it or stop it", named_in(&mut file))
}

/// Who has the lock in that file, if anybody has; does not keep others from taking it.
pub(super) fn lock_owner(path: &Path) -> Result<Option<String>> {
    let failed = || format!("cannot ask for the lock {}", path.display());
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(failed)?,
    };
    match file.try_lock_shared() {
        Ok(()) => {
            file.unlock().with_context(failed)?;
            Ok(None)
        }
        Err(TryLockError::WouldBlock) => Ok(Some(named_in(&mut file))),
        Err(TryLockError::Error(error)) => Err(error).with_context(failed),
    }
}

/// The owner as it has written itself down. On some systems a locked file cannot be read.
fn named_in(file: &mut File) -> String {
    let mut name = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut name));
    match read {
        Ok(_) if !name.is_empty() => name,
        _ => "another process".into(),
    }
}

fn this_process() -> Result<String> {
    // SQLite is at hand and knows the calendar.
    let clock = Connection::open_in_memory().context("cannot tell the time")?;
    let now: String = clock
        .query_row("SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now')", [], |row| row.get(0))
        .context("cannot tell the time")?;
    Ok(format!("process {} on {} since {now}", std::process::id(), host()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_owner_is_named_while_it_has_the_lock_and_asking_does_not_hold() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert_eq!(lock_owner(&path).unwrap(), None);
        assert!(!path.exists(), "asking leaves no file");

        let lock = take(&path).unwrap();
        let name = lock_owner(&path).unwrap().unwrap();
        let (process, since) = name.split_once(" since ").unwrap();
        assert_eq!(process, format!("process {} on {}", std::process::id(), host()));
        let form: String = since.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(form, "0000-00-00T00:00:00Z");
        let refused = take(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("in use by {name}")), "{refused}");

        // The file of an owner that is no more still names it; that is no lock.
        drop(lock);
        assert!(fs::read_to_string(&path).unwrap().starts_with("process"));
        assert_eq!(lock_owner(&path).unwrap(), None);
        fs::write(
            &path,
            "process 1 on an old host whose name is longer than most since 1999-12-31T23:59:59Z",
        )
        .unwrap();
        let lock = take(&path).unwrap();
        assert!(lock_owner(&path).unwrap().unwrap().starts_with(&process.to_owned()));
        drop(lock);
    }

    #[test]
    fn somebody_who_only_asks_keeps_no_coordinator_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        drop(take(&path).unwrap());
        let asking = File::open(&path).unwrap();
        asking.lock_shared().unwrap();
        let asked = std::thread::spawn(move || {
            sleep(Duration::from_millis(50));
            asking.unlock().unwrap();
        });
        drop(take(&path).unwrap());
        asked.join().unwrap();
    }
}
