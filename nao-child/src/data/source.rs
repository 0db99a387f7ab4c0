//! Where data comes from, in one word such as `cifar10:DIR`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A source of data.
///
/// ```
/// use nao_child::data::DataSource;
///
/// let source: DataSource = "digits".parse()?;
/// assert_eq!((source.word(), source.place()), ("digits", None));
/// assert!("mnist".parse::<DataSource>().is_err());
/// # Ok::<(), nao_child::data::SourceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// The 1,797 handwritten digits compiled into the program.
    Digits,
    /// A folder of official CIFAR-10 binary files.
    Cifar10(PathBuf),
    /// A folder of text.
    Text(PathBuf),
}

/// Why a word is no source of data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A word that names none.
    #[error("unknown data `{word}`: expected `digits`, `cifar10:DIR` or `text:DIR`")]
    Unknown {
        /// The word.
        word: String,
    },
    /// The folder cannot be made absolute, as where the current folder is gone.
    #[error("{}: not a folder that can be found later ({source}); give its whole path", .folder.display())]
    Relative {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl DataSource {
    /// A word for folder names.
    pub fn word(&self) -> &'static str {
        match self {
            DataSource::Digits => "digits",
            DataSource::Cifar10(_) => "cifar10",
            DataSource::Text(_) => "text",
        }
    }

    /// The folder of its files, where it has some.
    pub fn place(&self) -> Option<&Path> {
        match self {
            DataSource::Digits => None,
            DataSource::Cifar10(folder) | DataSource::Text(folder) => Some(folder),
        }
    }

    /// Whether it is text; otherwise it is images.
    pub fn is_text(&self) -> bool {
        matches!(self, DataSource::Text(_))
    }
}

impl FromStr for DataSource {
    type Err = SourceError;

    /// Folders become absolute, so that a run can be resumed from any folder.
    fn from_str(word: &str) -> Result<Self, SourceError> {
        let place = |folder: &str| {
            let folder = PathBuf::from(folder);
            std::path::absolute(&folder).map_err(|source| SourceError::Relative { folder, source })
        };
        match word.split_once(':') {
            None if word == "digits" => Ok(DataSource::Digits),
            Some(("cifar10", folder)) if !folder.is_empty() => Ok(DataSource::Cifar10(place(folder)?)),
            Some(("text", folder)) if !folder.is_empty() => Ok(DataSource::Text(place(folder)?)),
            _ => Err(SourceError::Unknown { word: word.to_owned() }),
        }
    }
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place() {
            None => f.write_str(self.word()),
            Some(folder) => write!(f, "{}:{}", self.word(), folder.display()),
        }
    }
}

impl Serialize for DataSource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DataSource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_read_back_and_unknown_ones_are_refused() {
        for word in ["digits", "cifar10:/some/folder", "text:/some/folder"] {
            assert_eq!(word.parse::<DataSource>().unwrap().to_string(), word);
        }
        for word in ["cifar10", "cifar10:", "text:", "mnist", "digits:x", ""] {
            let error = word.parse::<DataSource>().unwrap_err().to_string();
            assert!(error.contains("cifar10:DIR"), "{error}");
        }
    }
}
