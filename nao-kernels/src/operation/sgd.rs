//! A step of stochastic gradient descent.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::extension::Operations;
use crate::switch::takes;

pub use crate::cpu::sgd::SgdStep;

/// The new weight and momentum buffer of one parameter, all four of one shape; without a buffer, the first step. No
/// gradient flows: give plain tensors.
pub fn sgd_step<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    buffer: Option<Tensor<D>>,
    step: SgdStep,
) -> (Tensor<D>, Tensor<D>) {
    if takes(&weight) && takes(&gradient) && buffer.as_ref().is_none_or(takes) {
        let first = buffer.is_none();
        let gradient = gradient.into_dispatch();
        let buffer = buffer.map_or_else(|| gradient.clone(), Tensor::into_dispatch);
        let (weight, buffer) = Dispatch::nao_sgd_step(weight.into_dispatch(), gradient, buffer, step, first);
        return (Tensor::from_dispatch(weight), Tensor::from_dispatch(buffer));
    }
    let SgdStep { momentum, nesterov, decay, scale, rate } = step;
    let mut g = if scale == 1.0 { gradient } else { gradient * scale };
    if decay != 0.0 {
        g = g + weight.clone() * decay;
    }
    let buffer = match buffer {
        Some(buffer) => buffer * momentum + g.clone(),
        None => g.clone(),
    };
    let direction = if nesterov { g + buffer.clone() * momentum } else { buffer.clone() };
    (weight - direction * rate, buffer)
}

/// The sum of the squares of all values, `[1]`. No gradient flows: give a plain tensor.
pub fn sum_of_squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    match takes(&x) {
        true => Tensor::from_dispatch(Dispatch::nao_sum_of_squares(x.into_dispatch())),
        false => x.square().sum(),
    }
}
