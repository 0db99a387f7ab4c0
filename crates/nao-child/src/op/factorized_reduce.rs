//! Factorized reduction: half the resolution without losing every second row and column (spec a.3).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::conv::pointwise;
use super::init::kaiming_normal;

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
    /// `[batch, output, height / 2, width / 2]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let even = pointwise(subsample(x.clone(), 0), self.path1.val());
        let odd = pointwise(subsample(x, 1), self.path2.val());
        Tensor::cat(vec![even, odd], 1)
    }
}

/// Every second row and column, from `offset` (0 or 1) on.
///
/// On even sizes the zeros that the authors pad at the bottom and right are never read.
fn subsample(x: Tensor<4>, offset: usize) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let blocks = x.reshape([batch, channels, height / 2, 2, width / 2, 2]);
    let corner = blocks.slice([
        0..batch,
        0..channels,
        0..height / 2,
        offset..offset + 1,
        0..width / 2,
        offset..offset + 1,
    ]);
    corner.reshape([batch, channels, height / 2, width / 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Int;

    #[test]
    fn the_two_paths_read_even_and_odd_positions() {
        let device = Device::flex();
        let x = Tensor::<1, Int>::arange(0..16, &device).float().reshape([1, 1, 4, 4]);
        let values = |offset| subsample(x.clone(), offset).into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values(0), [0.0, 2.0, 8.0, 10.0]);
        assert_eq!(values(1), [5.0, 7.0, 13.0, 15.0]);
    }
}
