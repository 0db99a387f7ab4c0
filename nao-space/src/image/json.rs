//! The JSON form of image architectures, versioned: names instead of numbers, for other programs.
//!
//! ```json
//! {
//!   "format": "nao-cnn",
//!   "version": 1,
//!   "normal": [ [ {"input": 0, "op": "conv_3x3"}, {"input": 1, "op": "identity"} ], … ],
//!   "reduction": [ … ],
//!   "loose_ends": { "normal": [2, 4], "reduction": [3] }
//! }
//! ```
//! One array per cell, one pair of branches per node. Inputs 0 and 1 are the outputs of the two previous
//! cells (older, newer), node k makes state k + 2. `loose_ends` is written for readers that build the graph
//! and may be left out; when present it must be right. Unknown keys are errors.

use serde::{Deserialize, Serialize};

use super::arch::CnnArch;
use super::cell::{Cell, Node, State};
use crate::excerpt::excerpt;
use crate::text::ParseError;

/// The version that is written, and the only one that is read.
pub const CNN_JSON_VERSION: u32 = 1;

/// The JSON document of an image architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CnnJson {
    /// Always `nao-cnn`.
    pub format: String,
    /// See [`CNN_JSON_VERSION`].
    pub version: u32,
    /// The nodes of the normal cell.
    pub normal: Vec<Node>,
    /// The nodes of the reduction cell.
    pub reduction: Vec<Node>,
    /// The states whose concatenation is the output of a cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loose_ends: Option<LooseEnds>,
}

/// The loose ends of both cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LooseEnds {
    /// Of the normal cell.
    pub normal: Vec<State>,
    /// Of the reduction cell.
    pub reduction: Vec<State>,
}

impl From<&CnnArch> for CnnJson {
    fn from(arch: &CnnArch) -> Self {
        CnnJson {
            format: "nao-cnn".into(),
            version: CNN_JSON_VERSION,
            normal: arch.normal.nodes().to_vec(),
            reduction: arch.reduction.nodes().to_vec(),
            loose_ends: Some(LooseEnds {
                normal: arch.normal.loose_ends(),
                reduction: arch.reduction.loose_ends(),
            }),
        }
    }
}

impl TryFrom<CnnJson> for CnnArch {
    type Error = ParseError;

    fn try_from(json: CnnJson) -> Result<Self, ParseError> {
        let wrong = |message: String| Err(ParseError::Json { message });
        if json.format != "nao-cnn" {
            return wrong(format!("format is `{}`, expected `nao-cnn`", excerpt(&json.format)));
        }
        if json.version != CNN_JSON_VERSION {
            return wrong(format!(
                "version is {}, this program reads version {CNN_JSON_VERSION}",
                json.version
            ));
        }
        let cell = |role: &str, nodes| {
            Cell::new(nodes).map_err(|error| ParseError::Json { message: format!("{role} cell: {error}") })
        };
        let arch =
            CnnArch { normal: cell("normal", json.normal)?, reduction: cell("reduction", json.reduction)? };
        if let Some(given) = json.loose_ends {
            let right =
                LooseEnds { normal: arch.normal.loose_ends(), reduction: arch.reduction.loose_ends() };
            if given != right {
                return wrong(format!("loose_ends are {given:?}, the nodes make them {right:?}"));
            }
        }
        Ok(arch)
    }
}

impl Serialize for CnnArch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CnnJson::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CnnArch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CnnJson::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

/// An architecture as a JSON document, indented.
pub fn cnn_to_json(arch: &CnnArch) -> String {
    serde_json::to_string_pretty(&CnnJson::from(arch)).expect("names and numbers have a JSON form")
}

/// Reads the JSON form.
///
/// # Errors
/// On anything but the documented form, with line and column, and on cells that read forward.
pub fn cnn_from_json(text: &str) -> Result<CnnArch, ParseError> {
    let json: CnnJson = serde_json::from_str(text).map_err(|error| ParseError::json(&error))?;
    json.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Space;
    use crate::seed::rng_for;
    use crate::spaces::CnnSpace;

    fn arch() -> CnnArch {
        CnnSpace::default().sample(&mut rng_for(1, "json", 0))
    }

    #[test]
    fn json_reads_back() {
        assert_eq!(cnn_from_json(&cnn_to_json(&arch())).unwrap(), arch());
    }

    #[test]
    fn malformed_json_is_refused_with_the_reason() {
        let good = cnn_to_json(&arch());
        let cases = [
            (good.replacen("\"version\": 1", "\"version\": 2", 1), "version is 2"),
            (good.replacen("nao-cnn", "darts", 1), "format is `darts`"),
            (good.replacen("\"input\": ", "\"input\": 9", 1), "normal cell: node 0 reads state 9"),
            (good.replacen("\"op\": \"", "\"op\": \"x", 1), "unknown operation `x"),
            (good.replacen("\"normal\"", "\"norm\"", 1), "unknown field `norm`"),
            (good[..good.len() / 2].to_owned(), "EOF"),
        ];
        for (text, message) in cases {
            let error = cnn_from_json(&text).unwrap_err().to_string();
            assert!(error.contains(message), "{error:?} should contain {message:?}");
        }
    }

    #[test]
    fn wrong_loose_ends_are_refused() {
        let mut json = CnnJson::from(&arch());
        json.loose_ends.as_mut().unwrap().normal.push(State(0));
        assert!(CnnArch::try_from(json).unwrap_err().to_string().contains("loose_ends"));
    }
}
