//! Text forms of architectures, read strictly and written canonically. Each stands with its space; this is the list.

pub use crate::image::{
    CNN_JSON_VERSION, CnnJson, NoTfName, cnn_from_json, cnn_from_tf_dag, cnn_to_json, cnn_to_tf_dag,
};
pub use crate::spaces::{
    RNN_JSON_VERSION, RnnJson, format_cnn, format_darts, format_darts_dict, format_nasbench101,
    format_nasbench201, format_rnn, nasbench101_from_json, nasbench101_to_json, parse_cnn, parse_darts,
    parse_nasbench101, parse_nasbench201, parse_rnn, rnn_from_json, rnn_to_json,
};
pub use crate::text::ParseError;
