//! Where the files of a run are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use nao_space::TrialId;

use super::config::RunConfig;
use super::definition::{Difference, refuse_changed};
use super::end::End;
use super::lock;
use super::manifest::Manifest;
use super::settings_file::{RUN_FILE, budget_of_file, in_json, kind_of_file, read_toml, refuse_existing};
use super::store::Store;
use crate::args::SpaceKind;
use crate::files::write_whole;
use crate::task::Task;

/// A run folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A new run folder with its configuration, manifest, what belongs to its data, and an empty store. It is prepared under another name
    /// and appears whole.
    pub fn create<T: Task>(
        path: &Path,
        config: &RunConfig<T>,
        manifest: &Manifest,
        companions: &[(&str, String)],
    ) -> Result<Self> {
        refuse_existing(path)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let failed = || format!("cannot create a run folder in {}", parent.display());
        fs::create_dir_all(parent).with_context(failed)?;
        let building =
            tempfile::Builder::new().prefix(".nao-run-").tempdir_in(parent).with_context(failed)?;
        let folder = RunFolder { path: building.path().to_owned() };
        for sub in ["controller", "children"] {
            fs::create_dir(folder.path.join(sub)).with_context(failed)?;
        }
        write_whole(&folder.config_path(), config.to_toml().as_bytes())?;
        folder.keep_manifest(manifest)?;
        for (name, content) in companions {
            write_whole(&folder.path.join(name), content.as_bytes())?;
        }
        Store::create(&folder.store_path())?;
        fs::rename(building.path(), path)
            .with_context(|| format!("cannot create {}: does it exist by now?", path.display()))?;
        // The folder has its final name: there is nothing to clean up any more.
        let _ = building.keep();
        Ok(RunFolder { path: path.to_owned() })
    }

    /// An existing run folder.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = RunFolder { path: path.to_owned() };
        if !path.is_dir() {
            bail!("no run folder {}", path.display());
        }
        if !folder.config_path().is_file() || !folder.store_path().is_file() {
            bail!("{} is not a run folder: it has no run.toml and trials.sqlite", path.display());
        }
        Ok(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration of the run. One that was edited in what defines what is measured is refused, field by field.
    pub fn config<T: Task>(&self) -> Result<RunConfig<T>> {
        let config = self.written_config()?;
        refuse_changed(&self.changes(&config)?, self.path.display(), RUN_FILE)?;
        Ok(config)
    }

    /// The configuration as its file has it now, whatever it was.
    pub fn written_config<T: Task>(&self) -> Result<RunConfig<T>> {
        read_toml(&self.config_path())
    }

    /// Where a configuration is not that with which the run was started, as far as that was kept.
    pub fn changes<T: Task>(&self, config: &RunConfig<T>) -> Result<Vec<Difference>> {
        let manifest = self.manifest()?;
        let settings = manifest.settings::<RunConfig<T>>();
        let settings = settings.with_context(|| self.manifest_path().display().to_string())?;
        let mut changes = settings.map_or_else(Vec::new, |settings| settings.differences(config));
        let objective = manifest.objective.map(|stored| (in_json(&stored), in_json(&T::objective())));
        changes.extend(objective.and_then(|(stored, now)| Difference::of("objective", stored, now)));
        Ok(changes)
    }

    /// Keeps a configuration for later starts, and for workers: of another budget, or of data in another place.
    pub fn keep_config<T: Task>(&self, config: &RunConfig<T>) -> Result<()> {
        write_whole(&self.config_path(), config.to_toml().as_bytes())
    }

    /// The cells that the run is about.
    pub fn kind(&self) -> Result<SpaceKind> {
        let kind = kind_of_file(&self.config_path())?;
        let stored = self.manifest()?.setting("space", "kind").map(in_json);
        let change = stored.and_then(|stored| Difference::of("space.kind", stored, in_json(&kind)));
        refuse_changed(change.as_slice(), self.path.display(), RUN_FILE)?;
        Ok(kind)
    }

    /// The manifest with which the run was started.
    pub fn manifest(&self) -> Result<Manifest> {
        Manifest::read(&self.manifest_path())
    }

    /// Writes the manifest.
    pub fn keep_manifest(&self, manifest: &Manifest) -> Result<()> {
        write_whole(&self.manifest_path(), manifest.to_json().as_bytes())
    }

    /// The data of the run, which has to be what it was, wherever it lies now.
    pub fn data<T: Task>(&self, config: &RunConfig<T>) -> Result<Arc<T::Data>> {
        let data = T::load(&config.data, Some(&self.path))?;
        self.check_data::<T>(&data, config)?;
        Ok(data)
    }

    /// Refuses data that is not what it was.
    pub fn check_data<T: Task>(&self, data: &T::Data, config: &RunConfig<T>) -> Result<()> {
        self.manifest()?.check_data::<T>(data, &config.data, &self.path)
    }

    /// The store, to be written by the one who holds the lock.
    pub fn store(&self) -> Result<Store> {
        Store::open(&self.store_path())
    }

    /// The store for those who only look at it; works while a coordinator writes it, and in a read-only folder.
    pub fn store_to_read(&self) -> Result<Store> {
        Store::open_to_read(&self.store_path())
    }

    /// Why the run has ended; `None` where it can go on.
    pub fn end(&self) -> Result<Option<End>> {
        End::of(&self.store_to_read()?, budget_of_file(&self.config_path())?)
    }

    /// Keeps other coordinators out for as long as the lock lives; the system drops it with the process.
    pub fn lock(&self) -> Result<File> {
        lock::take(&self.lock_path())
    }

    /// The coordinator at work in the folder, if there is one: its process, its host and since when.
    pub fn holder(&self) -> Result<Option<String>> {
        lock::holder(&self.lock_path())
    }

    /// Where the state of the strategy after asking for a round is kept.
    pub fn strategy_state(&self, round: u64) -> PathBuf {
        self.path.join("controller").join(format!("round-{round:03}.state"))
    }

    /// Where what was learned of the space before the search is kept.
    pub fn pretrained(&self) -> PathBuf {
        self.path.join("controller").join("pretrained.safetensors")
    }

    /// Where the metrics of the strategy for a round are kept.
    pub fn strategy_report(&self, round: u64) -> PathBuf {
        self.path.join("controller").join(format!("round-{round:03}.json"))
    }

    /// The folder of a trial.
    pub fn child(&self, trial: TrialId) -> PathBuf {
        self.path.join("children").join(trial.to_string())
    }

    /// Where the learning curve of a trial is kept.
    pub fn curve(&self, trial: TrialId) -> PathBuf {
        self.child(trial).join("curve.json")
    }

    /// Where the state of a trial under way on this machine is kept.
    pub fn checkpoint(&self, trial: TrialId) -> PathBuf {
        self.child(trial).join("checkpoint.safetensors")
    }

    /// Where the epochs of a trial under way on this machine are kept, one a line.
    pub fn epochs(&self, trial: TrialId) -> PathBuf {
        self.child(trial).join("epochs.jsonl")
    }

    /// Removes what a trial needed under way on this machine; half a checkpoint of a worker that was killed, too. Whatever
    /// cannot be removed harms nobody.
    pub fn forget_state(&self, trial: TrialId) {
        let _ = fs::remove_file(self.epochs(trial));
        let checkpoint = self.checkpoint(trial);
        let (Some(folder), Some(name)) = (checkpoint.parent(), checkpoint.file_name()) else { return };
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&*name.to_string_lossy()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The drawing of the best cell.
    pub fn drawing(&self) -> PathBuf {
        self.path.join("best.svg")
    }

    fn config_path(&self) -> PathBuf {
        self.path.join(RUN_FILE)
    }

    fn manifest_path(&self) -> PathBuf {
        self.path.join("manifest.json")
    }

    fn lock_path(&self) -> PathBuf {
        self.path.join("lock")
    }

    fn store_path(&self) -> PathBuf {
        self.path.join("trials.sqlite")
    }
}

/// The first free name `runs/WORD-NNN`.
pub fn free_name(word: &str) -> PathBuf {
    let names = (1..).map(|number: u32| Path::new("runs").join(format!("{word}-{number:03}")));
    names.into_iter().find(|path| !path.exists()).expect("some number is free")
}
