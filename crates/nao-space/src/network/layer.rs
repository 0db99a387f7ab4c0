//! The vocabulary of layers: the smallest things that have a cost and that a network library builds.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::op::Border;

/// The shape of a feature map: height, width, channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureShape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels.
    pub channels: usize,
}

impl FeatureShape {
    /// A shape.
    pub fn new(height: usize, width: usize, channels: usize) -> Self {
        FeatureShape { height, width, channels }
    }

    /// Number of values of one example.
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether there are no values.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether both maps have the same height and width.
    pub fn same_size(self, other: FeatureShape) -> bool {
        (self.height, self.width) == (other.height, other.width)
    }

    /// The same map with other channels.
    pub fn with_channels(self, channels: usize) -> Self {
        FeatureShape { channels, ..self }
    }
}

impl fmt::Display for FeatureShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

/// A convolution without bias. Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvSpec {
    /// Channels read.
    pub input: usize,
    /// Channels written.
    pub output: usize,
    /// Kernel size.
    pub kernel: [usize; 2],
    /// Stride.
    pub stride: [usize; 2],
    /// Zeros added before (top, left).
    pub before: [usize; 2],
    /// Zeros added after (bottom, right).
    pub after: [usize; 2],
    /// Distance of kernel taps in both directions.
    pub dilation: usize,
    /// Groups; equal to `input` in a depthwise convolution.
    pub groups: usize,
}

impl ConvSpec {
    /// A dense convolution of stride 1 with an odd kernel, padded alike on both sides so that it keeps the size.
    pub fn same(input: usize, output: usize, kernel: [usize; 2]) -> Self {
        let padding = kernel.map(|side| (side - 1) / 2);
        ConvSpec {
            input,
            output,
            kernel,
            stride: [1; 2],
            before: padding,
            after: padding,
            dilation: 1,
            groups: 1,
        }
    }
}

/// A square pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolSpec {
    /// Side of the window.
    pub kernel: usize,
    /// Stride in both directions.
    pub stride: usize,
    /// Rows and columns added before (top, left).
    pub before: usize,
    /// Rows and columns added after (bottom, right).
    pub after: usize,
    /// Whether what was added takes part as zeros.
    pub border: Border,
}

/// One layer. Shapes are those of one example, channels first: `[batch, channels, height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// `max(x, 0)`, never in place.
    Relu,
    /// A convolution without bias.
    Conv(ConvSpec),
    /// Normalisation over batch and space, with scale and shift: eps 1e-5, running averages with weight 0.1
    /// for the new value.
    BatchNorm {
        /// Channels.
        channels: usize,
    },
    /// Maximum pool.
    MaxPool(PoolSpec),
    /// Minimum pool; what was added at the border takes no part.
    MinPool(PoolSpec),
    /// Mean pool.
    AvgPool(PoolSpec),
    /// Halves the resolution with two 1x1 convolutions of stride 2, the second on the map shifted by one
    /// row and column (zeros move in), and concatenates them (spec a.3). No normalisation inside.
    FactorizedReduce {
        /// Channels read.
        input: usize,
        /// Channels written, even.
        output: usize,
    },
    /// Zeros; subsamples by the stride.
    Zero {
        /// Stride in both directions.
        stride: usize,
    },
    /// Mean over height and width, giving `[batch, channels]`.
    GlobalAveragePool,
    /// All values of an example in a row, giving `[batch, channels * height * width]`.
    Flatten,
    /// Dropout; its rate belongs to the training recipe.
    Dropout,
    /// A matrix and, where asked for, a bias.
    Linear {
        /// Features read.
        input: usize,
        /// Features written.
        output: usize,
        /// Whether a bias is added.
        bias: bool,
    },
}

impl Layer {
    /// The shape that the layer makes of `input`.
    ///
    /// The window of a convolution or pool must fit; the plan checks that before.
    pub(crate) fn output(&self, input: FeatureShape) -> FeatureShape {
        match *self {
            Layer::Relu | Layer::BatchNorm { .. } | Layer::Dropout => input,
            Layer::Conv(ConvSpec { output, kernel, stride, before, after, dilation, .. }) => {
                let side = |len: usize, axis: usize| {
                    let padded = len + before[axis] + after[axis];
                    (padded - dilation * (kernel[axis] - 1) - 1) / stride[axis] + 1
                };
                FeatureShape::new(side(input.height, 0), side(input.width, 1), output)
            }
            Layer::MaxPool(pool) | Layer::MinPool(pool) | Layer::AvgPool(pool) => {
                let side = |len: usize| (len + pool.before + pool.after - pool.kernel) / pool.stride + 1;
                FeatureShape::new(side(input.height), side(input.width), input.channels)
            }
            Layer::FactorizedReduce { output, .. } => {
                FeatureShape::new(input.height / 2, input.width / 2, output)
            }
            Layer::Zero { stride } => {
                FeatureShape::new(input.height.div_ceil(stride), input.width.div_ceil(stride), input.channels)
            }
            Layer::GlobalAveragePool => FeatureShape::new(1, 1, input.channels),
            Layer::Flatten => FeatureShape::new(1, 1, input.len()),
            Layer::Linear { output, .. } => FeatureShape::new(1, 1, output),
        }
    }
}
