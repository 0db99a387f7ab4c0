//! Attempts at a task: numbered, of one process each, never shared.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use nao_space::EpochReport;
use serde::{Deserialize, Serialize};

use super::{Exchange, TaskKey, WorkerId, json, read_if_there};
use crate::error::{Context, Result};

/// The number of an attempt at a task, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptNumber(pub u32);

impl fmt::Display for AttemptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

/// How far an attempt is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// Counts heartbeats; one that stands still is a stopped heart.
    pub count: u64,
    /// Epochs done, of all attempts together.
    pub epoch: u32,
    /// Epochs in all, once one is done.
    pub epochs: Option<u32>,
    /// Batches begun in this attempt.
    pub batches: u64,
    /// Mean training loss of the last epoch.
    pub train_loss: Option<f64>,
    /// The value after the last epoch, where it was measured.
    pub value: Option<f64>,
    /// Seconds spent on the task in all attempts.
    pub spent: f64,
}

/// The folder of an attempt, seen from outside.
#[derive(Clone, Debug)]
pub struct CopyOfAttempt {
    /// The task.
    pub key: TaskKey,
    /// Which attempt at it.
    pub number: AttemptNumber,
    pub(super) path: PathBuf,
}

impl CopyOfAttempt {
    /// Who has or had it; none for one who is being tidied away.
    pub fn holder(&self) -> Option<WorkerId> {
        read_if_there(&self.path.join("holder.json")).ok().flatten()
    }

    /// Its last heartbeat.
    pub fn beat(&self) -> Option<Beat> {
        read_if_there(&self.path.join("heartbeat.json")).ok().flatten()
    }

    /// Whether its holder has put the task back on purpose.
    pub fn is_released(&self) -> bool {
        self.path.join("released").exists()
    }

    /// When the last heartbeat was written, on the clock of the file system.
    pub fn last_written(&self) -> Option<std::time::SystemTime> {
        let of = |name: &str| fs::metadata(self.path.join(name)).and_then(|data| data.modified()).ok();
        of("heartbeat.json").or_else(|| of("holder.json"))
    }

    /// Its log.
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint.safetensors")
    }

    fn curve(&self) -> PathBuf {
        self.path.join("curve.jsonl")
    }

    /// Whether it has kept more than it was given.
    pub(super) fn came_further(&self) -> bool {
        let Ok(now) = fs::metadata(self.checkpoint()) else { return false };
        let given: Option<Stamp> = read_if_there(&self.path.join("given.json")).ok().flatten();
        given != Some(Stamp::of(&now))
    }
}

/// What tells two states of a file apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Stamp {
    length: u64,
    nanoseconds: u128,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Stamp { length: metadata.len(), nanoseconds: modified.map_or(0, |time| time.as_nanos()) }
    }
}

/// An attempt of this process.
#[derive(Debug)]
pub struct Attempt {
    pub(super) copy: CopyOfAttempt,
    /// The last heartbeat of the attempt before, where there was one.
    pub before: Beat,
}

impl Exchange {
    /// All attempts at a task in order.
    pub fn copies(&self, key: &TaskKey) -> Result<Vec<CopyOfAttempt>> {
        let folder = self.attempts_of(key);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
        };
        let mut copies = Vec::new();
        for entry in entries.flatten() {
            let number = entry.file_name().to_str().and_then(|name| name.parse().ok()).map(AttemptNumber);
            copies.extend(number.map(|number| CopyOfAttempt { key: *key, number, path: entry.path() }));
        }
        copies.sort_by_key(|copy| copy.number);
        Ok(copies)
    }

    /// The learning curve of a task over all its attempts, as far as it was kept.
    pub fn curve(&self, key: &TaskKey) -> Vec<EpochReport> {
        let mut epochs = BTreeMap::new();
        for copy in self.copies(key).unwrap_or_default() {
            let text = fs::read_to_string(copy.curve()).unwrap_or_default();
            // A line that a crash cut short is trained again, and comes again.
            let reports = text.lines().filter_map(|line| serde_json::from_str::<EpochReport>(line).ok());
            epochs.extend(reports.map(|report| (report.epoch, report)));
        }
        epochs.into_values().collect()
    }
}

impl Attempt {
    /// Which one.
    pub fn number(&self) -> AttemptNumber {
        self.copy.number
    }

    /// The task.
    pub fn key(&self) -> TaskKey {
        self.copy.key
    }

    /// Where its state is kept.
    pub fn checkpoint(&self) -> PathBuf {
        self.copy.checkpoint()
    }

    /// Copies the newest state that an older attempt has kept. That one may still be at work on its own file.
    pub(super) fn take_over(&self, older: &[CopyOfAttempt]) -> Result<()> {
        let Some(last) = older.iter().rev().find(|copy| copy.checkpoint().is_file()) else { return Ok(()) };
        let failed = || format!("cannot write to {}: is the disk full?", self.copy.path.display());
        let half = self.copy.path.join(".checkpoint");
        match fs::copy(last.checkpoint(), &half) {
            Ok(_) => {}
            // Tidied away in between: the next look at the task tells.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(failed),
        }
        let stamp = Stamp::of(&fs::metadata(&half).with_context(failed)?);
        fs::write(self.copy.path.join("given.json"), json(&stamp)?).with_context(failed)?;
        fs::rename(&half, self.checkpoint()).with_context(failed)?;
        self.note(&format!("goes on from the state of attempt {}", last.number.0));
        Ok(())
    }

    /// Writes a heartbeat. `false` once the attempt was tidied away: its trial has an outcome.
    pub fn beat(&self, beat: &Beat) -> bool {
        let path = &self.copy.path;
        let half = path.join(".heartbeat");
        // Not synced: a heart that a power cut stops may well lose its last beat.
        let written = json(beat).ok().is_some_and(|content| fs::write(&half, content).is_ok());
        written && fs::rename(&half, path.join("heartbeat.json")).is_ok() || path.exists()
    }

    /// Puts the task back: another process may have it at once.
    pub fn release(&self, why: &str) {
        self.note(&format!("put back: {why}"));
        // If that fails, the lease lapses.
        let _ = File::create(self.copy.path.join("released"));
    }

    /// Keeps the report of an epoch; a curve that cannot be written stops nobody.
    pub fn keep_epoch(&self, report: &EpochReport) {
        let file = File::options().append(true).create(true).open(self.copy.curve());
        let line = serde_json::to_string(report).ok();
        let _ = file.and_then(|mut file| line.map_or(Ok(()), |line| writeln!(file, "{line}")));
    }

    /// Writes a line of the log; a log that cannot be written stops nobody.
    pub fn note(&self, line: &str) {
        let file = File::options().append(true).create(true).open(self.copy.log());
        let _ = file.and_then(|mut file| writeln!(file, "{}", line.replace('\n', " ")));
    }
}
