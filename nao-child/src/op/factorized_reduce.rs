//! Factorized reduction: half the resolution without losing every second row and column (docs/specification.md, a.3).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use nao_kernels::{factorized_reduce, relu_factorized_reduce};
use rand_chacha::ChaCha8Rng;

use nao_kernels::nn::kaiming_normal;

/// Two 1x1 convolutions of stride 2, one on the even rows and columns, one on the odd ones, concatenated.
/// No ReLU and no norm inside.
#[derive(Module, Debug)]
pub struct FactorizedReduce {
    /// `[output / 2, input, 1, 1]`, reads positions (0, 0), (0, 2), ….
    pub path1: Param<Tensor<4>>,
    /// `[output / 2, input, 1, 1]`, reads positions (1, 1), (1, 3), ….
    pub path2: Param<Tensor<4>>,
}

impl FactorizedReduce {
    /// A reduction with Kaiming normal weights; `output` is even.
    pub fn new(input: usize, output: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let mut path = || Param::from_tensor(kaiming_normal([output / 2, input, 1, 1], rng, device));
        FactorizedReduce { path1: path(), path2: path() }
    }

    /// `x`: `[batch, input, height, width]`, height and width even. Returns
    /// `[batch, output, height / 2, width / 2]`. The zeros that the authors pad at the bottom and right are never read
    /// on even sizes.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        factorized_reduce(x, self.path1.val(), self.path2.val())
    }

    /// The same of `max(x, 0)`.
    pub fn forward_relu(&self, x: Tensor<4>) -> Tensor<4> {
        relu_factorized_reduce(x, self.path1.val(), self.path2.val())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Int;
    use nao_space::seed::rng_for;

    #[test]
    fn the_two_paths_read_even_and_odd_positions() {
        let device = Device::flex();
        let x = Tensor::<1, Int>::arange(0..16, &device).float().reshape([1, 1, 4, 4]) - 8.0;
        let mut reduce = FactorizedReduce::new(1, 2, &mut rng_for(1, "reduce", 0), &device);
        let one = |param: Param<Tensor<4>>| param.map(|weight| weight.ones_like());
        (reduce.path1, reduce.path2) = (one(reduce.path1), one(reduce.path2));
        let values = |y: Tensor<4>| y.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values(reduce.forward(x.clone())), [-8.0, -6.0, 0.0, 2.0, -3.0, -1.0, 5.0, 7.0]);
        assert_eq!(values(reduce.forward_relu(x)), [0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 5.0, 7.0]);
    }
}
