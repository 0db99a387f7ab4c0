//! The architectures that a search has seen, so that it proposes none twice.

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::language::{ArchKey, Space};

/// Draws in a row that may all be known before the space counts as exhausted, over the number known.
const PATIENCE_PER_KNOWN: usize = 50;
const PATIENCE: usize = 1_000;

/// Keys of architectures, sorted, so that equal sets have equal bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SeenSet(BTreeSet<ArchKey>);

impl SeenSet {
    /// Takes an architecture in; `false` if it was known before, in whatever spelling.
    pub fn learn<S: Space>(&mut self, space: &S, arch: &S::Arch) -> bool {
        self.0.insert(space.key(arch))
    }

    /// Whether an architecture of that key is known.
    pub fn contains(&self, key: &ArchKey) -> bool {
        self.0.contains(key)
    }

    /// Draws an architecture of the space that was not known, and takes it in. `None` when so many draws in a row were
    /// known that the space counts as exhausted.
    pub fn draw<S: Space>(&mut self, space: &S, rng: &mut ChaCha8Rng) -> Option<S::Arch> {
        (0..=PATIENCE + PATIENCE_PER_KNOWN * self.0.len())
            .map(|_| space.sample(rng))
            .find(|arch| self.learn(space, arch))
    }
}
