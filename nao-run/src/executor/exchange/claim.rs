//! How one process of many gets a task.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use nao_space::EvaluationError;

use super::{Attempt, AttemptNumber, CopyOfAttempt, Exchange, Leases, TaskKey, WorkerId, json};
use crate::error::{Context, Result};

/// What became of a claim.
#[derive(Debug)]
pub enum Claim {
    /// The task is ours.
    Mine(Attempt),
    /// Somebody else has it.
    Held,
    /// It waits for nobody any more.
    Gone,
    /// So many attempts came no further that another one would not either.
    GivenUp(EvaluationError),
}

/// Who claims, and on what terms.
#[derive(Debug)]
pub struct Claimant {
    /// This process.
    pub holder: WorkerId,
    /// Time without a heartbeat after which a task is taken over.
    pub lease: Duration,
    /// Attempts in a row that come no further after which a trial is given up.
    pub max_attempts: u32,
    /// What it has seen of the others.
    pub leases: Leases,
}

impl Exchange {
    /// How many of the last attempts came no further than they began, leaving out those that were put back on purpose.
    pub fn fruitless(&self, key: &TaskKey) -> Result<u32> {
        let mut count = 0;
        for copy in self.copies(key)?.iter().rev() {
            if copy.came_further() {
                break;
            }
            count += u32::from(!copy.is_released());
        }
        Ok(count)
    }

    /// Tries to get a task. `now` is the clock on which leases are judged.
    pub fn claim(&self, key: &TaskKey, claimant: &mut Claimant, now: Duration) -> Result<Claim> {
        if !self.is_open(key) || self.has_result(key) {
            return Ok(Claim::Gone);
        }
        let copies = self.copies(key)?;
        if let Some(last) = copies.last()
            && !last.is_released()
            && !claimant.leases.has_lapsed(last, claimant.lease, now)
        {
            return Ok(Claim::Held);
        }
        let fruitless = self.fruitless(key)?;
        if fruitless >= claimant.max_attempts {
            let last = copies.last().and_then(CopyOfAttempt::holder);
            let last = last.map_or("unknown".to_owned(), |holder| holder.to_string());
            let status =
                format!("given up after {fruitless} attempts that came no further; the last: {last}");
            return Ok(Claim::GivenUp(EvaluationError::WorkerDied { status }));
        }
        let number = AttemptNumber(copies.last().map_or(1, |last| last.number.0 + 1));
        let Some(copy) = self.begin(key, number, &claimant.holder)? else { return Ok(Claim::Held) };
        let before = copies.last().and_then(CopyOfAttempt::beat).unwrap_or_default();
        let attempt = Attempt { copy, before };
        if !self.is_open(key) {
            // Its outcome was recorded in between.
            self.forget(key);
            return Ok(Claim::Gone);
        }
        attempt.note(&format!("attempt {}: {}", number.0, claimant.holder));
        attempt.take_over(&copies)?;
        claimant.leases.forget(key);
        Ok(Claim::Mine(attempt))
    }

    /// Makes the folder of an attempt; `None` if somebody else was first. It appears whole, by a rename, which fails where
    /// there is one already.
    fn begin(
        &self,
        key: &TaskKey,
        number: AttemptNumber,
        holder: &WorkerId,
    ) -> Result<Option<CopyOfAttempt>> {
        let folder = self.attempts_of(key);
        let failed = || format!("cannot write to {}: is the disk full?", folder.display());
        fs::create_dir_all(&folder).with_context(failed)?;
        let building =
            tempfile::Builder::new().prefix(".new-").tempdir_in(self.attempts()).with_context(failed)?;
        fs::write(building.path().join("holder.json"), json(holder)?).with_context(failed)?;
        let path = folder.join(number.to_string());
        let copy = CopyOfAttempt { key: *key, number, path };
        match fs::rename(building.path(), &copy.path) {
            Ok(()) => {
                let _ = building.keep();
                Ok(Some(copy))
            }
            // On a network file system the answer may be lost though the folder has moved.
            Err(_) if copy.holder().as_ref() == Some(holder) && !building.path().exists() => Ok(Some(copy)),
            Err(_) if copy.path.exists() => Ok(None),
            // The trial was put away in between.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(failed),
        }
    }
}
