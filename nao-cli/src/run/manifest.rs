//! What a run ran on: versions, commit, device, data.

use std::path::Path;

use anyhow::{Context, Result, bail};
use nao_child::data::{DataKind, DataSource, PartOrigin};
use nao_run::files::read_text;
use nao_space::Objective;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cells::NamedRecipe;

/// The circumstances of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this program.
    pub nao: String,
    /// Version of the tensor engine.
    pub burn: String,
    /// Version of the compiler.
    pub rustc: String,
    /// Commit of the source, or `unknown`.
    pub commit: String,
    /// Operating system and processor family.
    pub platform: String,
    /// Processors that the program may use.
    pub processors: usize,
    /// The device of the children.
    pub device: String,
    /// Seed of the run.
    pub seed: u64,
    /// The data as the user named it.
    pub data: String,
    /// Checksum of pixels and labels, or of words.
    pub data_checksum: String,
    /// Images or words of each part of the data.
    #[serde(alias = "images")]
    pub examples: Vec<(String, usize)>,
    /// The files of each part of the data; none of data that is compiled in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PartOrigin>,
    /// What is measured; version 0.1 did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Objective>,
    /// The whole configuration as it was at the start, which that of later starts is compared with. Version 0.1 did not keep
    /// it; the first resume does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
}

impl Manifest {
    /// The circumstances of this process.
    pub fn of(
        device: &str,
        seed: u64,
        data: String,
        checksum: String,
        examples: Vec<(String, usize)>,
    ) -> Self {
        Manifest {
            nao: env!("CARGO_PKG_VERSION").into(),
            burn: env!("NAO_BURN").into(),
            rustc: env!("NAO_RUSTC").into(),
            commit: env!("NAO_COMMIT").into(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            device: device.to_owned(),
            seed,
            data,
            data_checksum: checksum,
            examples,
            files: Vec::new(),
            objective: None,
            settings: None,
        }
    }

    /// With the files of the data.
    pub fn with_files(self, files: &[PartOrigin]) -> Self {
        Manifest { files: files.to_vec(), ..self }
    }

    /// The manifest of a file.
    pub fn read(path: &Path) -> Result<Self> {
        serde_json::from_str(&read_text(path)?).with_context(|| format!("{} is damaged", path.display()))
    }

    /// The same of that configuration.
    pub fn with_settings<C: Serialize>(self, config: &C) -> Self {
        let settings = serde_json::to_value(config).expect("plain structs have a JSON form");
        Manifest { settings: Some(settings), ..self }
    }

    /// The same with what is measured.
    pub fn with_objective(self, objective: Objective) -> Self {
        Manifest { objective: Some(objective), ..self }
    }

    /// The configuration as it was at the start; `None` where it was not kept.
    pub fn settings<C: DeserializeOwned>(&self) -> Result<Option<C>> {
        let parsed = self.settings.as_ref().map(C::deserialize).transpose();
        parsed.context("its settings are damaged, or of a newer nao")
    }

    /// Refuses data that is not what it was at the start.
    pub fn check_data<R: NamedRecipe>(
        &self,
        data: &R::Data,
        source: &DataSource,
        folder: &Path,
    ) -> Result<()> {
        if self.data_checksum == data.checksum() {
            return Ok(());
        }
        bail!(
            "the {} of {source} are not those that {} was started with: put the old ones back, or name the place that they \
             moved to with --data",
            R::Data::EXAMPLES,
            folder.display()
        )
    }

    /// Whether the configuration was kept.
    pub fn has_settings(&self) -> bool {
        self.settings.is_some()
    }

    /// The value of a setting as it was at the start.
    pub fn setting(&self, section: &str, key: &str) -> Option<&Value> {
        self.settings.as_ref()?.get(section)?.get(key)
    }

    /// The manifest as indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain structs have a JSON form")
    }
}
