//! Text forms of architectures, read strictly and written canonically. Each stands with its space; here are the list, and the
//! documents that any space, or more than one, is read from.

mod any_form;
mod document;
mod json;

pub use any_form::{JsonForm, named_text, read_arch};
pub use document::CnnDocument;
pub use json::{CNN_JSON_VERSION, CnnJson, ConcatenatedStates, cnn_from_json, cnn_to_json};

pub use crate::image::{NoTfName, cnn_from_tf_dag, cnn_to_tf_dag};
pub use crate::spaces::{
    Genotype, RNN_JSON_VERSION, RnnJson, format_cnn, format_darts, format_darts_dict, format_nasbench101,
    format_nasbench201, format_rnn, looks_like_genotype, nasbench101_from_json, nasbench101_to_json,
    parse_cnn, parse_darts, parse_genotype, parse_nasbench101, parse_nasbench201, parse_rnn, rnn_from_json,
    rnn_to_json,
};
pub use crate::text::ParseError;
