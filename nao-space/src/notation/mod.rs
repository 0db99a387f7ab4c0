//! Text forms of architectures, read strictly and written canonically.

mod darts;
mod nao;
mod nasbench101;
mod nasbench201;
mod rnn;
mod rnn_json;

pub use darts::{format_darts, format_darts_dict, parse_darts};
pub(crate) use nao::format_with;
pub use nao::{format_cnn, parse_cnn};
pub use nasbench101::{format_nasbench101, nasbench101_from_json, nasbench101_to_json, parse_nasbench101};
pub use nasbench201::{format_nasbench201, parse_nasbench201};
pub use rnn::{format_rnn, parse_rnn};
pub use rnn_json::{RNN_JSON_VERSION, RnnJson, rnn_from_json, rnn_to_json};

pub use crate::image::{
    CNN_JSON_VERSION, CnnJson, NoTfName, cnn_from_json, cnn_from_tf_dag, cnn_to_json, cnn_to_tf_dag,
};
pub use crate::text::ParseError;
