//! The search spaces, one file each.

mod cnn;
mod nasbench201;

pub use cnn::{CnnSpace, InvalidCnnSpace};
pub use nasbench201::{EdgeOp, NasBench201Arch, NasBench201Space};
