//! Convolutions without bias.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use nao_kernels::{Window, conv2d, relu_conv2d};
use nao_space::network::ConvSpec;
use rand_chacha::ChaCha8Rng;

use nao_kernels::nn::kaiming_normal;

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

    /// A convolution with given weights.
    pub(crate) fn with_weight(spec: ConvSpec, weight: Param<Tensor<4>>) -> Self {
        Conv { weight, spec }
    }

    /// `x`: `[batch, input, height, width]`. Returns `[batch, output, height', width']`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        conv2d(x, self.weight.val(), self.window(), self.spec.groups)
    }

    /// The same of `max(x, 0)`.
    pub fn forward_relu(&self, x: Tensor<4>) -> Tensor<4> {
        relu_conv2d(x, self.weight.val(), self.window(), self.spec.groups)
    }

    fn window(&self) -> Window {
        let ConvSpec { kernel, stride, before, after, dilation, .. } = self.spec;
        Window {
            kernel,
            stride,
            dilation: [dilation; 2],
            before: before.map(|zeros| zeros as isize),
            after: after.map(|zeros| zeros as isize),
        }
    }
}
