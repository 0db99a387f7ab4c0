//! What a run ran on: versions, commit, device, data.

use std::path::{Path, PathBuf};

use nao_space::Objective;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Context, Result, bail};
use crate::files::read_text;

/// The file of a manifest in its folder.
pub const MANIFEST_FILE: &str = "manifest.json";

/// What the program was built from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramVersion {
    /// Its version.
    pub nao: String,
    /// Version of the tensor engine.
    pub burn: String,
    /// Version of the compiler.
    pub rustc: String,
    /// Commit of the source, or `unknown`.
    pub commit: String,
}

/// The data of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataSummary {
    /// The data as the user named it.
    pub name: String,
    /// What identifies its content.
    pub checksum: String,
    /// Examples, such as images or words, of each part of the data.
    pub examples: Vec<(String, usize)>,
    /// The files of each part; none of data that is compiled in.
    pub files: Vec<PartFiles>,
}

/// The files of one part of the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartFiles {
    /// The part: `training`, `validation` or `test`.
    pub part: String,
    /// Its files, in the order in which they were read.
    pub files: Vec<PathBuf>,
    /// How many examples they hold.
    pub examples: usize,
}

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
    /// What identifies the content of the data.
    pub data_checksum: String,
    /// Examples, such as images or words, of each part of the data.
    #[serde(alias = "images")]
    pub examples: Vec<(String, usize)>,
    /// The files of each part of the data; none of data that is compiled in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PartFiles>,
    /// What is measured; version 0.1 did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Objective>,
    /// The whole configuration as it was at the start, which that of later starts is compared with. Version 0.1 did not keep
    /// it; the first resume does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
}

impl Manifest {
    /// The circumstances of this process: of a program, its device, a seed and data.
    pub fn new(program: ProgramVersion, device: &str, seed: u64, data: DataSummary) -> Self {
        let ProgramVersion { nao, burn, rustc, commit } = program;
        let DataSummary { name, checksum, examples, files } = data;
        Manifest {
            nao,
            burn,
            rustc,
            commit,
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            device: device.to_owned(),
            seed,
            data: name,
            data_checksum: checksum,
            examples,
            files,
            objective: None,
            settings: None,
        }
    }

    /// The manifest of a file.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self> {
        serde_json::from_str(&read_text(path)?).with_context(|| format!("{} is damaged", path.display()))
    }

    /// The same with that configuration, as it is at the start.
    pub fn with_settings<C: Serialize>(self, config: &C) -> Self {
        let settings = serde_json::to_value(config).expect("plain structs have a JSON form");
        Manifest { settings: Some(settings), ..self }
    }

    /// The same with what is measured.
    pub fn with_objective(self, objective: Objective) -> Self {
        Manifest { objective: Some(objective), ..self }
    }

    /// The configuration as it was at the start; `None` where it was not kept.
    ///
    /// # Errors
    /// When it is no such configuration.
    pub fn settings<C: DeserializeOwned>(&self) -> Result<Option<C>> {
        let parsed = self.settings.as_ref().map(C::deserialize).transpose();
        parsed.context("its settings are damaged, or of a newer nao")
    }

    /// Refuses data that is not what it was at the start of the run in `folder`. `source` is where it was read now,
    /// `examples` what it is counted in.
    ///
    /// # Errors
    /// When its checksum is another.
    pub fn check_data(&self, checksum: &str, examples: &str, source: &str, folder: &Path) -> Result<()> {
        if self.data_checksum == checksum {
            return Ok(());
        }
        bail!(
            "the {examples} of {source} are not those that {} was started with: put the old ones back, or name the place that \
             they moved to with --data",
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
