//! What is to be measured, under a name that says just that.

use std::fmt;
use std::str::FromStr;

use nao_space::{ArchKey, EpochReport, EvaluationError, Fidelity, Measurement, Space, Trial, TrialId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::WorkerId;
use crate::error::{Cause, RunError};

/// Names what is measured: space, canonical architecture, fidelity with all settings of its recipe, and seed. Two copies of a task have the same key,
/// whatever job or machine they ran in, and any two of its results are interchangeable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey([u8; 16]);

impl TaskKey {
    /// The key of an architecture of a space, tried that thoroughly with that seed.
    pub fn new(space: &str, arch: &ArchKey, fidelity: &Fidelity, seed: u64) -> Self {
        let mut hash = Sha256::new();
        // No part contains the separator, so no two tasks run together.
        let (epochs, seed) = (fidelity.epochs.to_string(), seed.to_string());
        let parts = [space, &arch.0, &fidelity.recipe, &epochs, &seed];
        for part in parts.into_iter().chain(fidelity.digest.as_deref()) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        TaskKey(key)
    }

    /// Names the trials of a search over a space, each tried that thoroughly.
    pub fn naming<S: Space + 'static>(space: S, fidelity: Fidelity) -> Naming<S::Arch> {
        let name = space.name();
        Box::new(move |trial: &Trial<S::Arch>| {
            TaskKey::new(&name, &space.key(&trial.arch), &fidelity, trial.seed)
        })
    }
}

/// Names the task of a trial.
pub type Naming<A> = Box<dyn Fn(&Trial<A>) -> TaskKey>;

impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not 32 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no key of a task")]
pub struct NoKey(String);

impl Cause for NoKey {
    fn within(self, what: String) -> RunError {
        RunError::Text { what, source: Box::new(self) }
    }
}

impl FromStr for TaskKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let wrong = || NoKey(text.to_owned());
        if text.len() != 32 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong());
        }
        let mut key = [0; 16];
        for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(TaskKey(key))
    }
}

impl Serialize for TaskKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TaskKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A task as it is put up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskFile<A> {
    /// Its name.
    pub key: TaskKey,
    /// What to try.
    pub trial: Trial<A>,
}

/// An outcome as a worker publishes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskResult {
    /// The task.
    pub key: TaskKey,
    /// The trial that it is.
    pub trial: TrialId,
    /// What was measured, or why nothing was.
    pub outcome: Result<Measurement, EvaluationError>,
    /// The learning curve.
    pub curve: Vec<EpochReport>,
    /// Who says so.
    pub holder: WorkerId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_all_that_matters_and_reads_back() {
        let key = |space, arch: &str, recipe: &str, epochs, seed| {
            TaskKey::new(space, &ArchKey(arch.into()), &Fidelity::new(recipe, epochs), seed)
        };
        let wide = Fidelity::new("r", 1).with_digest("of another width");
        let keys = [
            key("s", "a", "r", 1, 1),
            key("t", "a", "r", 1, 1),
            key("s", "b", "r", 1, 1),
            key("s", "a", "q", 1, 1),
            key("s", "a", "r", 11, 1),
            key("s", "a", "r", 1, 11),
            TaskKey::new("s", &ArchKey("a".into()), &wide, 1),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(key.to_string().parse::<TaskKey>().unwrap(), *key);
            assert!(!keys[..index].contains(key));
        }
        assert_eq!(keys[0], key("s", "a", "r", 1, 1));
        for text in ["", "12", &"g".repeat(32), &"+1".repeat(16), &"é".repeat(16)] {
            assert!(text.parse::<TaskKey>().is_err(), "{text}");
        }
    }
}
