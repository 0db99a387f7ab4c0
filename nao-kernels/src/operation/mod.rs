//! The operations on tensors: our kernels where they are, burn's own elsewhere.

mod activation;
mod conv;
mod cross_entropy;
mod lstm;
mod norm;
mod pool;
mod recurrent;
mod sgd;
mod sum;

pub use activation::{log_softmax, sigmoid, softmax, tanh};
pub use conv::{conv2d, factorized_reduce, relu_conv2d, relu_factorized_reduce};
pub use cross_entropy::cross_entropy;
pub use lstm::{LstmInput, LstmWeights, RowNumbers, lstm, lstm_with_last};
pub use norm::{BatchNormed, batch_norm, scale_and_shift};
pub use pool::{Pooling, max_pool2d, mean_pool2d, min_pool2d};
pub use recurrent::{
    NodeFunction, RecurrentGraph, RecurrentMasks, RecurrentNode, RecurrentWeights, recurrent,
};
pub use sgd::{SgdStep, sgd_step, sum_of_squares};
pub use sum::branch_sum;
