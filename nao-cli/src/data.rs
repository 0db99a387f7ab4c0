//! The words of the command line for sources of data and for devices.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Result, bail};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::args::SpaceKind;

/// A source of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// The 1,797 handwritten digits compiled into the program.
    Digits,
    /// A folder of official CIFAR-10 binary files.
    Cifar10(PathBuf),
    /// A folder of text.
    Text(PathBuf),
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

    /// The cells that are trained on it.
    pub fn kind(&self) -> SpaceKind {
        match self {
            DataSource::Digits | DataSource::Cifar10(_) => SpaceKind::Cnn,
            DataSource::Text(_) => SpaceKind::Rnn,
        }
    }
}

impl FromStr for DataSource {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "digits" => Ok(DataSource::Digits),
            // Absolute, so that a run can be resumed from any folder.
            Some(("cifar10", folder)) if !folder.is_empty() => {
                Ok(DataSource::Cifar10(std::path::absolute(folder)?))
            }
            Some(("text", folder)) if !folder.is_empty() => {
                Ok(DataSource::Text(std::path::absolute(folder)?))
            }
            _ => bail!("unknown data `{text}`: expected `digits`, `cifar10:DIR` or `text:DIR`"),
        }
    }
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataSource::Digits => f.write_str("digits"),
            DataSource::Cifar10(folder) => write!(f, "cifar10:{}", folder.display()),
            DataSource::Text(folder) => write!(f, "text:{}", folder.display()),
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

/// The device of a word such as `cpu` or `cuda:0`.
pub fn device(word: &str) -> Result<Device> {
    if word == "cpu" {
        return Ok(Device::flex());
    }
    let Some(index) = word.strip_prefix("cuda:").and_then(|index| index.parse::<usize>().ok()) else {
        bail!("unknown device `{word}`: expected `cpu` or `cuda:N`");
    };
    cuda(index)
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<Device> {
    Ok(Device::cuda(index))
}

#[cfg(not(feature = "cuda"))]
fn cuda(index: usize) -> Result<Device> {
    bail!("this nao was built without CUDA: for `cuda:{index}` build it with `--features cuda`")
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

    #[test]
    fn unknown_devices_are_refused() {
        assert!(device("cpu").is_ok());
        assert!(device("gpu").unwrap_err().to_string().contains("cuda:N"));
    }
}
