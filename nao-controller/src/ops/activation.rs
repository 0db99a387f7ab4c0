//! Activations.

pub(crate) use nao_kernels::{sigmoid, softmax, tanh};
