//! What a run or a training of this program runs on.

use nao_child::data::{DataSource, PartOrigin};
use nao_run::{DataSummary, Manifest, PartFiles, ProgramVersion};

/// The circumstances of this process.
pub fn new_manifest(device: &str, seed: u64, data: DataSummary) -> Manifest {
    let program = ProgramVersion {
        nao: env!("CARGO_PKG_VERSION").into(),
        burn: env!("NAO_BURN").into(),
        rustc: env!("NAO_RUSTC").into(),
        commit: env!("NAO_COMMIT").into(),
    };
    Manifest::new(program, device, seed, data)
}

/// Data of a source with that checksum, so many examples of each part, from these files.
pub fn data_summary(
    source: Option<&DataSource>,
    checksum: String,
    examples: Vec<(String, usize)>,
    files: &[PartOrigin],
) -> DataSummary {
    let of_part = |PartOrigin { part, files, examples }: &PartOrigin| PartFiles {
        part: part.clone(),
        files: files.clone(),
        examples: *examples,
    };
    DataSummary {
        name: source.map_or_else(String::new, ToString::to_string),
        checksum,
        examples,
        files: files.iter().map(of_part).collect(),
    }
}
