//! The folder of a single training: what it is, its state, its result.
//!
//! ```text
//! train.toml             resolved configuration, as used
//! manifest.json          the same as it was at the start, with versions and the checksum of the data
//! checkpoint.safetensors state after the last epoch, or where it was stopped, to go on from
//! weights.safetensors    the network whose accuracy or perplexity was best
//! vocabulary.txt         the words of a language model
//! curve.json             learning curve
//! result.json            what came out
//! ```

use std::path::{Path, PathBuf};

use crate::error::{Context, Result};
use crate::files::write_whole;
use crate::manifest::Manifest;
use crate::settings::{Configuration, StoredSettings, refuse_existing};

/// The folder of a training.
#[derive(Clone, Debug)]
pub struct TrainFolder {
    path: PathBuf,
}

impl TrainFolder {
    /// A new folder with its configuration, its manifest and what belongs to its data.
    ///
    /// # Errors
    /// When there is something of that name, or it cannot be written.
    pub fn create<C: Configuration>(
        path: &Path,
        config: &C,
        manifest: &Manifest,
        companions: &[(&str, String)],
    ) -> Result<Self> {
        refuse_existing(path)?;
        std::fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        let folder = TrainFolder { path: path.to_owned() };
        for (name, content) in companions {
            write_whole(&folder.path.join(name), content.as_bytes())?;
        }
        folder.settings().keep_manifest(manifest)?;
        folder.settings().keep(config)?;
        Ok(folder)
    }

    /// The folder of an earlier training; `None` where there is none.
    pub fn find(path: &Path) -> Option<Self> {
        let folder = TrainFolder { path: path.to_owned() };
        folder.settings().path().is_file().then_some(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the training is.
    pub fn settings(&self) -> StoredSettings {
        StoredSettings::of_training(&self.path)
    }

    /// Where the state after the last epoch, or where the training was stopped, is kept.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint.safetensors")
    }

    /// Where the best network is kept.
    pub fn weights(&self) -> PathBuf {
        self.path.join("weights.safetensors")
    }

    /// Where the learning curve is kept.
    pub fn curve(&self) -> PathBuf {
        self.path.join("curve.json")
    }

    /// Where the result is kept.
    pub fn result(&self) -> PathBuf {
        self.path.join("result.json")
    }
}
