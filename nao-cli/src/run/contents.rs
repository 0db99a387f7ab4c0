//! What a run folder says about its search: configuration and manifest.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use nao_run::RunFolder;
use nao_run::files::read_text;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::config::RunConfig;
use super::manifest::Manifest;
use crate::args::SpaceKind;
use crate::task::Task;

/// A new run folder with its configuration, manifest, what belongs to its data, and an empty store.
pub fn create_run<T: Task>(
    path: &Path,
    config: &RunConfig<T>,
    manifest: &Manifest,
    companions: &[(&str, String)],
) -> Result<RunFolder> {
    let (config, manifest) = (config.to_toml(), manifest.to_json());
    let own = [("run.toml", config.as_bytes()), ("manifest.json", manifest.as_bytes())];
    let companions = companions.iter().map(|(name, content)| (*name, content.as_bytes()));
    let files: Vec<(&str, &[u8])> = own.into_iter().chain(companions).collect();
    Ok(RunFolder::create(path, &files)?)
}

/// What a run folder says about its search.
pub trait RunContents {
    /// The configuration with which the run was started.
    fn config<T: Task>(&self) -> Result<RunConfig<T>>;

    /// The cells that the run is about.
    fn kind(&self) -> Result<SpaceKind>;

    /// The manifest with which the run was started.
    fn manifest(&self) -> Result<Manifest>;
}

impl RunContents for RunFolder {
    fn config<T: Task>(&self) -> Result<RunConfig<T>> {
        read_toml(&self.config_path())
    }

    fn kind(&self) -> Result<SpaceKind> {
        kind_of_file(&self.config_path())
    }

    fn manifest(&self) -> Result<Manifest> {
        let path = self.manifest_path();
        serde_json::from_str(&read_text(&path)?).with_context(|| format!("{} is damaged", path.display()))
    }
}

/// Reads a configuration that this program has written.
pub(super) fn read_toml<C: DeserializeOwned>(path: &Path) -> Result<C> {
    toml::from_str(&read_text(path)?)
        .map_err(|error| anyhow!("{} is damaged: {}", path.display(), error.message()))
}

/// The cells that a stored configuration is about.
pub(super) fn kind_of_file(path: &Path) -> Result<SpaceKind> {
    #[derive(Deserialize)]
    struct Configuration {
        space: Space,
    }
    #[derive(Deserialize)]
    struct Space {
        #[serde(default)]
        kind: SpaceKind,
    }
    Ok(read_toml::<Configuration>(path)?.space.kind)
}

/// The first free name `runs/WORD-NNN`.
pub fn free_name(word: &str) -> PathBuf {
    let names = (1..).map(|number: u32| Path::new("runs").join(format!("{word}-{number:03}")));
    names.into_iter().find(|path| !path.exists()).expect("some number is free")
}
