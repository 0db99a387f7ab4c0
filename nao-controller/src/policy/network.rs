//! The policy network: an LSTM that reads the tokens written so far and gives the odds of the next one.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use nao_kernels::{LstmInput, RowNumbers};
use nao_space::Token;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::config::{OutputLayer, PolicyConfig};
use super::draw::Draw;
use crate::error::ControllerError;
use crate::init;
use crate::language::{Grammar, Language};
use crate::ops::floats;
use crate::ops::{Lstm, LstmState, Symbols, log_softmax, tanh};

/// What is added to the logit of a token that the grammar does not allow.
const FORBIDDEN: f32 = -1e9;

/// One LSTM over token embeddings, and linear layers from its state to the vocabulary.
#[derive(Module, Debug)]
pub(crate) struct PolicyNetwork {
    /// `[vocabulary, hidden]`.
    embedding: Param<Tensor<2>>,
    rnn: Lstm,
    /// `[layers, hidden, vocabulary]`, one layer per position or one for all.
    output: Param<Tensor<3>>,
    /// `[layers, 1, vocabulary]`.
    bias: Param<Tensor<3>>,
    temperature: f64,
    tanh_constant: f64,
}

/// Sequences as the network is trained on them.
pub(crate) struct TrainingSet {
    sequences: Vec<Vec<Token>>,
    /// 0 for allowed tokens and [`FORBIDDEN`] for others, `[length, batch, vocabulary]`.
    masks: Tensor<3>,
    /// One-hot, `[length, batch, vocabulary]`.
    targets: Tensor<3>,
}

/// What the policy says of sequences: a column `[batch, 1]` each.
pub(crate) struct SequenceLogProb {
    /// Log probability of the sequence.
    pub(crate) log_prob: Tensor<2>,
    /// Entropy of the choices on the way to it, summed over positions.
    pub(crate) entropy: Tensor<2>,
}

impl PolicyNetwork {
    pub(crate) fn new(
        config: &PolicyConfig,
        language: &Language,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let (vocabulary, hidden, bound) = (language.vocabulary_len(), config.hidden, config.initial_bound);
        let layers = match config.output {
            OutputLayer::PerPosition => language.sequence_len,
            OutputLayer::Shared => 1,
        };
        PolicyNetwork {
            embedding: init::uniform([vocabulary, hidden], bound, rng, device),
            rnn: Lstm::within(hidden, hidden, bound, rng, device),
            output: init::uniform([layers, hidden, vocabulary], bound, rng, device),
            bias: init::uniform([layers, 1, vocabulary], bound, rng, device),
            temperature: config.temperature,
            tanh_constant: config.tanh_constant,
        }
    }

    /// Draws sequences, each token by the odds of those that the grammar allows.
    pub(crate) fn sample(
        &self,
        count: usize,
        language: &Language,
        grammar: &dyn Grammar,
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<Draw>, ControllerError> {
        let (vocabulary, length) = (language.vocabulary_len(), language.sequence_len);
        let table = self.rnn.gate_table(self.embedding.val(), 1);
        let mut state = self.start(count);
        let empty = Draw { sequence: Vec::with_capacity(length), log_prob: 0.0, entropy: 0.0 };
        let mut draws = vec![empty; count];
        for position in 0..length {
            let previous = draws.iter().map(|draw| draw.sequence.last().unwrap_or(&Token::START));
            let numbers = previous.map(|token| token.index() as u32).collect();
            let rows = RowNumbers { numbers, time: 1, width: 1 };
            let (output, next) = self.rnn.run_to_end(LstmInput::Rows(table.clone(), rows), state);
            state = next;
            let logits = floats(self.logits(output.swap_dims(0, 1), position));
            for (draw, logits) in draws.iter_mut().zip(logits.chunks(vocabulary)) {
                let allowed: Vec<Token> = grammar.next_tokens(&draw.sequence).iter().collect();
                if allowed.is_empty() {
                    return Err(ControllerError::NothingAllowed { position, length });
                }
                draw.take(&allowed, logits, rng)?;
            }
        }
        Ok(draws)
    }

    /// What the policy says of sequences, by teacher forcing.
    pub(crate) fn judge(&self, examples: &TrainingSet) -> SequenceLogProb {
        let [length, batch, vocabulary] = examples.masks.dims();
        // The input is the start token followed by the sequence shifted right.
        let previous: Vec<Vec<Token>> = examples
            .sequences
            .iter()
            .map(|sequence| {
                std::iter::once(Token::START).chain(sequence.iter().copied()).take(length).collect()
            })
            .collect();
        let previous: Vec<&[Token]> = previous.iter().map(Vec::as_slice).collect();
        let rows = Symbols::new(&previous, 1, vocabulary).rows();
        let table = self.rnn.gate_table(self.embedding.val(), 1);
        let outputs = self.rnn.run(LstmInput::Rows(table, rows), self.start(batch)).swap_dims(0, 1);
        let logits = self.logits(outputs, 0) + examples.masks.clone();
        let log_probs = log_softmax(logits.reshape([length * batch, vocabulary]));
        let targets = examples.targets.clone().reshape([length * batch, vocabulary]);
        // [length * batch, vocabulary] to [batch, 1].
        let total =
            |values: Tensor<2>| values.sum_dim(1).reshape([length, batch]).sum_dim(0).reshape([batch, 1]);
        SequenceLogProb {
            log_prob: total(log_probs.clone() * targets),
            entropy: total(log_probs.clone().exp() * log_probs).neg(),
        }
    }

    /// Outputs `[positions, batch, hidden]` of the LSTM, from that position on, to logits
    /// `[positions, batch, vocabulary]`.
    fn logits(&self, outputs: Tensor<3>, first: usize) -> Tensor<3> {
        let positions = outputs.dims()[0];
        let (layers, bias) = match self.output.dims()[0] {
            1 => (self.output.val(), self.bias.val()),
            _ => (self.output.val().narrow(0, first, positions), self.bias.val().narrow(0, first, positions)),
        };
        let logits = match layers.dims() {
            // One layer for all: a single product instead of one per position.
            [1, hidden, vocabulary] => {
                let batch = outputs.dims()[1];
                let flat = outputs.reshape([1, positions * batch, hidden]).matmul(layers);
                flat.reshape([positions, batch, vocabulary])
            }
            _ => outputs.matmul(layers),
        };
        let logits = (logits + bias).div_scalar(self.temperature);
        if self.tanh_constant > 0.0 { tanh(logits).mul_scalar(self.tanh_constant) } else { logits }
    }

    fn start(&self, batch: usize) -> LstmState {
        LstmState::zeros(batch, self.rnn.weight_hh.dims()[1], &self.device())
    }

    pub(crate) fn device(&self) -> Device {
        self.embedding.device()
    }
}

impl Draw {
    /// Draws the next token by logits and adds up what it says of the sequence.
    fn take(
        &mut self,
        allowed: &[Token],
        logits: &[f32],
        rng: &mut ChaCha8Rng,
    ) -> Result<(), ControllerError> {
        let logit = |token: &Token| f64::from(logits[token.index()]);
        let highest = allowed.iter().map(logit).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = allowed.iter().map(|token| (logit(token) - highest).exp()).collect();
        let sum: f64 = weights.iter().sum();
        if !sum.is_finite() {
            return Err(ControllerError::NotFinite { what: "odds" });
        }
        let mut left = rng.random_range(0.0..sum);
        let mut pick = allowed.len() - 1;
        for (at, weight) in weights.iter().enumerate() {
            if left < *weight {
                pick = at;
                break;
            }
            left -= weight;
        }
        let log_probs = weights.iter().map(|weight| (weight / sum).ln());
        self.entropy -= log_probs
            .map(|log_prob| if log_prob.is_finite() { log_prob.exp() * log_prob } else { 0.0 })
            .sum::<f64>();
        self.log_prob += (weights[pick] / sum).max(f64::MIN_POSITIVE).ln();
        self.sequence.push(allowed[pick]);
        Ok(())
    }
}

impl TrainingSet {
    /// Of sequences that the grammar allows.
    pub(crate) fn new(
        sequences: Vec<Vec<Token>>,
        language: &Language,
        grammar: &dyn Grammar,
        device: &Device,
    ) -> Self {
        let shape = [language.sequence_len, sequences.len(), language.vocabulary_len()];
        let [length, batch, vocabulary] = shape;
        let mut masks = vec![FORBIDDEN; length * batch * vocabulary];
        let mut targets = vec![0f32; length * batch * vocabulary];
        for (at, sequence) in sequences.iter().enumerate() {
            for (position, token) in sequence.iter().enumerate() {
                let first = (position * batch + at) * vocabulary;
                for allowed in grammar.next_tokens(&sequence[..position]).iter() {
                    masks[first + allowed.index()] = 0.0;
                }
                targets[first + token.index()] = 1.0;
            }
        }
        let tensor = |values: Vec<f32>| Tensor::from_data(TensorData::new(values, shape), device);
        TrainingSet { sequences, masks: tensor(masks), targets: tensor(targets) }
    }
}
