//! Where data came from.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The files of one part of the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOrigin {
    /// The part: `training`, `validation` or `test`.
    pub part: String,
    /// Its files, in the order in which they were read.
    pub files: Vec<PathBuf>,
    /// How many images or words they hold.
    pub examples: usize,
}

impl fmt::Display for PartOrigin {
    /// Such as `5 training files (data_batch_1.bin to data_batch_5.bin)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |file: &PathBuf| file.file_name().map(|name| name.to_string_lossy().into_owned());
        let names: Vec<String> = self.files.iter().filter_map(name).collect();
        match names.as_slice() {
            [] => write!(f, "no {} file", self.part),
            [only] => write!(f, "1 {} file ({only})", self.part),
            [first, .., last] => write!(f, "{} {} files ({first} to {last})", names.len(), self.part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_tells_how_many_files_it_has_and_which() {
        let told = |files: &[&str]| {
            let files = files.iter().map(|file| PathBuf::from("/data").join(file)).collect();
            PartOrigin { part: "training".into(), files, examples: 7 }.to_string()
        };
        assert_eq!(told(&["a.bin"]), "1 training file (a.bin)");
        assert_eq!(told(&["a.bin", "b.bin", "c.bin"]), "3 training files (a.bin to c.bin)");
    }
}
