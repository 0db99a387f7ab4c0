//! What a network costs: sums over the layers of its plan, nothing measured.

use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

use super::layer::{FeatureShape, Layer};

/// Parameters, multiply-accumulates and activations of one example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Trainable scalars: weights, biases, scale and shift of norms; running statistics do not count.
    pub params: u64,
    /// Multiply-accumulates of one forward pass: convolutions and linear layers; norms, pools and sums count
    /// nothing, as papers count.
    pub macs: u64,
    /// Values written by all layers in one forward pass, an upper bound of what training keeps.
    pub activations: u64,
}

impl Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost {
            params: self.params + other.params,
            macs: self.macs + other.macs,
            activations: self.activations + other.activations,
        }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Cost>>(costs: I) -> Cost {
        costs.fold(Cost::default(), Add::add)
    }
}

impl Layer {
    /// The cost of the layer where it makes `output`.
    pub(crate) fn cost(&self, output: FeatureShape) -> Cost {
        let (params, macs) = match *self {
            Layer::Conv(conv) => {
                let weights = conv.kernel[0] * conv.kernel[1] * (conv.input / conv.groups) * conv.output;
                (weights, weights * output.height * output.width)
            }
            Layer::BatchNorm { channels } => (2 * channels, 0),
            Layer::FactorizedReduce { input, output: channels } => {
                let weights = input * channels;
                (weights, weights * output.height * output.width)
            }
            Layer::Linear { input, output, bias } => {
                (input * output + if bias { output } else { 0 }, input * output)
            }
            Layer::Relu
            | Layer::MaxPool(_)
            | Layer::MinPool(_)
            | Layer::AvgPool(_)
            | Layer::Zero { .. }
            | Layer::GlobalAveragePool
            | Layer::Flatten
            | Layer::Dropout => (0, 0),
        };
        Cost { params: params as u64, macs: macs as u64, activations: output.len() as u64 }
    }
}
