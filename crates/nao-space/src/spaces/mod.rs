//! The search spaces, one room each.

mod cnn;

pub use cnn::{CnnSpace, Encoding, InvalidCnnSpace, UnknownEncoding};
