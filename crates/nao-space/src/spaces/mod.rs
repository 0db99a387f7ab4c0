//! The search spaces, one room each.

mod cnn;
mod rnn;

pub use cnn::{CnnSpace, Encoding, InvalidCnnSpace, UnknownEncoding};
pub use rnn::{ActivationOrder, InvalidRnnSpace, RnnSpace};
