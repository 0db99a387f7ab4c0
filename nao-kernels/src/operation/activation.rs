//! Functions of single values, and softmax.

use burn::backend::Dispatch;
use burn::tensor::{Tensor, activation};

use crate::cpu::activation::Activation;
use crate::cpu::softmax::Softmax;
use crate::extension::Operations;
use crate::switch::takes;

/// The hyperbolic tangent.
pub fn tanh<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match takes(&x) {
        true => Tensor::from_dispatch(Dispatch::nao_activation(x.into_dispatch(), Activation::Tanh)),
        false => activation::tanh(x),
    }
}

/// `1 / (1 + exp(-x))`.
pub fn sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match takes(&x) {
        true => Tensor::from_dispatch(Dispatch::nao_activation(x.into_dispatch(), Activation::Sigmoid)),
        false => activation::sigmoid(x),
    }
}

/// Probabilities over the last dimension.
pub fn softmax<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match takes(&x) {
        true => Tensor::from_dispatch(Dispatch::nao_softmax(x.into_dispatch(), Softmax::Plain)),
        false => activation::softmax(x, D - 1),
    }
}

/// Logarithms of probabilities over the last dimension.
pub fn log_softmax<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match takes(&x) {
        true => Tensor::from_dispatch(Dispatch::nao_softmax(x.into_dispatch(), Softmax::Log)),
        false => activation::log_softmax(x, D - 1),
    }
}
