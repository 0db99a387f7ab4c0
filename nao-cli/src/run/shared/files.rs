//! The files of a search with shared weights.
//!
//! ```text
//! supernet/round-NNN.json         what the round did, and the pool after it with all scores
//! supernet/weights-NNN.safetensors   the shared weights after the last kept round, with their momentum
//! supernet/controller-NNN.safetensors   the controller that proposed, where there is one
//! supernet/report.json            the whole search
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nao_child::supernet::{PoolState, SharedRound};
use nao_run::RunFolder;
use nao_run::files::{read_text, write_whole};
use serde::{Deserialize, Serialize};

/// A round as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredRound {
    /// What it did.
    pub report: SharedRound,
    /// The pool after it.
    pub state: PoolState,
}

/// Where the files are.
pub struct SharedFiles {
    folder: PathBuf,
}

impl SharedFiles {
    /// Those of a run.
    pub fn of(run: &RunFolder) -> Result<Self> {
        let folder = folder_of(run.path());
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(SharedFiles { folder })
    }

    /// The weights after a round.
    pub fn weights(&self, round: u32) -> PathBuf {
        self.folder.join(format!("weights-{round:03}.safetensors"))
    }

    /// The controller after a round.
    pub fn controller(&self, round: u32) -> PathBuf {
        self.folder.join(format!("controller-{round:03}.safetensors"))
    }

    /// The whole search.
    pub fn report(&self) -> PathBuf {
        self.folder.join("report.json")
    }

    /// Keeps a round.
    pub fn keep(&self, round: &StoredRound) -> Result<()> {
        let content = serde_json::to_vec(round).context("a round has no JSON form")?;
        Ok(write_whole(&self.round(round.report.round), &content)?)
    }

    /// The kept rounds in order.
    pub fn rounds(&self) -> Result<Vec<StoredRound>> {
        let mut rounds = Vec::new();
        while let Some(path) = Some(self.round(rounds.len() as u32)).filter(|path| path.is_file()) {
            let round = serde_json::from_str(&read_text(&path)?);
            rounds.push(round.with_context(|| format!("{} is damaged", path.display()))?);
        }
        Ok(rounds)
    }

    /// Weights and controllers of earlier rounds are of no more use.
    pub fn forget_before(&self, round: u32) -> Result<()> {
        for earlier in 0..round {
            for path in [self.weights(earlier), self.controller(earlier)] {
                if path.is_file() {
                    fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
                }
            }
        }
        Ok(())
    }

    fn round(&self, round: u32) -> PathBuf {
        self.folder.join(format!("round-{round:03}.json"))
    }
}

fn folder_of(run: &Path) -> PathBuf {
    run.join("supernet")
}

/// The shared weights that a search left in its run folder; `None` where it shared none, or has no round done.
pub fn latest_weights(run: &Path) -> Option<PathBuf> {
    let files = SharedFiles { folder: folder_of(run) };
    let rounds = (0..).take_while(|&round| files.round(round).is_file()).count() as u32;
    Some(files.weights(rounds.checked_sub(1)?)).filter(|path| path.is_file())
}
