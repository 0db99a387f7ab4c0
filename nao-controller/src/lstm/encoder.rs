//! The encoder: sequences to the continuous embedding (docs/specification.md, c.1).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use nao_kernels::LstmInput;
use rand_chacha::ChaCha8Rng;

use super::config::ControllerConfig;
use crate::init;
use crate::language::Language;
use crate::ops::{Lstm, LstmState, Mode, Symbols, dropout, normalise};

/// A batch of architectures in the continuous embedding in which NAO moves.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// The encoder outputs, `[batch, time, hidden]`, each vector of length 1.
    pub steps: Tensor<3>,
    /// Their mean over time, scaled to length 1: `[batch, hidden]`.
    pub arch: Tensor<2>,
}

impl Embedding {
    /// The embedding with these steps, `[batch, time, hidden]`.
    pub(crate) fn of_steps(steps: Tensor<3>) -> Self {
        let arch = normalise(steps.clone().mean_dim(1).squeeze_dim(1));
        Embedding { steps, arch }
    }

    /// Number of architectures.
    pub fn batch(&self) -> usize {
        self.steps.dims()[0]
    }
}

/// The state of the encoder's LSTM after the last step, before any normalisation.
#[derive(Clone, Debug)]
pub struct FinalState {
    /// The output h, `[batch, hidden]`.
    pub hidden: Tensor<2>,
    /// The memory c, `[batch, hidden]`.
    pub cell: Tensor<2>,
}

/// Token embedding and LSTM; outputs are L2-normalised.
#[derive(Module, Debug)]
pub(crate) struct Encoder {
    /// `[vocabulary, embedding]`.
    pub(crate) embedding: Param<Tensor<2>>,
    /// Reads `tokens_per_step` embedded tokens side by side.
    pub(crate) rnn: Lstm,
    tokens_per_step: usize,
    dropout: f64,
}

impl Encoder {
    pub(crate) fn new(
        config: &ControllerConfig,
        language: &Language,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        Encoder {
            embedding: init::normal([language.vocabulary_len(), config.embedding], rng, device),
            rnn: Lstm::new(config.embedding * language.tokens_per_step, config.hidden, rng, device),
            tokens_per_step: language.tokens_per_step,
            dropout: config.encoder_dropout,
        }
    }

    /// Sequences, cut into steps of `tokens_per_step`, to their embedding.
    pub(crate) fn forward(&self, sequences: &Symbols, mode: &mut Mode) -> Embedding {
        let input = self.input(sequences, mode);
        Embedding::of_steps(normalise(self.rnn.run(input, self.start(sequences))))
    }

    /// The state in which reading the sequences leaves the LSTM.
    pub(crate) fn final_state(&self, sequences: &Symbols) -> FinalState {
        let input = self.input(sequences, &mut Mode::Infer);
        let LstmState { hidden, cell } = self.rnn.run_to_end(input, self.start(sequences)).1;
        FinalState { hidden, cell }
    }

    fn start(&self, sequences: &Symbols) -> LstmState {
        LstmState::zeros(sequences.batch(), self.rnn.weight_hh.dims()[1], &self.embedding.device())
    }

    /// The tokens as the LSTM reads them.
    fn input(&self, sequences: &Symbols, mode: &mut Mode) -> LstmInput {
        if !mode.drops(self.dropout) {
            let table = self.rnn.gate_table(self.embedding.val(), self.tokens_per_step);
            return LstmInput::Rows(table, sequences.rows());
        }
        let tokens = sequences.one_hot(&self.embedding.device());
        let embedded = dropout(tokens.matmul(self.embedding.val()), self.dropout, mode);
        let width = self.tokens_per_step * self.embedding.dims()[1];
        self.rnn.on_vectors(embedded.reshape([sequences.batch(), sequences.time(), width]))
    }
}
