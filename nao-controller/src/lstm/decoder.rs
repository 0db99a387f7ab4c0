//! The decoder: from the continuous embedding back to sequences (docs/specification.md, c.1).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use nao_kernels::{LstmInput, RowNumbers};
use nao_space::Token;
use rand_chacha::ChaCha8Rng;

use super::attention::Attention;
use super::config::ControllerConfig;
use super::encoder::Embedding;
use crate::error::ControllerError;
use crate::init;
use crate::language::{Grammar, Language};
use crate::ops::{Linear, Lstm, LstmState, Mode, Symbols, dropout, floats, log_softmax};

/// An LSTM that starts from the architecture's embedding and attends over the encoder outputs. Its only input is
/// the previous token.
#[derive(Module, Debug)]
pub(crate) struct Decoder {
    /// `[vocabulary, hidden]`.
    pub(crate) embedding: Param<Tensor<2>>,
    pub(crate) rnn: Lstm,
    pub(crate) attention: Attention,
    /// To the vocabulary.
    pub(crate) out: Linear,
    dropout: f64,
}

impl Decoder {
    pub(crate) fn new(
        config: &ControllerConfig,
        language: &Language,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let (vocabulary, hidden) = (language.vocabulary_len(), config.hidden);
        Decoder {
            embedding: init::normal([vocabulary, hidden], rng, device),
            rnn: Lstm::new(hidden, hidden, rng, device),
            attention: Attention::new(config.design, hidden, rng, device),
            out: Linear::new(hidden, vocabulary, rng, device),
            dropout: config.decoder_dropout,
        }
    }

    /// Teacher forcing: the input is the start token followed by the sequence shifted right. Log probabilities
    /// over the unrestricted vocabulary, `[batch * length, vocabulary]`, a sequence's positions in a row.
    pub(crate) fn forward(&self, embedding: &Embedding, previous: &Symbols, mode: &mut Mode) -> Tensor<2> {
        let input = if mode.drops(self.dropout) {
            let tokens = previous.one_hot(&self.embedding.device());
            let embedded = dropout(tokens.matmul(self.embedding.val()), self.dropout, mode);
            let width = embedded.dims()[1];
            self.rnn.on_vectors(embedded.reshape([previous.batch(), previous.time(), width]))
        } else {
            LstmInput::Rows(self.rnn.gate_table(self.embedding.val(), previous.width), previous.rows())
        };
        let outputs = self.rnn.run(input, start_state(embedding));
        log_softmax(self.out.forward(self.attention.forward(outputs, embedding.steps.clone())))
    }

    /// Greedy decoding: at every position the likeliest of the tokens that the grammar allows, which is then
    /// fed back. Ties go to the lower token.
    pub(crate) fn decode(
        &self,
        embedding: &Embedding,
        language: &Language,
        grammar: &dyn Grammar,
    ) -> Result<Vec<Vec<Token>>, ControllerError> {
        let (vocabulary, length) = (language.vocabulary_len(), language.sequence_len);
        let table = self.rnn.gate_table(self.embedding.val(), 1);
        let mut state = start_state(embedding);
        let mut sequences: Vec<Vec<Token>> = vec![Vec::with_capacity(length); embedding.batch()];
        for position in 0..length {
            let previous = sequences.iter().map(|sequence| sequence.last().unwrap_or(&Token::START));
            let numbers = previous.map(|token| token.index() as u32).collect();
            let rows = RowNumbers { numbers, time: 1, width: 1 };
            let (output, next) = self.rnn.run_to_end(LstmInput::Rows(table.clone(), rows), state);
            state = next;
            let logits = floats(self.out.forward(self.attention.forward(output, embedding.steps.clone())));
            for (sequence, logits) in sequences.iter_mut().zip(logits.chunks(vocabulary)) {
                let allowed = grammar.next_tokens(sequence);
                let best = allowed.iter().reduce(|best, token| {
                    if logits[token.index()] > logits[best.index()] { token } else { best }
                });
                sequence.push(best.ok_or(ControllerError::NothingAllowed { position, length })?);
            }
        }
        Ok(sequences)
    }
}

fn start_state(embedding: &Embedding) -> LstmState {
    LstmState { hidden: embedding.arch.clone(), cell: embedding.arch.clone() }
}
