//! Every numeric operation of the networks, one module per family. The networks call nothing else, so a
//! faster kernel replaces a body here and nothing there.

mod activation;
mod dropout;
mod floats;
mod linear;
mod loss;
mod lstm;
mod normalise;
mod symbols;

pub(crate) use activation::{sigmoid, softmax, tanh};
pub(crate) use dropout::{Mode, dropout};
pub(crate) use floats::floats;
pub(crate) use linear::{Linear, project};
pub(crate) use loss::{log_softmax, mean_squared_error, negative_log_likelihood, pairwise_logistic};
pub(crate) use lstm::{Lstm, LstmState};
pub(crate) use normalise::normalise;
pub(crate) use symbols::{Symbols, one_hot};
