//! What a run ran on: versions, commit, device, data.

use nao_child::data::PartOrigin;
use serde::{Deserialize, Serialize};

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
        }
    }

    /// With the files of the data.
    pub fn with_files(self, files: &[PartOrigin]) -> Self {
        Manifest { files: files.to_vec(), ..self }
    }

    /// The manifest as indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain structs have a JSON form")
    }
}
