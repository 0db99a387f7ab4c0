//! The fully connected layer.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use nao_kernels::nn::{kaiming_normal, uniform_bias};

/// A matrix and, where asked for, a bias.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[output, input]`, as in PyTorch.
    pub weight: Param<Tensor<2>>,
    /// `[output]`.
    pub bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    /// Kaiming normal weights and a uniform bias (docs/specification.md, e.1).
    pub fn new(input: usize, output: usize, bias: bool, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let weight = Param::from_tensor(kaiming_normal([output, input], rng, device));
        let bias = bias.then(|| Param::from_tensor(uniform_bias(output, input, rng, device)));
        Linear { weight, bias }
    }

    /// `x`: `[batch, input]`. Returns `[batch, output]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let product = x.matmul(self.weight.val().transpose());
        match &self.bias {
            Some(bias) => product + bias.val().unsqueeze(),
            None => product,
        }
    }
}
