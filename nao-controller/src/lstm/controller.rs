//! The controller: encode, predict, ascend, decode, and the fit that teaches it all four.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use nao_space::Token;
use rand_chacha::ChaCha8Rng;

use super::config::ControllerConfig;
use super::encoder::{Embedding, FinalState};
use super::names::{NamedValues, Names};
use super::networks::{Forward, Networks, named_values};
use super::training::{self, FitReport, Pool};
use super::weights;
use crate::error::ControllerError;
use crate::language::{Grammar, Language};
use crate::ops::floats;
use crate::ops::{Mode, normalise};

/// Sequences predicted at once.
const PREDICT_BATCH: usize = 256;

/// The three networks of NAO over one language.
///
/// It maximises: targets, predictions and ascent all mean that larger is better, so a caller passes merits
/// (`nao_space::search::Observation::merit`). Dropout acts in [`fit`](Controller::fit) only; everything else is
/// a fixed function of weights and input.
#[derive(Clone, Debug)]
pub struct Controller {
    config: ControllerConfig,
    language: Language,
    /// Weights that record gradients.
    networks: Networks,
}

/// The losses of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Losses {
    /// lambda * prediction + (1 - lambda) * reconstruction.
    pub loss: f32,
    /// Mean squared error of the predictions.
    pub prediction: f32,
    /// Token cross entropy, natural logarithm.
    pub reconstruction: f32,
}

/// The gradient of the joint loss over all parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// Per parameter; one without a gradient is missing.
    pub parameters: Vec<NamedValues>,
    /// The L2 norm over all of them together, before clipping.
    pub norm: f32,
}

impl Controller {
    /// A controller with initial weights drawn from `rng` (docs/specification.md, c.2, "PyTorch init").
    ///
    /// # Errors
    /// When the configuration does not fit the language.
    pub fn new(
        config: ControllerConfig,
        language: Language,
        device: &Device,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, ControllerError> {
        config.check(&language)?;
        let device = device.clone().autodiff();
        let networks = Networks::new(&config, &language, rng, &device);
        Ok(Controller { config, language, networks })
    }

    /// The settings.
    pub fn config(&self) -> &ControllerConfig {
        &self.config
    }

    /// The language.
    pub fn language(&self) -> &Language {
        &self.language
    }

    /// Number of weights.
    pub fn parameter_count(&self) -> usize {
        self.networks.num_params()
    }

    /// Trains all three networks together, with a fresh Adam, for the configured epochs. `targets` are in 0 to 1,
    /// larger is better ([`Targets::min_max`](crate::Targets::min_max)). Shuffling, dropout and respelling draw
    /// from `rng` only. On an error the weights are as before.
    ///
    /// # Errors
    /// When sequences are none of the language, do not pair with the targets, a target is not finite, or the
    /// training diverges.
    pub fn fit(
        &mut self,
        sequences: &[Vec<Token>],
        targets: &[f32],
        grammar: &dyn Grammar,
        rng: &mut ChaCha8Rng,
    ) -> Result<FitReport, ControllerError> {
        self.check_pairs(sequences, targets)?;
        let pool = Pool { sequences, targets };
        let (networks, report) =
            training::train(self.networks.clone(), &self.config, &self.language, &pool, grammar, rng)?;
        self.networks = networks;
        Ok(report)
    }

    /// Sequences to their continuous embedding.
    ///
    /// # Errors
    /// When there are none, or one is none of the language.
    pub fn encode(&self, sequences: &[Vec<Token>]) -> Result<Embedding, ControllerError> {
        self.check_sequences(sequences)?;
        Ok(self.networks.valid().encode(&slices(sequences), &self.language, &mut Mode::Infer))
    }

    /// The encoder's LSTM after it has read a sequence: its state before any normalisation. The normalised output
    /// of the last step is the last of [`Embedding::steps`].
    ///
    /// # Errors
    /// As [`encode`](Controller::encode).
    pub fn final_state(&self, sequences: &[Vec<Token>]) -> Result<FinalState, ControllerError> {
        self.check_sequences(sequences)?;
        Ok(self.networks.valid().final_state(&slices(sequences), &self.language))
    }

    /// Predicted merits of sequences, on the scale of the targets (0 to 1).
    ///
    /// # Errors
    /// When there are none, one is none of the language, or the weights are not finite.
    pub fn predict(&self, sequences: &[Vec<Token>]) -> Result<Vec<f32>, ControllerError> {
        let mut predictions = Vec::with_capacity(sequences.len());
        for batch in sequences.chunks(PREDICT_BATCH) {
            predictions.extend(self.predict_embedding(&self.encode(batch)?));
        }
        if predictions.iter().all(|prediction| prediction.is_finite()) {
            Ok(predictions)
        } else {
            Err(ControllerError::NotFinite { what: "predictions" })
        }
    }

    /// Predicted merits of embeddings, on the scale of the targets (0 to 1).
    pub fn predict_embedding(&self, embedding: &Embedding) -> Vec<f32> {
        floats(self.networks.valid().predictor.forward(embedding.arch.clone(), &mut Mode::Infer))
    }

    /// The gradient of each prediction with respect to its own encoder outputs, `[batch, time, hidden]`: through
    /// the mean, the second normalisation and the predictor, not through the encoder.
    pub fn ascent_gradient(&self, embedding: &Embedding) -> Tensor<3> {
        // burn keeps gradients of leaves only, so the outputs become one.
        let steps = embedding.steps.clone().detach().autodiff().require_grad();
        let arch = Embedding::of_steps(steps.clone()).arch;
        // The weights are no leaves beside it: those of graphs in several threads would join these graphs, which burn
        // does not survive.
        let predictor = self.networks.predictor.clone().no_grad();
        let predictions = predictor.forward(arch, &mut Mode::Infer);
        let mut gradients = predictions.sum().backward();
        steps.grad_remove(&mut gradients).unwrap_or_else(|| steps.without_autodiff().zeros_like())
    }

    /// One gradient step of size `step` (eta in the paper) up the prediction: e' = normalise(e + step * g), always
    /// from the given embedding. A negative step goes down.
    pub fn ascend(&self, embedding: &Embedding, step: f64) -> Embedding {
        let gradient = self.ascent_gradient(embedding);
        Embedding::of_steps(normalise(embedding.steps.clone() + gradient.mul_scalar(step)))
    }

    /// Greedy decoding under the grammar: every sequence is one of the space. The decoder starts from
    /// h = c = `embedding.arch` and attends over `embedding.steps`.
    ///
    /// # Errors
    /// When the grammar allows no token at some position, so that it is another space's.
    pub fn decode(
        &self,
        embedding: &Embedding,
        grammar: &dyn Grammar,
    ) -> Result<Vec<Vec<Token>>, ControllerError> {
        self.networks.valid().decoder.decode(embedding, &self.language, grammar)
    }

    /// Log probabilities that the decoder gives to every token of the vocabulary when the sequences are forced
    /// upon it, `[batch, length, vocabulary]`, without the grammar.
    ///
    /// # Errors
    /// When the sequences are none of the language, or not as many as embeddings.
    pub fn log_probs(
        &self,
        embedding: &Embedding,
        sequences: &[Vec<Token>],
    ) -> Result<Tensor<3>, ControllerError> {
        self.check_sequences(sequences)?;
        if sequences.len() != embedding.batch() {
            let targets = embedding.batch();
            return Err(ControllerError::Pairs { sequences: sequences.len(), targets });
        }
        let networks = self.networks.valid();
        let flat = networks.log_probs(embedding, &slices(sequences), &self.language, &mut Mode::Infer);
        Ok(flat.reshape([sequences.len(), self.language.sequence_len, self.language.vocabulary_len()]))
    }

    /// The losses of a batch, without dropout.
    ///
    /// # Errors
    /// As [`fit`](Controller::fit).
    pub fn loss(&self, sequences: &[Vec<Token>], targets: &[f32]) -> Result<Losses, ControllerError> {
        Ok(losses(&self.forward(&self.networks.valid(), sequences, targets)?))
    }

    /// The losses of a batch and their gradient, without dropout and unclipped.
    ///
    /// # Errors
    /// As [`fit`](Controller::fit).
    pub fn gradients(
        &self,
        sequences: &[Vec<Token>],
        targets: &[f32],
    ) -> Result<(Losses, Gradients), ControllerError> {
        // Leaves of its own, for the same reason as in the ascent.
        let networks = self.networks.clone().no_grad().set_require_grad(true);
        let forward = self.forward(&networks, sequences, targets)?;
        let gradients = GradientsParams::from_grads(forward.loss.backward(), &networks);
        let norm = nao_kernels::nn::gradient_norm_on_device(&networks, &gradients);
        let norm = norm.and_then(|norm| floats(norm).first().copied()).unwrap_or(0.0);
        let parameters = named_values(&self.networks, self.names(), Some(&gradients));
        Ok((losses(&forward), Gradients { parameters, norm }))
    }

    /// All weights under the authors' names, in their layouts.
    pub fn parameters(&self) -> Vec<NamedValues> {
        named_values(&self.networks, self.names(), None)
    }

    /// The weights as a safetensors file under the authors' parameter names, bit-exact.
    ///
    /// # Errors
    /// When the file cannot be built.
    pub fn save_safetensors(&self) -> Result<Vec<u8>, ControllerError> {
        weights::to_bytes(Some(&self.networks), self.names(), None)
    }

    /// Takes over the weights of such a file. Strict: every parameter must be there, in its shape, and nothing
    /// else. On an error the weights are as before.
    ///
    /// # Errors
    /// Lists missing, extra and misshapen tensors.
    pub fn load_safetensors(&mut self, bytes: &[u8]) -> Result<(), ControllerError> {
        self.load(weights::read_values(bytes)?)
    }

    /// Takes over weights under the authors' names, as strictly as
    /// [`load_safetensors`](Controller::load_safetensors).
    ///
    /// # Errors
    /// Lists missing, extra and misshapen tensors.
    pub fn load(&mut self, parameters: Vec<NamedValues>) -> Result<(), ControllerError> {
        self.networks = weights::load(self.networks.clone(), self.names(), parameters)?;
        Ok(())
    }

    /// The weights as a safetensors file with one entry in its header.
    pub(crate) fn save_with(&self, key: &str, value: String) -> Result<Vec<u8>, ControllerError> {
        weights::to_bytes(Some(&self.networks), self.names(), Some((key.to_owned(), value)))
    }

    fn names(&self) -> Names {
        Names::of(&self.config)
    }

    fn forward(
        &self,
        networks: &Networks,
        sequences: &[Vec<Token>],
        targets: &[f32],
    ) -> Result<Forward, ControllerError> {
        self.check_pairs(sequences, targets)?;
        Ok(networks.forward(&slices(sequences), targets, &self.config, &self.language, &mut Mode::Infer))
    }

    fn check_pairs(&self, sequences: &[Vec<Token>], targets: &[f32]) -> Result<(), ControllerError> {
        if sequences.len() != targets.len() || sequences.is_empty() {
            return Err(ControllerError::Pairs { sequences: sequences.len(), targets: targets.len() });
        }
        if let Some(index) = targets.iter().position(|target| !target.is_finite()) {
            return Err(ControllerError::Target { index, value: f64::from(targets[index]) });
        }
        self.check_sequences(sequences)
    }

    fn check_sequences(&self, sequences: &[Vec<Token>]) -> Result<(), ControllerError> {
        if sequences.is_empty() {
            return Err(ControllerError::Empty);
        }
        let vocabulary = self.language.vocabulary_len();
        for (index, sequence) in sequences.iter().enumerate() {
            let (found, expected) = (sequence.len(), self.language.sequence_len);
            if found != expected {
                return Err(ControllerError::Length { index, found, expected });
            }
            if let Some(position) = sequence.iter().position(|token| token.index() >= vocabulary) {
                let token = sequence[position].0;
                return Err(ControllerError::Token { index, position, token, vocabulary });
            }
        }
        Ok(())
    }
}

fn slices(sequences: &[Vec<Token>]) -> Vec<&[Token]> {
    sequences.iter().map(Vec::as_slice).collect()
}

fn losses(forward: &Forward) -> Losses {
    let read = |loss: &Tensor<1>| floats(loss.clone()).first().copied().unwrap_or(f32::NAN);
    Losses {
        loss: read(&forward.loss),
        prediction: read(&forward.prediction_loss),
        reconstruction: read(&forward.reconstruction_loss),
    }
}
