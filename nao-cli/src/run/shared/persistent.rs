//! Proposers whose state outlives a process.

use std::path::{Path, PathBuf};

use anyhow::Result;
use nao_child::supernet::Proposer;

/// A proposer that is kept between rounds.
pub trait PersistentProposer: Proposer {
    /// Keeps what it has learned, where there is something.
    fn save(&self, path: &Path) -> Result<()>;
    /// Takes over what was kept.
    fn restore(&mut self, path: PathBuf) -> Result<()>;
}
