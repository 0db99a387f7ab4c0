//! The three networks as one module, and their parameters as plain numbers.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use nao_space::Token;
use rand_chacha::ChaCha8Rng;

use super::config::{ControllerConfig, PredictionLoss};
use super::decoder::Decoder;
use super::encoder::{Embedding, Encoder, FinalState};
use super::names::{NamedValues, Names, StoredAs};
use super::predictor::Predictor;
use crate::language::Language;
use crate::ops::{
    Mode, Symbols, floats, mean_squared_error, negative_log_likelihood, one_hot, pairwise_logistic, sigmoid,
};

/// Encoder, predictor and decoder.
#[derive(Module, Debug)]
pub(crate) struct Networks {
    pub(crate) encoder: Encoder,
    pub(crate) predictor: Predictor,
    pub(crate) decoder: Decoder,
}

/// The losses of one training batch, all of one graph.
pub(crate) struct Forward {
    /// Of the prediction: mean squared error, or what is asked for; the mean over heads.
    pub(crate) prediction_loss: Tensor<1>,
    /// Token cross entropy.
    pub(crate) reconstruction_loss: Tensor<1>,
    /// lambda * prediction loss + (1 - lambda) * reconstruction loss.
    pub(crate) loss: Tensor<1>,
}

impl Networks {
    pub(crate) fn new(
        config: &ControllerConfig,
        language: &Language,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        Networks {
            encoder: Encoder::new(config, language, rng, device),
            predictor: Predictor::new(config, rng, device),
            decoder: Decoder::new(config, language, rng, device),
        }
    }

    /// The device of the weights.
    pub(crate) fn device(&self) -> Device {
        self.encoder.embedding.device()
    }

    /// Sequences to embeddings.
    pub(crate) fn encode(&self, sequences: &[&[Token]], language: &Language, mode: &mut Mode) -> Embedding {
        let vocabulary = language.vocabulary_len();
        let symbols = Symbols::new(sequences, language.tokens_per_step, vocabulary);
        self.encoder.forward(&symbols, mode)
    }

    /// Sequences to the last state of the encoder's LSTM.
    pub(crate) fn final_state(&self, sequences: &[&[Token]], language: &Language) -> FinalState {
        let vocabulary = language.vocabulary_len();
        let symbols = Symbols::new(sequences, language.tokens_per_step, vocabulary);
        self.encoder.final_state(&symbols)
    }

    /// Log probabilities of sequences under teacher forcing, `[batch * length, vocabulary]`.
    pub(crate) fn log_probs(
        &self,
        embedding: &Embedding,
        sequences: &[&[Token]],
        language: &Language,
        mode: &mut Mode,
    ) -> Tensor<2> {
        let shifted: Vec<Vec<Token>> = sequences
            .iter()
            .map(|sequence| {
                let kept = &sequence[..sequence.len().saturating_sub(1)];
                std::iter::once(Token::START).chain(kept.iter().copied()).collect()
            })
            .collect();
        let shifted: Vec<&[Token]> = shifted.iter().map(Vec::as_slice).collect();
        let previous = Symbols::new(&shifted, 1, language.vocabulary_len());
        self.decoder.forward(embedding, &previous, mode)
    }

    /// The whole loss of a batch: sequences and their targets in 0 to 1.
    pub(crate) fn forward(
        &self,
        sequences: &[&[Token]],
        targets: &[f32],
        config: &ControllerConfig,
        language: &Language,
        mode: &mut Mode,
    ) -> Forward {
        let device = self.device();
        let embedding = self.encode(sequences, language, mode);
        let scores = self.predictor.scores(embedding.arch.clone(), mode);
        let target = Tensor::<1>::from_floats(targets, &device).unsqueeze_dim(1);
        let log_probs = self.log_probs(&embedding, sequences, language, mode);
        let tokens: Vec<Token> = sequences.iter().flat_map(|sequence| sequence.iter().copied()).collect();
        let tokens = one_hot(tokens.into_iter(), language.vocabulary_len(), &device);
        let prediction_loss = prediction_loss(scores, &target, config.prediction_loss);
        let reconstruction_loss = negative_log_likelihood(log_probs, tokens);
        let loss = prediction_loss.clone().mul_scalar(config.trade_off)
            + reconstruction_loss.clone().mul_scalar(1.0 - config.trade_off);
        Forward { prediction_loss, reconstruction_loss, loss }
    }
}

/// Every head learns by a loss of its own, so that they differ where the data leaves it open.
fn prediction_loss(scores: Vec<Tensor<2>>, target: &Tensor<2>, kind: PredictionLoss) -> Tensor<1> {
    let heads = scores.len();
    let losses = scores.into_iter().map(|score| match kind {
        PredictionLoss::SquaredError => mean_squared_error(sigmoid(score), target.clone()),
        PredictionLoss::Pairwise => pairwise_logistic(score, target.clone()),
    });
    let sum = losses.reduce(|sum, next| sum + next).expect("there is a first head");
    if heads == 1 { sum } else { sum.div_scalar(heads as f64) }
}

/// Reads all parameters in a fixed order, or their gradients where some are passed; parameters that have no
/// gradient are left out.
pub(crate) fn named_values(
    networks: &Networks,
    names: Names,
    gradients: Option<&GradientsParams>,
) -> Vec<NamedValues> {
    let mut reader = Reader { path: Vec::new(), names, gradients, found: Vec::new() };
    networks.visit(&mut reader);
    reader.found
}

struct Reader<'a> {
    path: Vec<String>,
    names: Names,
    gradients: Option<&'a GradientsParams>,
    found: Vec<NamedValues>,
}

impl ModuleVisitor for Reader<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.gradients {
            Some(gradients) => gradients.get::<D>(param.id),
            None => Some(param.val().without_autodiff()),
        };
        let Some(tensor) = tensor else { return };
        let StoredAs { name, transposed } = self.names.stored_as(&self.path.join("."));
        let shape = tensor.dims().to_vec();
        let values = NamedValues { name, shape, values: floats(tensor) };
        self.found.push(if transposed { values.transposed() } else { values });
    }
}
