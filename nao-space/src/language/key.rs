//! The name of an architecture up to its symmetries.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of an architecture up to its symmetries: the text of its canonical spelling. Two spellings of
/// one architecture have equal keys, different architectures of one space have different ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ArchKey(pub String);

impl fmt::Display for ArchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
