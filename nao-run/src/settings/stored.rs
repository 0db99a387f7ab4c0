//! The settings that a folder keeps, twice: in a file that people read and edit, and as they were at the start in the
//! manifest beside it.

use std::path::{Path, PathBuf};

use nao_space::Objective;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::difference::{Difference, differences, refuse_changed};
use super::file::{RUN_FILE, TRAINING_FILE, in_json, read_toml};
use crate::error::{Context, Result};
use crate::files::write_whole;
use crate::manifest::{MANIFEST_FILE, Manifest};

/// A configuration that defines a result.
pub trait Configuration: Serialize + DeserializeOwned {
    /// The settings that may change between two starts, sections with all that is in them: how far it goes, how it is
    /// carried out, where its data lies. Whether the data is the same tells its checksum.
    const FREE: &'static [&'static str];

    /// What is measured, where that is to stay as well.
    fn objective() -> Option<Objective> {
        None
    }

    /// The configuration as TOML, as in its file.
    fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain structs have a TOML form")
    }

    /// Where `other` differs in what defines the result.
    fn differences(&self, other: &Self) -> Vec<Difference> {
        differences(self, other, Self::FREE)
    }
}

/// The settings that a folder keeps.
#[derive(Clone, Debug)]
pub struct StoredSettings {
    folder: PathBuf,
    file: &'static str,
}

impl StoredSettings {
    /// Those of a run folder.
    pub fn of_run(folder: &Path) -> Self {
        StoredSettings { folder: folder.to_owned(), file: RUN_FILE }
    }

    /// Those of the folder of a training.
    pub fn of_training(folder: &Path) -> Self {
        StoredSettings { folder: folder.to_owned(), file: TRAINING_FILE }
    }

    /// The file of the settings.
    pub fn path(&self) -> PathBuf {
        self.folder.join(self.file)
    }

    /// The file of the manifest.
    pub fn manifest_path(&self) -> PathBuf {
        self.folder.join(MANIFEST_FILE)
    }

    /// The settings as the file has them now, whatever they were.
    ///
    /// # Errors
    /// When they cannot be read: names the line.
    pub fn read<C: DeserializeOwned>(&self) -> Result<C> {
        read_toml(&self.path())
    }

    /// The settings, which have to be what they were at the start.
    ///
    /// # Errors
    /// When they cannot be read, or were edited in what defines the result: names each with both values.
    pub fn unchanged<C: Configuration>(&self) -> Result<C> {
        let config = self.read()?;
        refuse_changed(&self.changes(&config)?, self.folder.display(), self.file)?;
        Ok(config)
    }

    /// Where a configuration is not that of the start, as far as that was kept.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn changes<C: Configuration>(&self, config: &C) -> Result<Vec<Difference>> {
        let Some(manifest) = self.manifest()? else { return Ok(Vec::new()) };
        let settings = manifest.settings::<C>();
        let settings = settings.with_context(|| self.manifest_path().display().to_string())?;
        let mut changes = settings.map_or_else(Vec::new, |settings| settings.differences(config));
        if let (Some(stored), Some(now)) = (manifest.objective, C::objective()) {
            changes.extend(Difference::of("objective", in_json(&stored), in_json(&now)));
        }
        Ok(changes)
    }

    /// Refuses one value of the settings that is not what it was at the start, where that was kept.
    ///
    /// # Errors
    /// When it is another, or the manifest cannot be read.
    pub fn refuse_changed_value<V: Serialize>(&self, section: &str, key: &str, value: &V) -> Result<()> {
        let stored = self.manifest()?.and_then(|manifest| manifest.setting(section, key).map(in_json));
        let field = format!("{section}.{key}");
        let change = stored.and_then(|stored| Difference::of(&field, stored, in_json(value)));
        refuse_changed(change.as_slice(), self.folder.display(), self.file)
    }

    /// Keeps settings for later starts.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep<C: Configuration>(&self, config: &C) -> Result<()> {
        write_whole(&self.path(), config.to_toml().as_bytes())
    }

    /// The manifest. `None` in the folder of a training of an early version, which had none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn manifest(&self) -> Result<Option<Manifest>> {
        let path = self.manifest_path();
        if self.file == TRAINING_FILE && !path.is_file() {
            return Ok(None);
        }
        Manifest::read(&path).map(Some)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_manifest(&self, manifest: &Manifest) -> Result<()> {
        write_whole(&self.manifest_path(), manifest.to_json().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::manifest::{DataSummary, ProgramVersion};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Small {
        seed: u64,
        data: String,
    }

    impl Configuration for Small {
        const FREE: &'static [&'static str] = &["data"];

        fn objective() -> Option<Objective> {
            Some(Objective::validation_accuracy())
        }
    }

    #[test]
    fn settings_that_were_edited_are_refused_by_name_and_free_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let stored = StoredSettings::of_run(folder.path());
        let small = |seed, data: &str| Small { seed, data: data.into() };
        let started = Manifest::new(ProgramVersion::default(), "cpu", 1, DataSummary::default());
        stored.keep(&small(1, "here")).unwrap();
        assert!(stored.unchanged::<Small>().is_err(), "a run has a manifest");
        stored.keep_manifest(&started.clone().with_settings(&small(1, "here"))).unwrap();
        stored.keep(&small(1, "there")).unwrap();
        assert_eq!(stored.unchanged::<Small>().unwrap(), small(1, "there"));
        stored.keep(&small(2, "there")).unwrap();
        let error = stored.unchanged::<Small>().unwrap_err().to_string();
        assert!(error.contains("seed: 1 in the run, 2 in run.toml"), "{error}");
        assert_eq!(stored.read::<Small>().unwrap(), small(2, "there"));
        // Settings that were not kept cannot differ; what is measured can.
        let other = Objective { name: "loss".into(), ..Objective::validation_accuracy() };
        stored.keep_manifest(&started.with_objective(other)).unwrap();
        let changes = stored.changes(&small(3, "")).unwrap();
        assert_eq!(changes.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(), ["objective"]);
        // Trainings of early versions have no manifest.
        let training = tempfile::tempdir().unwrap();
        let training = StoredSettings::of_training(training.path());
        training.keep(&small(4, "")).unwrap();
        assert_eq!(training.unchanged::<Small>().unwrap(), small(4, ""));
    }
}
