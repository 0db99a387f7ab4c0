//! Where the files of a run are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use nao_space::TrialId;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::config::RunConfig;
use super::lock;
use super::manifest::Manifest;
use super::store::Store;
use crate::args::SpaceKind;
use crate::files::{read_text, write_whole};
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
        check_folder_name(path)?;
        if path.exists() {
            bail!(
                "{} exists already: choose another --out, or go on with it: nao resume {}",
                path.display(),
                path.display()
            );
        }
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
        write_whole(&folder.path.join("manifest.json"), manifest.to_json().as_bytes())?;
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

    /// The configuration with which the run was started.
    pub fn config<T: Task>(&self) -> Result<RunConfig<T>> {
        read_toml(&self.config_path())
    }

    /// The cells that the run is about.
    pub fn kind(&self) -> Result<SpaceKind> {
        kind_of_file(&self.config_path())
    }

    /// The manifest with which the run was started.
    pub fn manifest(&self) -> Result<Manifest> {
        let path = self.path.join("manifest.json");
        serde_json::from_str(&read_text(&path)?).with_context(|| format!("{} is damaged", path.display()))
    }

    /// The store, to be written by the one who holds the lock.
    pub fn store(&self) -> Result<Store> {
        Store::open(&self.store_path())
    }

    /// The store for those who only look at it; works while a coordinator writes it, and in a read-only folder.
    pub fn store_to_read(&self) -> Result<Store> {
        Store::open_to_read(&self.store_path())
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
        self.path.join("run.toml")
    }

    fn lock_path(&self) -> PathBuf {
        self.path.join("lock")
    }

    fn store_path(&self) -> PathBuf {
        self.path.join("trials.sqlite")
    }
}

/// Refuses the name of standard output, where other commands write what is one file.
pub(super) fn check_folder_name(path: &Path) -> Result<()> {
    if path == Path::new("-") {
        bail!("--out - is standard output, and this makes a folder: give its name (./- is one)");
    }
    Ok(())
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
