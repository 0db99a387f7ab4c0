//! Layers one after another.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use nao_space::network::{Block as BlockPlan, Layer};
use rand_chacha::ChaCha8Rng;

use super::pass::Pass;
use crate::op::activation::{relu, zero};
use crate::op::conv::Conv;
use crate::op::factorized_reduce::FactorizedReduce;
use crate::op::linear::Linear;
use crate::op::norm::BatchNorm;
use crate::op::pool::{avg_pool, global_average_pool, max_pool, min_pool};

/// One layer of a plan.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum LayerModule {
    /// A convolution without bias.
    Conv(Conv),
    /// Batch norm.
    BatchNorm(BatchNorm),
    /// Factorized reduction.
    FactorizedReduce(FactorizedReduce),
    /// Fully connected.
    Linear(Linear),
    /// A layer without parameters.
    Fixed(Fixed),
}

/// A layer without parameters, as the plan says it.
#[derive(Module, Debug)]
pub struct Fixed {
    #[module(skip)]
    layer: Layer,
}

/// Layers one after another; none at all passes the input through.
#[derive(Module, Debug)]
pub struct Block {
    layers: Vec<LayerModule>,
}

impl Block {
    /// The block of a plan, with fresh weights.
    pub fn new(plan: &BlockPlan, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let layers = plan.layers.iter().map(|planned| LayerModule::new(planned.layer, rng, device));
        Block { layers: layers.collect() }
    }

    /// A block of given layers.
    pub(crate) fn of(layers: Vec<LayerModule>) -> Self {
        Block { layers }
    }

    /// `x`: `[batch, channels, height, width]`; features without a place are maps of 1x1.
    pub fn forward(&self, x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        let mut x = x;
        let mut layers = self.layers.iter();
        while let Some(layer) = layers.next() {
            // What follows a ReLU and can read through one does: a map less to write and to keep for the gradient.
            if layer.is_relu()
                && let Some(next) = layers.as_slice().first().filter(|next| next.reads_relu())
            {
                layers.next();
                x = next.forward_relu(x);
                continue;
            }
            x = layer.forward(x, pass);
        }
        x
    }
}

impl LayerModule {
    fn new(layer: Layer, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        match layer {
            Layer::Conv(spec) => LayerModule::Conv(Conv::new(spec, rng, device)),
            Layer::BatchNorm { channels } => LayerModule::BatchNorm(BatchNorm::new(channels, device)),
            Layer::FactorizedReduce { input, output } => {
                LayerModule::FactorizedReduce(FactorizedReduce::new(input, output, rng, device))
            }
            Layer::Linear { input, output, bias } => {
                LayerModule::Linear(Linear::new(input, output, bias, rng, device))
            }
            layer => LayerModule::fixed(layer),
        }
    }

    /// A layer without parameters.
    pub(crate) fn fixed(layer: Layer) -> Self {
        LayerModule::Fixed(Fixed { layer })
    }

    fn is_relu(&self) -> bool {
        matches!(self, LayerModule::Fixed(Fixed { layer: Layer::Relu }))
    }

    /// Whether [`forward_relu`](LayerModule::forward_relu) is there.
    fn reads_relu(&self) -> bool {
        matches!(self, LayerModule::Conv(_) | LayerModule::FactorizedReduce(_))
    }

    /// The layer of `max(x, 0)`.
    fn forward_relu(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            LayerModule::Conv(conv) => conv.forward_relu(x),
            LayerModule::FactorizedReduce(reduce) => reduce.forward_relu(x),
            _ => unreachable!("only convolutions read through a ReLU"),
        }
    }

    fn forward(&self, x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        match self {
            LayerModule::Conv(conv) => conv.forward(x),
            LayerModule::BatchNorm(norm) => pass.normalise(norm, x),
            LayerModule::FactorizedReduce(reduce) => reduce.forward(x),
            LayerModule::Linear(linear) => {
                let y = linear.forward(x.flatten(1, 3));
                let [batch, features] = y.dims();
                y.reshape([batch, features, 1, 1])
            }
            LayerModule::Fixed(fixed) => fixed.forward(x, pass),
        }
    }
}

impl Fixed {
    fn forward(&self, x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        match self.layer {
            Layer::Relu => relu(x),
            Layer::MaxPool(spec) => max_pool(x, spec),
            Layer::MinPool(spec) => min_pool(x, spec),
            Layer::AvgPool(spec) => avg_pool(x, spec),
            Layer::Zero { stride } => zero(&x, stride),
            Layer::GlobalAveragePool => global_average_pool(x),
            Layer::Flatten => {
                let [batch, channels, height, width] = x.dims();
                x.reshape([batch, channels * height * width, 1, 1])
            }
            Layer::Dropout => pass.drop_features(x),
            layer => unreachable!("{layer:?} has parameters or is unknown to this version"),
        }
    }
}
