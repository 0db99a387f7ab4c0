//! The search spaces, one room each.

mod choice;
mod cnn;
mod darts;
mod hierarchical;
mod nasbench101;
mod nasbench201;
mod relaxation;
mod rnn;

pub use choice::{ChoiceArch, ChoiceSpace, Condition, InvalidChoiceSpace, Position};
pub use cnn::{CnnSpace, Encoding, InvalidCnnSpace, UnknownEncoding};
pub use darts::DartsSpace;
pub use hierarchical::{HierarchicalArch, HierarchicalSpace, Motif, MotifId, Primitive};
pub use nasbench101::{InvalidNasBench101, NasBench101Arch, NasBench101Space, VertexOp};
pub use nasbench201::{EdgeOp, NasBench201Arch, NasBench201Space};
pub use relaxation::{Relaxation, RelaxedEdge};
pub use rnn::{ActivationOrder, InvalidRnnSpace, RnnSpace};
