//! What a run folder says about its search: configuration, manifest and data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use nao_run::files::write_whole;
use nao_run::{End, RunFolder};

use super::config::RunConfig;
use super::definition::{Difference, refuse_changed};
use super::manifest::Manifest;
use super::settings_file::{RUN_FILE, budget_of_file, in_json, kind_of_file, read_toml, refuse_existing};
use crate::args::SpaceKind;
use crate::cells::NamedRecipe;
use crate::data::load;

/// A new run folder with its configuration, manifest, what belongs to its data, and an empty store.
pub fn create_run<R: NamedRecipe>(
    path: &Path,
    config: &RunConfig<R>,
    manifest: &Manifest,
    companions: &[(&str, String)],
) -> Result<RunFolder> {
    refuse_existing(path)?;
    let (config, manifest) = (config.to_toml(), manifest.to_json());
    let own = [(RUN_FILE, config.as_bytes()), ("manifest.json", manifest.as_bytes())];
    let companions = companions.iter().map(|(name, content)| (*name, content.as_bytes()));
    let files: Vec<(&str, &[u8])> = own.into_iter().chain(companions).collect();
    Ok(RunFolder::create(path, &files)?)
}

/// What a run folder says about its search.
pub trait RunContents {
    /// The configuration of the run. One that was edited in what defines what is measured is refused, field by field.
    fn config<R: NamedRecipe>(&self) -> Result<RunConfig<R>>;

    /// The configuration as its file has it now, whatever it was.
    fn written_config<R: NamedRecipe>(&self) -> Result<RunConfig<R>>;

    /// Where a configuration is not that with which the run was started, as far as that was kept.
    fn changes<R: NamedRecipe>(&self, config: &RunConfig<R>) -> Result<Vec<Difference>>;

    /// Keeps a configuration for later starts, and for workers: of another budget, or of data in another place.
    fn keep_config<R: NamedRecipe>(&self, config: &RunConfig<R>) -> Result<()>;

    /// The cells that the run is about.
    fn kind(&self) -> Result<SpaceKind>;

    /// The manifest with which the run was started.
    fn manifest(&self) -> Result<Manifest>;

    /// Writes the manifest.
    fn keep_manifest(&self, manifest: &Manifest) -> Result<()>;

    /// The data of the run, which has to be what it was, wherever it lies now.
    fn data<R: NamedRecipe>(&self, config: &RunConfig<R>) -> Result<Arc<R::Data>>;

    /// Refuses data that is not what it was.
    fn check_data<R: NamedRecipe>(&self, data: &R::Data, config: &RunConfig<R>) -> Result<()>;

    /// Why the run has ended; `None` where it can go on.
    fn end(&self) -> Result<Option<End>>;
}

impl RunContents for RunFolder {
    fn config<R: NamedRecipe>(&self) -> Result<RunConfig<R>> {
        let config = self.written_config()?;
        refuse_changed(&self.changes(&config)?, self.path().display(), RUN_FILE)?;
        Ok(config)
    }

    fn written_config<R: NamedRecipe>(&self) -> Result<RunConfig<R>> {
        read_toml(&self.config_path())
    }

    fn changes<R: NamedRecipe>(&self, config: &RunConfig<R>) -> Result<Vec<Difference>> {
        let manifest = self.manifest()?;
        let settings = manifest.settings::<RunConfig<R>>();
        let settings = settings.with_context(|| self.manifest_path().display().to_string())?;
        let mut changes = settings.map_or_else(Vec::new, |settings| settings.differences(config));
        let objective = manifest.objective.map(|stored| (in_json(&stored), in_json(&R::objective())));
        changes.extend(objective.and_then(|(stored, now)| Difference::of("objective", stored, now)));
        Ok(changes)
    }

    fn keep_config<R: NamedRecipe>(&self, config: &RunConfig<R>) -> Result<()> {
        Ok(write_whole(&self.config_path(), config.to_toml().as_bytes())?)
    }

    fn kind(&self) -> Result<SpaceKind> {
        let kind = kind_of_file(&self.config_path())?;
        let stored = self.manifest()?.setting("space", "kind").map(in_json);
        let change = stored.and_then(|stored| Difference::of("space.kind", stored, in_json(&kind)));
        refuse_changed(change.as_slice(), self.path().display(), RUN_FILE)?;
        Ok(kind)
    }

    fn manifest(&self) -> Result<Manifest> {
        Manifest::read(&self.manifest_path())
    }

    fn keep_manifest(&self, manifest: &Manifest) -> Result<()> {
        Ok(write_whole(&self.manifest_path(), manifest.to_json().as_bytes())?)
    }

    fn data<R: NamedRecipe>(&self, config: &RunConfig<R>) -> Result<Arc<R::Data>> {
        let data = load::<R>(&config.data, Some(self.path()))?;
        self.check_data::<R>(&data, config)?;
        Ok(data)
    }

    fn check_data<R: NamedRecipe>(&self, data: &R::Data, config: &RunConfig<R>) -> Result<()> {
        self.manifest()?.check_data::<R>(data, &config.data, self.path())
    }

    fn end(&self) -> Result<Option<End>> {
        Ok(End::of(&self.store_to_read()?, budget_of_file(&self.config_path())?)?)
    }
}

/// The first free name `runs/WORD-NNN`.
pub fn free_name(word: &str) -> PathBuf {
    let names = (1..).map(|number: u32| Path::new("runs").join(format!("{word}-{number:03}")));
    names.into_iter().find(|path| !path.exists()).expect("some number is free")
}
