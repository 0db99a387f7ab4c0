//! The five dropouts of the language model (docs/specification.md, b). Every mask but the one of words is drawn once
//! per sequence and holds for all its steps ("locked"); kept values are divided by their keep probability.

use burn::tensor::{Device, Tensor, TensorData};
use nao_kernels::RecurrentMasks;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Probabilities of dropping, each 0 to below 1; 0 switches one off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dropouts {
    /// Of whole words of the vocabulary (`dropoute`).
    pub word: f64,
    /// Of values of embedded words (`dropouti`).
    pub input: f64,
    /// Of values of embedded words where the cell reads them (`dropoutx`).
    pub x: f64,
    /// Of values of the memory in every product of the cell, the same in all; what is carried past a product is not
    /// dropped (`dropouth`).
    pub hidden: f64,
    /// Of values of the outputs before the vocabulary (`dropout`).
    pub output: f64,
}

/// How a forward pass over a sequence is meant.
#[derive(Debug)]
pub enum LanguagePass<'a> {
    /// Nothing is dropped.
    Eval,
    /// Masks are drawn from the generator.
    Train {
        /// What is dropped.
        dropouts: Dropouts,
        /// Where masks come from.
        rng: &'a mut ChaCha8Rng,
    },
}

impl LanguagePass<'_> {
    pub(super) fn words(&mut self, vocabulary: usize, device: &Device) -> Option<Tensor<2>> {
        self.mask([vocabulary, 1], |dropouts| dropouts.word, device)
    }

    pub(super) fn inputs(&mut self, batch: usize, hidden: usize, device: &Device) -> Option<Tensor<2>> {
        self.mask([batch, hidden], |dropouts| dropouts.input, device)
    }

    pub(super) fn outputs(&mut self, batch: usize, hidden: usize, device: &Device) -> Option<Tensor<2>> {
        self.mask([batch, hidden], |dropouts| dropouts.output, device)
    }

    pub(super) fn in_cell(&mut self, batch: usize, hidden: usize, device: &Device) -> RecurrentMasks {
        let word = self.mask([batch, hidden], |dropouts| dropouts.x, device);
        let state = self.mask([batch, hidden], |dropouts| dropouts.hidden, device);
        RecurrentMasks { word, state }
    }

    /// A mask of zeros and 1 / keep, where something is dropped.
    fn mask(
        &mut self,
        shape: [usize; 2],
        rate: impl Fn(&Dropouts) -> f64,
        device: &Device,
    ) -> Option<Tensor<2>> {
        let LanguagePass::Train { dropouts, rng } = self else { return None };
        let keep = 1.0 - rate(dropouts);
        if keep >= 1.0 {
            return None;
        }
        let scale = (1.0 / keep) as f32;
        let values = (0..shape[0] * shape[1]).map(|_| if rng.random_bool(keep) { scale } else { 0.0 });
        Some(Tensor::from_data(TensorData::new(values.collect::<Vec<f32>>(), shape), device))
    }
}
