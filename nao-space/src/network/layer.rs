//! The vocabulary of layers: the smallest things that have a cost and that a network library builds.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::image::Border;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
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
    /// row and column (zeros move in), and concatenates them (docs/specification.md, a.3). No normalisation inside.
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
    /// Whether the layer can read a map of that shape.
    pub(super) fn check(&self, input: FeatureShape) -> Result<(), LayerError> {
        for (what, value) in [("height", input.height), ("width", input.width), ("channels", input.channels)]
        {
            within(what, value, 1)?;
        }
        let reads = |channels: usize| match channels == input.channels {
            true => Ok(()),
            false => Err(LayerError::Channels { expected: channels }),
        };
        match *self {
            Layer::Relu | Layer::GlobalAveragePool | Layer::Dropout => Ok(()),
            Layer::Flatten => {
                let pixels = input.height.saturating_mul(input.width);
                within("number of features", pixels.saturating_mul(input.channels), 1)
            }
            Layer::BatchNorm { channels } => reads(channels),
            Layer::Conv(conv) => {
                reads(conv.input)?;
                within("output channels", conv.output, 1)?;
                let groups = conv.groups;
                if groups == 0 || !conv.input.is_multiple_of(groups) || !conv.output.is_multiple_of(groups) {
                    return Err(LayerError::Groups { groups, input: conv.input, output: conv.output });
                }
                within("dilation", conv.dilation, 1)?;
                for (axis, side) in [input.height, input.width].into_iter().enumerate() {
                    within("kernel", conv.kernel[axis], 1)?;
                    let window = conv.dilation * (conv.kernel[axis] - 1) + 1;
                    fits(window, side, [conv.before[axis], conv.after[axis]], conv.stride[axis])?;
                }
                Ok(())
            }
            Layer::MaxPool(pool) | Layer::MinPool(pool) | Layer::AvgPool(pool) => {
                within("kernel", pool.kernel, 1)?;
                if pool.before >= pool.kernel || pool.after >= pool.kernel {
                    return Err(LayerError::BorderOnly { kernel: pool.kernel });
                }
                for side in [input.height, input.width] {
                    fits(pool.kernel, side, [pool.before, pool.after], pool.stride)?;
                }
                Ok(())
            }
            Layer::FactorizedReduce { input: channels, output } => {
                reads(channels)?;
                within("output channels", output, 2)?;
                let even = [input.height, input.width, output].iter().all(|number| number.is_multiple_of(2));
                if even { Ok(()) } else { Err(LayerError::NotEven { output }) }
            }
            Layer::Zero { stride } => within("stride", stride, 1),
            Layer::Linear { input: features, output, .. } => {
                within("output features", output, 1)?;
                if (input.height, input.width) != (1, 1) {
                    return Err(LayerError::NotFlat);
                }
                reads(features)
            }
        }
    }

    /// The shape that the layer makes of `input`, which it must be able to read.
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

/// The largest number that a layer may hold, far beyond any use; within it no window overflows.
const LARGEST: usize = 1 << 30;

fn within(what: &'static str, value: usize, least: usize) -> Result<(), LayerError> {
    if (least..=LARGEST).contains(&value) { Ok(()) } else { Err(LayerError::Number { what, value, least }) }
}

/// Checks that a window fits along one axis.
fn fits(window: usize, side: usize, padding: [usize; 2], stride: usize) -> Result<(), LayerError> {
    within("stride", stride, 1)?;
    within("padding", padding[0], 0)?;
    within("padding", padding[1], 0)?;
    let padded = side + padding[0] + padding[1];
    if window <= padded { Ok(()) } else { Err(LayerError::Window { window, padded }) }
}

/// Why a layer cannot read a map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// Other channels, or features.
    #[error("the layer reads {expected} channels")]
    Channels {
        /// What it reads.
        expected: usize,
    },
    /// A number of groups that does not divide the channels.
    #[error("{groups} groups must divide {input} input and {output} output channels")]
    Groups {
        /// The groups.
        groups: usize,
        /// Channels read.
        input: usize,
        /// Channels written.
        output: usize,
    },
    /// A number that is too small or absurdly large.
    #[error("the {what} is {value}; it must be at least {least} and at most {LARGEST}")]
    Number {
        /// The number.
        what: &'static str,
        /// Its value.
        value: usize,
        /// The least that it may be.
        least: usize,
    },
    /// A window larger than the padded map.
    #[error("a window of {window} does not fit into {padded} rows or columns, padding included")]
    Window {
        /// Side of the window, dilation included.
        window: usize,
        /// Side of the map with padding.
        padded: usize,
    },
    /// A pool with windows that see no cell of the map.
    #[error("a border as wide as the pool's window of {kernel} leaves windows without a cell of the map")]
    BorderOnly {
        /// Side of the window.
        kernel: usize,
    },
    /// A factorized reduction of an odd map or to odd channels.
    #[error("a factorized reduction to {output} channels needs height, width and output channels to be even")]
    NotEven {
        /// Channels written.
        output: usize,
    },
    /// A linear layer on a map that is no row of features.
    #[error("a linear layer reads maps of 1x1; put a pool or a flattening layer before it")]
    NotFlat,
}
