//! The performance predictor (docs/specification.md, c.1).

use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};
use rand_chacha::ChaCha8Rng;

use super::config::{ControllerConfig, Design};
use crate::ops::{Linear, Mode, dropout, sigmoid};

/// Multilayer perceptrons with ReLU on the architecture's embedding, each with one linear unit and a sigmoid behind it. The
/// authors have one; of several the mean predicts.
#[derive(Module, Debug)]
pub(crate) struct Predictor {
    pub(crate) layers: Vec<Linear>,
    pub(crate) regressor: Linear,
    /// The heads beside the first.
    pub(crate) others: Vec<Head>,
    dropout: f64,
}

/// A head beside the first.
#[derive(Module, Debug)]
pub(crate) struct Head {
    pub(crate) layers: Vec<Linear>,
    pub(crate) regressor: Linear,
}

impl Head {
    fn new(config: &ControllerConfig, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        // docs/specification.md, c.2: the recurrent design starts its predictor small and without biases.
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
        Head { layers, regressor }
    }
}

impl Predictor {
    pub(crate) fn new(config: &ControllerConfig, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let Head { layers, regressor } = Head::new(config, rng, device);
        let others = (1..config.heads).map(|_| Head::new(config, rng, device)).collect();
        Predictor { layers, regressor, others, dropout: config.mlp_dropout }
    }

    /// Architecture embeddings `[batch, hidden]` of length 1 to predictions `[batch, 1]` in 0 to 1, on the
    /// scale of the targets (min-max over the pool).
    pub(crate) fn forward(&self, arch: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let heads = 1 + self.others.len();
        let sum = self.scores(arch, mode).into_iter().map(sigmoid).reduce(|sum, next| sum + next);
        let sum = sum.expect("there is a first head");
        if heads == 1 { sum } else { sum.div_scalar(heads as f64) }
    }

    /// What every head says before its sigmoid, `[batch, 1]` each.
    pub(crate) fn scores(&self, arch: Tensor<2>, mode: &mut Mode) -> Vec<Tensor<2>> {
        let first = std::iter::once((&self.layers, &self.regressor));
        let heads = first.chain(self.others.iter().map(|head| (&head.layers, &head.regressor)));
        let scores = heads.map(|(layers, regressor)| {
            let hidden = layers.iter().fold(arch.clone(), |x, layer| {
                dropout(activation::relu(layer.forward(x)), self.dropout, mode)
            });
            regressor.forward(hidden)
        });
        scores.collect()
    }
}
