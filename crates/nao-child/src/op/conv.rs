//! Convolutions without bias.

use burn::module::{Module, Param};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};
use nao_space::network::ConvSpec;
use rand_chacha::ChaCha8Rng;

use super::init::kaiming_normal;

/// A convolution without bias.
#[derive(Module, Debug)]
pub struct Conv {
    /// `[output, input / groups, kernel height, kernel width]`, as in PyTorch.
    pub weight: Param<Tensor<4>>,
    #[module(skip)]
    spec: ConvSpec,
}

impl Conv {
    /// A convolution with Kaiming normal weights.
    pub fn new(spec: ConvSpec, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let shape = [spec.output, spec.input / spec.groups, spec.kernel[0], spec.kernel[1]];
        Conv { weight: Param::from_tensor(kaiming_normal(shape, rng, device)), spec }
    }

    /// `x`: `[batch, input, height, width]`. Returns `[batch, output, height', width']`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        if self.is_pointwise() {
            return pointwise(x, self.weight.val());
        }
        let ConvSpec { stride, before, after, dilation, groups, .. } = self.spec;
        let mut options = ConvOptions::new(stride, [0; 2], [dilation; 2], groups);
        options.padding = [0, 1].map(|axis| (before[axis], after[axis]));
        conv2d(x, self.weight.val(), None, options)
    }

    fn is_pointwise(&self) -> bool {
        let ConvSpec { kernel, stride, before, after, groups, .. } = self.spec;
        (kernel, stride, before, after, groups) == ([1; 2], [1; 2], [0; 2], [0; 2], 1)
    }
}

/// A 1x1 convolution of stride 1 as one matrix product per image, which trains several times faster than
/// the general convolution.
///
/// `x`: `[batch, input, height, width]`, `weight`: `[output, input, 1, 1]`. Returns
/// `[batch, output, height, width]`.
pub fn pointwise(x: Tensor<4>, weight: Tensor<4>) -> Tensor<4> {
    let [batch, input, height, width] = x.dims();
    let output = weight.dims()[0];
    let weight = weight.reshape([1, output, input]).expand([batch, output, input]);
    weight.matmul(x.reshape([batch, input, height * width])).reshape([batch, output, height, width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::init::kaiming_normal;
    use nao_space::seed::rng_for;

    #[test]
    fn a_pointwise_convolution_equals_the_general_one() {
        let device = Device::flex();
        let mut rng = rng_for(1, "pointwise", 0);
        let x = kaiming_normal([3, 6, 5, 7], &mut rng, &device);
        let weight = kaiming_normal([4, 6, 1, 1], &mut rng, &device);
        let general = conv2d(x.clone(), weight.clone(), None, ConvOptions::new([1; 2], [0; 2], [1; 2], 1));
        let difference = (pointwise(x, weight) - general).abs().max().into_scalar::<f32>();
        assert!(difference < 1e-6, "{difference}");
    }
}
