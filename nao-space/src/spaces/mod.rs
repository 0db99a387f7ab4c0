//! The search spaces, one room each: what an architecture is, its language, its text and its symmetries.

mod choice;
mod cnn;
mod darts;
mod hierarchical;
mod nasbench101;
mod nasbench201;
mod rnn;

pub use choice::{ChoiceArch, ChoiceSpace, Condition, InvalidChoiceSpace, Position};
pub use cnn::{CnnSpace, Encoding, InvalidCnnSpace, UnknownEncoding, format_cnn, parse_cnn};
pub use darts::{DartsSpace, Relaxation, RelaxedEdge, format_darts, format_darts_dict, parse_darts};
pub use hierarchical::{HierarchicalArch, HierarchicalSpace, Motif, MotifId, Primitive};
pub use nasbench101::{
    InvalidNasBench101, NasBench101Arch, NasBench101Space, VertexOp, format_nasbench101,
    nasbench101_from_json, nasbench101_to_json, parse_nasbench101,
};
pub use nasbench201::{EdgeOp, NasBench201Arch, NasBench201Space, format_nasbench201, parse_nasbench201};
pub use rnn::{
    Activation, ActivationOrder, InvalidRnnArch, InvalidRnnSpace, RNN_JSON_VERSION, RnnArch, RnnJson,
    RnnNode, RnnSpace, RnnState, format_rnn, parse_rnn, rnn_from_json, rnn_to_json,
};
