//! What each operation of a cell is made of (docs/specification.md, a.4, column "details"; zoo conventions).

use super::convention::{DenseStyle, Rules, StridedIdentity};
use super::layer::{ConvSpec, Layer, PoolSpec};
use crate::image::{Border, Op};

/// Where an operation stands: what it reads and has to make.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Channels of the state that it reads.
    pub input: usize,
    /// Channels that it makes: the width of the cell.
    pub width: usize,
    /// 2 where it halves the map.
    pub stride: usize,
    pub rules: &'a Rules,
}

/// The layers of an operation.
pub(super) fn op_layers(op: Op, place: Place) -> Vec<Layer> {
    let Place { input, width, stride, rules } = place;
    match op {
        Op::Zero if input == width => vec![Layer::Zero { stride }],
        // A convolution without norm keeps the zeros.
        Op::Zero => vec![Layer::Zero { stride }, place.conv(input, width, [1; 2], [1; 2])],
        Op::Identity if stride == 1 && input == width => vec![],
        Op::Identity => match rules.strided_identity {
            StridedIdentity::Reduction { relu } if stride == 2 => {
                let relu = relu.then_some(Layer::Relu);
                relu.into_iter().chain(reduction(input, width)).collect()
            }
            _ => place.relu_conv_norm(input, width, [1; 2], [stride; 2]).to_vec(),
        },
        Op::Conv { kernel } => place.dense(kernel.into()),
        Op::FactorConv { kernel } => place.factorized(kernel.into()),
        Op::SepConv { kernel } => place.separable_twice(kernel.into(), 1),
        Op::DilConv { kernel } => place.separable(input, kernel.into(), 2, stride).to_vec(),
        Op::DilSepConv { kernel } => place.separable_twice(kernel.into(), if rules.dilates { 2 } else { 1 }),
        Op::MinPool { kernel } => place.pool(kernel.into(), Border::Ignored, Layer::MinPool),
        Op::MaxPool { kernel, border } => place.pool(kernel.into(), border, Layer::MaxPool),
        Op::AvgPool { kernel, border } => place.pool(kernel.into(), border, Layer::AvgPool),
    }
}

/// Factorized reduction with its norm (docs/specification.md, a.3).
pub(super) fn reduction(input: usize, width: usize) -> [Layer; 2] {
    [Layer::FactorizedReduce { input, output: width }, Layer::BatchNorm { channels: width }]
}

impl Place<'_> {
    /// Rows or columns added before and after a window, so that stride 1 keeps the map and stride 2 halves it.
    /// What cannot be shared alike goes after.
    fn padding(&self, window: usize, stride: usize) -> (usize, usize) {
        let total = if self.rules.least_padding { window.saturating_sub(stride) } else { window - 1 };
        (total / 2, total - total / 2)
    }

    fn conv(&self, input: usize, output: usize, kernel: [usize; 2], stride: [usize; 2]) -> Layer {
        let [vertical, horizontal] = [0, 1].map(|axis| self.padding(kernel[axis], stride[axis]));
        let (before, after) = ([vertical.0, horizontal.0], [vertical.1, horizontal.1]);
        Layer::Conv(ConvSpec { stride, before, after, ..ConvSpec::same(input, output, kernel) })
    }

    fn relu_conv_norm(
        &self,
        input: usize,
        output: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
    ) -> [Layer; 3] {
        [Layer::Relu, self.conv(input, output, kernel, stride), Layer::BatchNorm { channels: output }]
    }

    /// A square dense convolution.
    fn dense(&self, kernel: usize) -> Vec<Layer> {
        let Place { input, width, stride, rules } = *self;
        let (kernel, stride) = ([kernel; 2], [stride; 2]);
        if rules.dense != DenseStyle::Bottleneck || kernel == [1; 2] {
            return self.relu_conv_norm(input, width, kernel, stride).to_vec();
        }
        let part = (width / 4).max(1);
        [
            self.relu_conv_norm(input, part, [1; 2], [1; 2]),
            self.relu_conv_norm(part, part, kernel, stride),
            self.relu_conv_norm(part, width, [1; 2], [1; 2]),
        ]
        .concat()
    }

    /// A 1xk and a kx1 convolution.
    fn factorized(&self, kernel: usize) -> Vec<Layer> {
        let Place { input, width, stride, rules } = *self;
        let (row, column) = ([1, kernel], [kernel, 1]);
        let (across, down) = ([1, stride], [stride, 1]);
        match rules.dense {
            DenseStyle::SharedStride => [
                self.relu_conv_norm(input, width, row, across),
                self.relu_conv_norm(width, width, column, down),
            ]
            .concat(),
            DenseStyle::FirstTakesStride => [
                self.relu_conv_norm(input, width, row, [stride; 2]),
                self.relu_conv_norm(width, width, column, [1; 2]),
            ]
            .concat(),
            DenseStyle::NothingBetween => vec![
                Layer::Relu,
                self.conv(input, width, row, across),
                self.conv(width, width, column, down),
                Layer::BatchNorm { channels: width },
            ],
            DenseStyle::Bottleneck => {
                let part = if kernel == 3 { 3 * width / 8 } else { width / 4 }.max(1);
                [
                    self.relu_conv_norm(input, part, [1; 2], [1; 2]),
                    self.relu_conv_norm(part, part, row, across),
                    self.relu_conv_norm(part, part, column, down),
                    self.relu_conv_norm(part, width, [1; 2], [1; 2]),
                ]
                .concat()
            }
        }
    }

    /// ReLU, depthwise convolution, pointwise convolution, norm.
    fn separable(&self, input: usize, kernel: usize, dilation: usize, stride: usize) -> [Layer; 4] {
        let (before, after) = self.padding(dilation * (kernel - 1) + 1, stride);
        let depthwise = Layer::Conv(ConvSpec {
            stride: [stride; 2],
            before: [before; 2],
            after: [after; 2],
            dilation,
            groups: input,
            ..ConvSpec::same(input, input, [kernel; 2])
        });
        let pointwise = self.conv(input, self.width, [1; 2], [1; 2]);
        [Layer::Relu, depthwise, pointwise, Layer::BatchNorm { channels: self.width }]
    }

    fn separable_twice(&self, kernel: usize, dilation: usize) -> Vec<Layer> {
        let first = self.separable(self.input, kernel, dilation, self.stride);
        let second = self.separable(self.width, kernel, dilation, 1);
        [first, second].concat()
    }

    /// A pool, and a 1x1 convolution with norm where its input has other channels.
    fn pool(&self, kernel: usize, border: Border, layer: fn(PoolSpec) -> Layer) -> Vec<Layer> {
        let Place { input, width, stride, rules } = *self;
        let (before, after) = self.padding(kernel, stride);
        let pool = layer(PoolSpec { kernel, stride, before, after, border });
        if input == width {
            return vec![pool];
        }
        let [relu, conv, norm] = self.relu_conv_norm(input, width, [1; 2], [1; 2]);
        if rules.relu_after_pool { vec![pool, relu, conv, norm] } else { vec![pool, conv, norm] }
    }
}
