//! Initial weights of parameters, drawn from a passed generator.

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use nao_kernels::nn;
use rand_chacha::ChaCha8Rng;

pub(crate) use nao_kernels::nn::standard_normal;

/// Uniform in -bound..bound.
pub(crate) fn uniform<const D: usize>(
    shape: [usize; D],
    bound: f64,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_tensor(nn::uniform_double(shape, bound, rng, device))
}

/// Normal with mean 0 and standard deviation 1.
pub(crate) fn normal<const D: usize>(
    shape: [usize; D],
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_tensor(nn::normal(shape, rng, device))
}
