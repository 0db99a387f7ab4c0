//! The folder of a single training: what it is, its state, its result.
//!
//! ```text
//! train.toml             resolved configuration, as used
//! checkpoint.safetensors state after the last epoch, to go on from
//! weights.safetensors    the network whose accuracy was best
//! curve.json             learning curve
//! result.json            what came out
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use nao_child::Recipe;
use serde::{Deserialize, Serialize};

use super::config::SpaceConfig;
use crate::data::DataSource;
use crate::files::{read_text, write_whole};

/// What a training is, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// The architecture in the notation of its space.
    pub architecture: String,
    /// The entry of the zoo whose network is meant: its code base's, and with what its cells concatenate. Without one,
    /// it is that of the authors' PyTorch code, which concatenates loose ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// Where images come from.
    pub data: DataSource,
    /// Seed of everything random.
    pub seed: u64,
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// The space of the architecture.
    pub space: SpaceConfig,
    /// How it is trained.
    pub recipe: Recipe,
}

impl TrainConfig {
    /// The configuration as TOML, as in `train.toml`.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain structs have a TOML form")
    }
}

/// The folder of a training.
pub struct TrainFolder {
    path: PathBuf,
}

impl TrainFolder {
    /// A new folder with its configuration.
    pub fn create(path: &Path, config: &TrainConfig) -> Result<Self> {
        if path.exists() {
            bail!(
                "{} exists already: choose another --out, or go on with it: nao resume {}",
                path.display(),
                path.display()
            );
        }
        std::fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        let folder = TrainFolder { path: path.to_owned() };
        write_whole(&folder.config_path(), config.to_toml().as_bytes())?;
        Ok(folder)
    }

    /// The folder of an earlier training; `None` where there is none.
    pub fn find(path: &Path) -> Option<Self> {
        let folder = TrainFolder { path: path.to_owned() };
        folder.config_path().is_file().then_some(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration with which the training was started.
    pub fn config(&self) -> Result<TrainConfig> {
        let path = self.config_path();
        toml::from_str(&read_text(&path)?)
            .map_err(|error| anyhow!("{} is damaged: {}", path.display(), error.message()))
    }

    /// Where the state after the last epoch is kept.
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

    fn config_path(&self) -> PathBuf {
        self.path.join("train.toml")
    }
}
