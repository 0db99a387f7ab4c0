//! The performance predictor (spec c.1).

use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};
use rand_chacha::ChaCha8Rng;

use crate::config::{ControllerConfig, Design};
use crate::ops::{Linear, Mode, dropout, sigmoid};

/// A multilayer perceptron with ReLU on the architecture's embedding, then one linear unit and a sigmoid.
#[derive(Module, Debug)]
pub(crate) struct Predictor {
    pub(crate) layers: Vec<Linear>,
    pub(crate) regressor: Linear,
    dropout: f64,
}

impl Predictor {
    pub(crate) fn new(config: &ControllerConfig, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        // Spec c.2: the recurrent design starts its predictor small and without biases.
        let mut linear = |inputs, outputs| match config.design {
            Design::Cnn => Linear::new(inputs, outputs, rng, device),
            Design::RnnWs => Linear::within(inputs, outputs, 0.04, rng, device),
        };
        let mut width = config.hidden;
        let mut layers = Vec::with_capacity(config.mlp_layers);
        for _ in 0..config.mlp_layers {
            layers.push(linear(width, config.mlp_hidden));
            width = config.mlp_hidden;
        }
        let regressor = linear(width, 1);
        Predictor { layers, regressor, dropout: config.mlp_dropout }
    }

    /// Architecture embeddings `[batch, hidden]` of length 1 to predictions `[batch, 1]` in 0 to 1, on the
    /// scale of the targets (min-max over the pool).
    pub(crate) fn forward(&self, arch: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let hidden = self
            .layers
            .iter()
            .fold(arch, |x, layer| dropout(activation::relu(layer.forward(x)), self.dropout, mode));
        sigmoid(self.regressor.forward(hidden))
    }
}
