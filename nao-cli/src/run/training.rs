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

use anyhow::{Context, Result};
use nao_child::data::DataSource;
use nao_run::files::write_whole;
use nao_space::notation::ConcatenatedStates;
use serde::{Deserialize, Serialize};

use super::definition::{Difference, FREE_IN_TRAININGS, differences, refuse_changed};
use super::manifest::Manifest;
use super::settings_file::{TRAINING_FILE, in_json, kind_of_file, read_toml, refuse_existing};
use crate::args::SpaceKind;
use crate::cells::{NamedRecipe, SpaceSettings};

/// What a training is, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct TrainConfig<R: NamedRecipe> {
    /// The architecture in the notation of its space.
    pub architecture: String,
    /// The entry of the zoo whose network is meant: its code base's, and with what its cells concatenate or average.
    /// Without one, it is that of the authors' code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// What the cells concatenate, where that is not what cells of the recipe's code base do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concatenates: Option<ConcatenatedStates>,
    /// Where the data comes from; a dry run of a language model needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataSource>,
    /// The shared weights that the training starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
    /// Seed of everything random.
    pub seed: u64,
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// The space of the architecture.
    pub space: SpaceSettings<R>,
    /// How it is trained.
    pub recipe: R,
}

impl<R: NamedRecipe> TrainConfig<R> {
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
    /// A new folder with its configuration, its manifest and what belongs to its data.
    pub fn create<R: NamedRecipe>(
        path: &Path,
        config: &TrainConfig<R>,
        manifest: &Manifest,
        companions: &[(&str, String)],
    ) -> Result<Self> {
        refuse_existing(path)?;
        std::fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        let folder = TrainFolder { path: path.to_owned() };
        for (name, content) in companions {
            write_whole(&folder.path.join(name), content.as_bytes())?;
        }
        write_whole(&folder.manifest_path(), manifest.to_json().as_bytes())?;
        folder.keep_config(config)?;
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

    /// The configuration of the training. One that was edited in what defines the result is refused, field by field.
    pub fn config<R: NamedRecipe>(&self) -> Result<TrainConfig<R>> {
        let config: TrainConfig<R> = read_toml(&self.config_path())?;
        if let Some(manifest) = self.manifest()? {
            let settings = manifest.settings::<TrainConfig<R>>();
            let settings = settings.with_context(|| self.manifest_path().display().to_string())?;
            let changes = settings.map(|stored| differences(&stored, &config, &FREE_IN_TRAININGS));
            refuse_changed(&changes.unwrap_or_default(), self.path.display(), TRAINING_FILE)?;
        }
        Ok(config)
    }

    /// Keeps a configuration for later starts: of data in another place.
    pub fn keep_config<R: NamedRecipe>(&self, config: &TrainConfig<R>) -> Result<()> {
        Ok(write_whole(&self.config_path(), config.to_toml().as_bytes())?)
    }

    /// The manifest; `None` in the folder of an earlier version, whose checkpoint alone tells what it is of.
    pub fn manifest(&self) -> Result<Option<Manifest>> {
        let path = self.manifest_path();
        path.is_file().then(|| Manifest::read(&path)).transpose()
    }

    /// The cells that the training is about.
    pub fn kind(&self) -> Result<SpaceKind> {
        let kind = kind_of_file(&self.config_path())?;
        let stored = self.manifest()?.and_then(|manifest| manifest.setting("space", "kind").map(in_json));
        let change = stored.and_then(|stored| Difference::of("space.kind", stored, in_json(&kind)));
        refuse_changed(change.as_slice(), self.path.display(), TRAINING_FILE)?;
        Ok(kind)
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

    fn config_path(&self) -> PathBuf {
        self.path.join(TRAINING_FILE)
    }

    fn manifest_path(&self) -> PathBuf {
        self.path.join("manifest.json")
    }
}
