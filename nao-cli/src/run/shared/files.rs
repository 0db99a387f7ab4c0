//! The files of a search with shared weights.
//!
//! ```text
//! supernet/round-NNN.part.json    the state of a round that is not over: its weights are there already
//! supernet/round-NNN.json         what the round did, and the pool after it with all scores
//! supernet/weights-NNN.safetensors   the shared weights after the training of the last rounds, with their momentum
//! supernet/controller-NNN.safetensors   the controller that proposed, where there is one
//! supernet/report.json            the whole search
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nao_child::supernet::{PoolState, SharedRound};
use nao_run::RunFolder;
use nao_run::files::{read_record, write_whole};
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

    /// Keeps how far a round has come whose weights are kept.
    pub fn keep_part(&self, state: &PoolState) -> Result<()> {
        let content = serde_json::to_vec(state).context("a round has no JSON form")?;
        Ok(write_whole(&self.part(state.rounds), &content)?)
    }

    /// How far a round has come that is not over; `None` where nothing of it is kept.
    pub fn part_of(&self, round: u32) -> Result<Option<PoolState>> {
        let path = self.part(round);
        if !(path.is_file() && self.weights(round).is_file()) {
            return Ok(None);
        }
        let state = serde_json::from_str(&read_record(&path)?);
        state.with_context(|| format!("{} is damaged", path.display())).map(Some)
    }

    /// The kept rounds in order.
    pub fn rounds(&self) -> Result<Vec<StoredRound>> {
        let mut rounds = Vec::new();
        while let Some(path) = Some(self.round(rounds.len() as u32)).filter(|path| path.is_file()) {
            let round = serde_json::from_str(&read_record(&path)?);
            rounds.push(round.with_context(|| format!("{} is damaged", path.display()))?);
        }
        Ok(rounds)
    }

    /// Weights and controllers of earlier rounds are of no more use once a round is kept, nor are its beginnings.
    pub fn forget_before(&self, round: u32) -> Result<()> {
        let earlier = (0..round).flat_map(|earlier| [self.weights(earlier), self.controller(earlier)]);
        for path in earlier.chain([self.part(round)]).filter(|path| path.is_file()) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    fn part(&self, round: u32) -> PathBuf {
        self.folder.join(format!("round-{round:03}.part.json"))
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
