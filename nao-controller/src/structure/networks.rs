//! Encoder, readout and decoder of the preset `structure`.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};
use nao_kernels::LstmInput;
use nao_space::Token;
use rand_chacha::ChaCha8Rng;

use super::config::PretrainingConfig;
use crate::init;
use crate::language::Language;
use crate::ops::{Linear, Lstm, LstmState, Symbols, log_softmax, normalise};

/// The encoder reads a sequence in both directions; each step of the embedding has length 1. The readout predicts
/// structural features from all steps side by side, the decoder each token from its own step and the mean of all.
#[derive(Module, Debug)]
pub(crate) struct StructureNetworks {
    /// `[vocabulary, embedding]`.
    embedding: Param<Tensor<2>>,
    forwards: Lstm,
    backwards: Lstm,
    /// From `[steps * hidden]` to the features.
    readout: Vec<Linear>,
    /// From a step beside the mean, `[2 hidden]`, to `[hidden]`.
    join: Linear,
    /// To the vocabulary once per token of a step.
    out: Linear,
    tokens_per_step: usize,
    vocabulary: usize,
}

impl StructureNetworks {
    /// `features`: how many the readout predicts.
    pub fn new(
        config: &PretrainingConfig,
        language: &Language,
        features: usize,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let (vocabulary, tokens_per_step) = (language.vocabulary_len(), language.tokens_per_step);
        let (half, inputs) = (config.hidden / 2, config.embedding * tokens_per_step);
        let widths = [language.encoder_steps() * config.hidden, config.readout, config.readout, features];
        StructureNetworks {
            embedding: init::normal([vocabulary, config.embedding], rng, device),
            forwards: Lstm::new(inputs, half, rng, device),
            backwards: Lstm::new(inputs, half, rng, device),
            readout: widths.windows(2).map(|pair| Linear::new(pair[0], pair[1], rng, device)).collect(),
            join: Linear::new(2 * config.hidden, config.hidden, rng, device),
            out: Linear::new(config.hidden, tokens_per_step * vocabulary, rng, device),
            tokens_per_step,
            vocabulary,
        }
    }

    /// Sequences to their embedding, `[batch, steps, hidden]`.
    pub fn encode(&self, sequences: &[&[Token]]) -> Tensor<3> {
        let forwards = self.read_by(&self.forwards, sequences);
        // Steps in reverse, the tokens of each in order.
        let reversed: Vec<Vec<Token>> = sequences
            .iter()
            .map(|sequence| sequence.chunks(self.tokens_per_step).rev().flatten().copied().collect())
            .collect();
        let reversed: Vec<&[Token]> = reversed.iter().map(Vec::as_slice).collect();
        let backwards = self.read_by(&self.backwards, &reversed).flip([1]);
        normalise(Tensor::cat(vec![forwards, backwards], 2))
    }

    fn read_by(&self, lstm: &Lstm, sequences: &[&[Token]]) -> Tensor<3> {
        let symbols = Symbols::new(sequences, self.tokens_per_step, self.vocabulary);
        let table = lstm.gate_table(self.embedding.val(), self.tokens_per_step);
        let start = LstmState::zeros(symbols.batch(), lstm.weight_hh.dims()[1], &self.embedding.device());
        lstm.run(LstmInput::Rows(table, symbols.rows()), start)
    }

    /// The features that the embedding holds, `[batch, features]`.
    pub fn read(&self, embedding: Tensor<3>) -> Tensor<2> {
        let [batch, steps, hidden] = embedding.dims();
        let (last, layers) = self.readout.split_last().expect("the readout has three layers");
        let flat = embedding.reshape([batch, steps * hidden]);
        let read = layers.iter().fold(flat, |x, layer| activation::relu(layer.forward(x)));
        last.forward(read)
    }

    /// Log probabilities of all tokens at all positions, `[batch * length, vocabulary]`.
    pub fn write(&self, embedding: Tensor<3>) -> Tensor<2> {
        let [batch, steps, hidden] = embedding.dims();
        let mean = normalise(embedding.clone().mean_dim(1)).expand([batch, steps, hidden]);
        let joined = Tensor::cat(vec![embedding, mean], 2).reshape([batch * steps, 2 * hidden]);
        let joined = activation::relu(self.join.forward(joined));
        let logits = self.out.forward(joined);
        log_softmax(logits.reshape([batch * steps * self.tokens_per_step, self.vocabulary]))
    }

    /// The device of the weights.
    pub fn device(&self) -> Device {
        self.embedding.device()
    }
}
