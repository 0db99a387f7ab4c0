//! Where the files of a run are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use nao_space::TrialId;
use nao_space::search::RoundLimits;
use serde::Deserialize;

use crate::end::End;
use crate::error::{Context, Result, bail};
use crate::files::write_whole;
use crate::lock;
use crate::manifest::{MANIFEST_FILE, Manifest};
use crate::settings::{Configuration, RUN_FILE, StoredSettings, refuse_existing};
use crate::shell::quoted;
use crate::store::Store;

/// A run folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A new run folder with these files, by name, and an empty store. It is prepared under another name and appears
    /// whole.
    ///
    /// # Errors
    /// When there is something of that name, or it cannot be written.
    pub fn create(path: &Path, files: &[(&str, &[u8])]) -> Result<Self> {
        if path.exists() {
            bail!(
                "{} exists already: choose another --out, or go on with it: nao resume {}",
                path.display(),
                quoted(path)
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
        for (name, content) in files {
            write_whole(&folder.path.join(name), content)?;
        }
        Store::create(&folder.store_path())?;
        fs::rename(building.path(), path)
            .with_context(|| format!("cannot create {}: does it exist by now?", path.display()))?;
        // The folder has its final name: there is nothing to clean up any more.
        let _ = building.keep();
        Ok(RunFolder { path: path.to_owned() })
    }

    /// A new run folder with its configuration, its manifest and what belongs to its data, and an empty store.
    ///
    /// # Errors
    /// When there is something of that name, or it cannot be written.
    pub fn create_configured<C: Configuration>(
        path: &Path,
        config: &C,
        manifest: &Manifest,
        companions: &[(&str, String)],
    ) -> Result<Self> {
        refuse_existing(path)?;
        let (config, manifest) = (config.to_toml(), manifest.to_json());
        let own = [(RUN_FILE, config.as_bytes()), (MANIFEST_FILE, manifest.as_bytes())];
        let companions = companions.iter().map(|(name, content)| (*name, content.as_bytes()));
        let files: Vec<(&str, &[u8])> = own.into_iter().chain(companions).collect();
        Self::create(path, &files)
    }

    /// An existing run folder.
    ///
    /// # Errors
    /// When there is none, or it is no run folder.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_as(path, RUN_FILE)
    }

    /// An existing folder whose search is defined in a file of that name.
    pub(crate) fn open_as(path: &Path, definition: &str) -> Result<Self> {
        let folder = RunFolder { path: path.to_owned() };
        if !path.is_dir() {
            bail!("no run folder {}", path.display());
        }
        if !path.join(definition).is_file() || !folder.store_path().is_file() {
            bail!("{} is not a run folder: it has no {definition} and trials.sqlite", path.display());
        }
        Ok(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the search is: the configuration with which it was started.
    pub fn settings(&self) -> StoredSettings {
        StoredSettings::of_run(&self.path)
    }

    /// What the run was started on.
    ///
    /// # Errors
    /// When the manifest is not there, or cannot be read.
    pub fn manifest(&self) -> Result<Manifest> {
        Manifest::read(&self.settings().manifest_path())
    }

    /// The budget of the run, in trials.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub fn budget(&self) -> Result<u64> {
        #[derive(Deserialize)]
        struct Rounds {
            rounds: RoundLimits,
        }
        Ok(self.settings().read::<Rounds>()?.rounds.budget)
    }

    /// Why the run has ended; `None` where it can go on.
    ///
    /// # Errors
    /// When configuration or store cannot be read.
    pub fn end(&self) -> Result<Option<End>> {
        End::of(&self.store_to_read()?, self.budget()?)
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
    pub fn lock_owner(&self) -> Result<Option<String>> {
        lock::lock_owner(&self.lock_path())
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
