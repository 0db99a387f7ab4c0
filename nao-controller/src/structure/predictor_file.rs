//! A predictor as a file: what was fitted, and how to read it.

use std::fmt;
use std::path::Path;

use nao_space::Direction;
use nao_space::file::{self, MIB};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::config::StructureConfig;
use super::cost::FitCost;
use super::predictor_error::PredictorError;
use super::state::PredictorState;

/// What the file says that it is.
pub(super) const FORMAT: &str = "nao-predictor";

/// The version of the file.
pub(super) const VERSION: u32 = 2;

/// The most that is read of one.
const LONGEST: u64 = 512 * MIB;

/// What a score is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreKind {
    /// What it is called, such as the column of a table in which it stands.
    #[serde(rename = "score")]
    pub name: String,
    /// Which scores are better.
    pub direction: Direction,
    /// Its unit, such as `percent`.
    pub unit: String,
}

/// What a cheap label is, on which predictions rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheapKind {
    /// What it is called, such as the column of a table in which it stands.
    pub column: String,
    /// Which labels are better.
    pub direction: Direction,
}

/// How the program that fitted a predictor makes its space: fields of that program in their order, none where a library
/// fitted it. They are kept as they are and mean nothing here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpaceOptions(Vec<(String, Value)>);

impl SpaceOptions {
    /// The fields of a struct or a map.
    ///
    /// # Errors
    /// When it is neither.
    pub fn of(options: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&serde_json::to_string(options)?)
    }

    /// The struct or map of these fields.
    ///
    /// # Errors
    /// When they are those of another.
    pub fn read<T: for<'a> Deserialize<'a>>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&serde_json::to_string(self)?)
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for SpaceOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for SpaceOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = SpaceOptions;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the options of a space")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SpaceOptions, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(SpaceOptions(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A predictor as it was fitted, so that it predicts at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FittedFile {
    /// Always [`FORMAT`].
    pub(super) format: String,
    /// Always [`VERSION`].
    pub(super) version: u32,
    /// The SHA-256 of the file with this field empty, without white space.
    pub(super) sha256: String,
    pub(super) options: SpaceOptions,
    /// The name of the space.
    pub(super) space: String,
    pub(super) score: ScoreKind,
    /// The cheap label on which predictions rest, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cheap: Option<CheapKind>,
    pub(super) seed: u64,
    pub(super) learned_from: usize,
    /// Those on which the posterior rests, in the notation of the space.
    pub(super) architectures: Vec<String>,
    pub(super) posterior: PredictorState,
}

/// A predictor of version 1: what it learns from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PairsFile {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u32,
    pub(super) options: SpaceOptions,
    pub(super) space: String,
    pub(super) score: ScoreKind,
    #[serde(default)]
    pub(super) cheap: Option<CheapKind>,
    pub(super) seed: u64,
    pub(super) pairs: Vec<Pair>,
}

/// An architecture with its score, in a file of version 1.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Pair {
    /// In the notation of the space.
    pub(super) architecture: String,
    pub(super) score: f64,
    /// The cheap label, in predictors that rest on one.
    #[serde(default)]
    pub(super) cheap: Option<f64>,
}

/// The fields that every version has.
#[derive(Deserialize)]
struct VersionOnly {
    format: String,
    version: u32,
}

/// A predictor that was read and is to be taken up ([`Predictor::of_file`](super::Predictor::of_file)).
#[derive(Clone, Debug)]
pub struct PredictorFile(pub(super) Content);

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// As it was fitted.
    Fitted(Box<FittedFile>),
    /// Of version 1, which holds the pairs only.
    Pairs(Box<PairsFile>),
}

impl FittedFile {
    /// The same with its checksum.
    pub(super) fn signed(mut self) -> Result<Self, PredictorError> {
        self.sha256 = self.digest()?;
        Ok(self)
    }

    fn digest(&self) -> Result<String, PredictorError> {
        let unsigned = FittedFile { sha256: String::new(), ..self.clone() };
        let digest = Sha256::digest(serde_json::to_vec(&unsigned)?);
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl PredictorFile {
    /// Reads a file of this version or an earlier one.
    ///
    /// # Errors
    /// When it cannot be read, and as [`from_json`](PredictorFile::from_json).
    pub fn read(path: &Path) -> Result<Self, PredictorError> {
        PredictorFile::from_json(&file::text(path, LONGEST)?)
    }

    /// The file of a text.
    ///
    /// # Errors
    /// When the text is no predictor, one of another version, or damaged.
    pub fn from_json(text: &str) -> Result<Self, PredictorError> {
        let VersionOnly { format, version } = serde_json::from_str(text)?;
        match (format.as_str(), version) {
            (FORMAT, 1) => Ok(PredictorFile(Content::Pairs(Box::new(serde_json::from_str(text)?)))),
            (FORMAT, VERSION) => {
                let file: FittedFile = serde_json::from_str(text)?;
                if file.digest()? != file.sha256 {
                    return Err(PredictorError::Damaged);
                }
                Ok(PredictorFile(Content::Fitted(Box::new(file))))
            }
            _ => Err(PredictorError::OtherVersion { format, version, latest: VERSION }),
        }
    }

    /// The name of the space.
    pub fn space(&self) -> &str {
        match &self.0 {
            Content::Fitted(file) => &file.space,
            Content::Pairs(file) => &file.space,
        }
    }

    /// How the program that fitted it makes the space.
    pub fn options(&self) -> &SpaceOptions {
        match &self.0 {
            Content::Fitted(file) => &file.options,
            Content::Pairs(file) => &file.options,
        }
    }

    /// The cheap label on which predictions rest, if they do.
    pub fn cheap(&self) -> Option<&CheapKind> {
        match &self.0 {
            Content::Fitted(file) => file.cheap.as_ref(),
            Content::Pairs(file) => file.cheap.as_ref(),
        }
    }

    /// What taking it up costs, where the file keeps what was learned from and not what was learned (version 1).
    pub fn refit_cost(&self) -> Option<FitCost> {
        match &self.0 {
            Content::Fitted(_) => None,
            Content::Pairs(file) => Some(FitCost::of(file.pairs.len(), &StructureConfig::thorough())),
        }
    }
}
