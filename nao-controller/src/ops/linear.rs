//! Linear layers in PyTorch's layout.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use crate::init;

/// `x W^T + b`. The weight keeps PyTorch's layout `[out, in]`, so that weights move between the two as they
/// are.
#[derive(Module, Debug)]
pub(crate) struct Linear {
    /// `[out, in]`.
    pub(crate) weight: Param<Tensor<2>>,
    /// `[out]`.
    pub(crate) bias: Param<Tensor<1>>,
}

impl Linear {
    /// PyTorch's initial weights: Kaiming-uniform with a = sqrt 5, which is U(-1/sqrt in, 1/sqrt in), for both.
    pub(crate) fn new(inputs: usize, outputs: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let bound = 1.0 / (inputs as f64).sqrt();
        Linear {
            weight: init::uniform([outputs, inputs], bound, rng, device),
            bias: init::uniform([outputs], bound, rng, device),
        }
    }

    /// Weights U(-bound, bound) and no bias to start with.
    pub(crate) fn within(
        inputs: usize,
        outputs: usize,
        bound: f64,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        Linear {
            weight: init::uniform([outputs, inputs], bound, rng, device),
            bias: Param::from_tensor(Tensor::zeros([outputs], device)),
        }
    }

    /// `[rows, in]` to `[rows, out]`.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        project(x, &self.weight) + self.bias.val().unsqueeze()
    }
}

/// `x W^T` without bias: `[rows, in]` to `[rows, out]`, weight `[out, in]`.
pub(crate) fn project(x: Tensor<2>, weight: &Param<Tensor<2>>) -> Tensor<2> {
    x.matmul(weight.val().transpose())
}
