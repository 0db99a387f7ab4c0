//! The search spaces, one file each.

mod cnn;

pub use cnn::{CnnSpace, InvalidCnnSpace};
