//! The search spaces, one file each.

mod cnn;
mod nasbench101;
mod nasbench201;

pub use cnn::{CnnSpace, InvalidCnnSpace};
pub use nasbench101::{InvalidNasBench101, NasBench101Arch, NasBench101Space, VertexOp};
pub use nasbench201::{EdgeOp, NasBench201Arch, NasBench201Space};
