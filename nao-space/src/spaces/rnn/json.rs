//! The JSON form of recurrent cells, versioned: names instead of numbers, for other programs.
//!
//! ```json
//! {
//!   "format": "nao-rnn",
//!   "version": 1,
//!   "nodes": [ {"input": 0, "activation": "relu"}, {"input": 1, "activation": "tanh"}, … ]
//! }
//! ```
//! Input 0 is the fixed first node, searched node k makes state k + 1. Unknown keys are errors.

use serde::{Deserialize, Serialize};

use super::arch::{RnnArch, RnnNode};
use crate::excerpt::excerpt;
use crate::text::ParseError;

/// The version that is written, and the only one that is read.
pub const RNN_JSON_VERSION: u32 = 1;

/// The JSON document of a recurrent cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RnnJson {
    /// Always `nao-rnn`.
    pub format: String,
    /// See [`RNN_JSON_VERSION`].
    pub version: u32,
    /// The searched nodes.
    pub nodes: Vec<RnnNode>,
}

impl From<&RnnArch> for RnnJson {
    fn from(arch: &RnnArch) -> Self {
        RnnJson { format: "nao-rnn".into(), version: RNN_JSON_VERSION, nodes: arch.nodes().to_vec() }
    }
}

impl TryFrom<RnnJson> for RnnArch {
    type Error = ParseError;

    fn try_from(json: RnnJson) -> Result<Self, ParseError> {
        let wrong = |message: String| ParseError::Json { message };
        if json.format != "nao-rnn" {
            return Err(wrong(format!("format is `{}`, expected `nao-rnn`", excerpt(&json.format))));
        }
        if json.version != RNN_JSON_VERSION {
            return Err(wrong(format!(
                "version is {}, this program reads version {RNN_JSON_VERSION}",
                json.version
            )));
        }
        RnnArch::new(json.nodes).map_err(|error| wrong(error.to_string()))
    }
}

impl Serialize for RnnArch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RnnJson::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RnnArch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RnnJson::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

/// A recurrent cell as a JSON document, indented.
pub fn rnn_to_json(arch: &RnnArch) -> String {
    serde_json::to_string_pretty(&RnnJson::from(arch)).expect("names and numbers have a JSON form")
}

/// Reads the JSON form.
///
/// # Errors
/// On anything but the documented form, with line and column, and on cells that read forward.
pub fn rnn_from_json(text: &str) -> Result<RnnArch, ParseError> {
    let json: RnnJson = serde_json::from_str(text).map_err(|error| ParseError::json(&error))?;
    json.try_into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::language::Space;
    use crate::seed::rng_for;
    use crate::spaces::RnnSpace;

    fn arch(seed: u64) -> RnnArch {
        RnnSpace::default().sample(&mut rng_for(seed, "json", 0))
    }

    #[test]
    fn malformed_json_is_refused_with_the_reason() {
        let good = rnn_to_json(&arch(1));
        let cases = [
            (good.replacen("\"version\": 1", "\"version\": 2", 1), "version is 2"),
            (good.replacen("nao-rnn", "nao-cnn", 1), "format is `nao-cnn`"),
            (good.replacen("\"input\": 0", "\"input\": 9", 1), "node 0 reads state 9"),
            (good.replacen("\"activation\": \"", "\"activation\": \"x", 1), "unknown variant `x"),
            (good.replacen("\"nodes\"", "\"cells\"", 1), "unknown field `cells`"),
            (good[..good.len() / 2].to_owned(), "EOF"),
        ];
        for (text, message) in cases {
            let error = rnn_from_json(&text).unwrap_err().to_string();
            assert!(error.contains(message), "{error:?} should contain {message:?}");
        }
    }

    proptest! {
        #[test]
        fn json_reads_back_and_no_change_of_it_panics(seed in any::<u64>(), from in 0usize..400, piece in "[a-z0-9\"\\[\\]{}:, é]{0,9}") {
            let arch = arch(seed);
            let text = rnn_to_json(&arch);
            prop_assert_eq!(rnn_from_json(&text), Ok(arch));
            let mut changed: Vec<char> = text.chars().collect();
            let from = from.min(changed.len());
            changed.splice(from..(from + 5).min(changed.len()), piece.chars());
            if let Err(error) = rnn_from_json(&changed.into_iter().collect::<String>()) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
