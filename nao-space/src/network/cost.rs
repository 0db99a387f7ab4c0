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
            params: self.params.saturating_add(other.params),
            macs: self.macs.saturating_add(other.macs),
            activations: self.activations.saturating_add(other.activations),
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
        let place = product([output.height, output.width]);
        let (params, macs) = match *self {
            Layer::Conv(conv) => {
                let [height, width] = conv.kernel;
                let weights = product([height, width, conv.input / conv.groups, conv.output]);
                (weights, weights.saturating_mul(place))
            }
            Layer::BatchNorm { channels } => (product([2, channels]), 0),
            Layer::FactorizedReduce { input, output: channels } => {
                let weights = product([input, channels]);
                (weights, weights.saturating_mul(place))
            }
            Layer::Linear { input, output, bias } => {
                let weights = product([input, output]);
                (weights.saturating_add(if bias { output as u64 } else { 0 }), weights)
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
        Cost { params, macs, activations: place.saturating_mul(output.channels as u64) }
    }
}

/// A product that stops at the largest number instead of overflowing: layers of any size can be laid out by
/// hand.
fn product<const N: usize>(factors: [usize; N]) -> u64 {
    factors.into_iter().fold(1, |product: u64, factor| product.saturating_mul(factor as u64))
}
