//! Text forms of architectures, read strictly and written canonically.

mod any_form;
mod cursor;
mod darts;
mod document;
mod genotype;
mod json;
mod nao;
mod nasbench101;
mod nasbench101_python;
mod nasbench201;
mod rnn;
mod rnn_json;
mod tf_dag;
mod words;

pub use any_form::{JsonForm, named_text, read_arch};
pub(crate) use cursor::{Cursor, shown};
pub(crate) use darts::DARTS_OPS;
pub use darts::{format_darts, format_darts_dict, parse_darts};
pub use document::CnnDocument;
pub use genotype::{Genotype, looks_like_genotype, parse_genotype};
pub use json::{CNN_JSON_VERSION, CnnJson, ConcatenatedStates, cnn_from_json, cnn_to_json};
pub(crate) use nao::format_with;
pub use nao::{format_cnn, parse_cnn};
pub use nasbench101::{format_nasbench101, nasbench101_from_json, nasbench101_to_json, parse_nasbench101};
pub use nasbench201::{format_nasbench201, parse_nasbench201};
pub use rnn::{format_rnn, parse_rnn};
pub use rnn_json::{RNN_JSON_VERSION, RnnJson, rnn_from_json, rnn_to_json};
pub use tf_dag::{NoTfName, cnn_from_tf_dag, cnn_to_tf_dag};

/// Why a text is no architecture. Each message names the place, what stood there and what was allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Something else than the notation allows at that place.
    #[error("{place}: found {found}, expected {expected}")]
    Unexpected {
        /// Where in the text, and in which part of the architecture.
        place: String,
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: String,
    },
    /// Something that is not a whole number.
    #[error("position {position}: `{found}` is not a whole number; expected {allowed}")]
    NotANumber {
        /// The word's position, counted from 0.
        position: usize,
        /// The word.
        found: String,
        /// What was allowed there.
        allowed: String,
    },
    /// A number that is not allowed at its place.
    #[error("position {position}: {found} is not allowed; expected {allowed}")]
    NotAllowed {
        /// The number's position, counted from 0.
        position: usize,
        /// The number.
        found: u64,
        /// What was allowed there.
        allowed: String,
    },
    /// Too few or too many numbers.
    #[error("expected {expected} numbers ({shape}), found {found}")]
    Count {
        /// How many make an architecture of the space.
        expected: usize,
        /// How many there are.
        found: usize,
        /// How that number comes about.
        shape: String,
    },
    /// JSON that is not of the documented form.
    #[error("not an architecture in JSON: {message}")]
    Json {
        /// What the JSON reader says, with line and column.
        message: String,
    },
    /// A well-formed architecture that belongs to another space.
    #[error("the architecture does not belong to the space: {message}")]
    OtherSpace {
        /// What does not fit, and what would.
        message: String,
    },
}
