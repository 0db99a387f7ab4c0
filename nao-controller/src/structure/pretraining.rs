//! Learning a space without labels: encoder and decoder are trained to write down what they read, and to read the
//! structural features from the embedding.

use std::time::Instant;

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use nao_kernels::nn::clip_gradients;
use nao_space::features::{FeatureMap, Features};
use nao_space::seed::rng_for;
use nao_space::{Graphs, Token};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::config::PretrainingConfig;
use super::networks::StructureNetworks;
use crate::error::ControllerError;
use crate::init::standard_normal;
use crate::language::{Grammar, Language};
use crate::ops::{negative_log_likelihood, normalise, one_hot};

/// Architectures that the result is measured on, drawn apart from those learned from.
const CHECKED: usize = 2_000;
/// Sequences that go through the networks at once.
const CHUNK: usize = 256;

/// What pre-training came to, on architectures that it did not see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PretrainingReport {
    /// Architectures learned from.
    pub cells: usize,
    /// Architectures measured on.
    pub checked: usize,
    /// The share of those that are written down without any error.
    pub exact: f64,
    /// Mean number of wrong tokens.
    pub hamming: f64,
    /// The share of the variance of the features that is read from the embedding.
    pub explained: f64,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// What a search of the preset `structure` knows of a space before it has measured anything: how features vary, and
/// the networks between sequences, embedding and features. Searches share it.
pub struct PretrainedSpace {
    pub(super) config: PretrainingConfig,
    pub(super) language: Language,
    pub(super) map: FeatureMap,
    /// Weights that follow what is computed with them but ask for no gradient of their own: as leaves of graphs in several
    /// threads they would join these graphs, which burn does not survive (one thread waits for the other's graph while it
    /// holds the list of all graphs, the other the other way round).
    pub(super) networks: StructureNetworks,
    pub(super) report: PretrainingReport,
}

impl PretrainedSpace {
    /// Learns a space; takes about a minute on one core.
    ///
    /// # Errors
    /// When the training leaves the finite numbers.
    pub fn learn<S: Graphs>(
        space: &S,
        config: &PretrainingConfig,
        device: &Device,
    ) -> Result<Self, ControllerError> {
        let start = Instant::now();
        let language = Language::of(space);
        let map = config.feature_map(space);
        let mut rng = rng_for(config.seed, "pretraining cells", 0);
        let archs: Vec<S::Arch> = (0..config.cells).map(|_| space.sample(&mut rng)).collect();
        let examples = TrainingSet::of(space, &map, &archs);
        let mut rng = rng_for(config.seed, "pretraining weights", 0);
        let device = device.clone().autodiff();
        let networks = StructureNetworks::new(config, &language, examples.width, &mut rng, &device);
        let mut rng = rng_for(config.seed, "pretraining", 0);
        let networks = train(networks, config, &language, &examples, &mut rng)?;
        let mut pretrained = PretrainedSpace {
            config: config.clone(),
            language,
            map,
            networks: networks.no_grad(),
            report: PretrainingReport {
                cells: archs.len(),
                checked: 0,
                exact: 0.0,
                hamming: 0.0,
                explained: 0.0,
                seconds: 0.0,
            },
        };
        if config.steps > 0 {
            pretrained.measure(space, &archs)?;
        }
        pretrained.report.seconds = start.elapsed().as_secs_f64();
        tracing::info!(report = ?pretrained.report, space = space.name(), "pre-training");
        Ok(pretrained)
    }

    /// The settings with which it was learned.
    pub fn config(&self) -> &PretrainingConfig {
        &self.config
    }

    /// How the features of the space vary.
    pub fn map(&self) -> &FeatureMap {
        &self.map
    }

    /// What the pre-training came to.
    pub fn report(&self) -> &PretrainingReport {
        &self.report
    }

    /// Sequences to their embedding, `[batch, steps, hidden]`; every step has length 1.
    pub fn encode(&self, sequences: &[Vec<Token>]) -> Tensor<3> {
        let networks = self.networks.valid();
        let chunks = sequences
            .chunks(CHUNK)
            .map(|chunk| networks.encode(&chunk.iter().map(Vec::as_slice).collect::<Vec<_>>()));
        Tensor::cat(chunks.collect(), 0)
    }

    /// The features that embeddings hold.
    pub fn read(&self, embedding: Tensor<3>) -> Vec<Vec<f64>> {
        rows(self.networks.valid().read(embedding))
    }

    /// Embeddings to sequences: at every position the likeliest of the tokens that the grammar allows.
    ///
    /// # Errors
    /// When the grammar allows no token at some position, so that it is another space's.
    pub fn decode(
        &self,
        embedding: Tensor<3>,
        grammar: &dyn Grammar,
    ) -> Result<Vec<Vec<Token>>, ControllerError> {
        let (length, vocabulary) = (self.language.sequence_len, self.language.vocabulary_len());
        let log_probs = crate::ops::floats(self.networks.valid().write(embedding));
        log_probs.chunks(length * vocabulary).map(|sequence| write(sequence, length, grammar)).collect()
    }

    /// Refuses another space.
    pub(crate) fn check_space<S: Graphs>(&self, space: &S) -> Result<(), ControllerError> {
        check_language(&self.language, &Language::of(space))
    }

    /// Refuses other settings.
    pub(crate) fn check_settings(&self, config: &PretrainingConfig) -> Result<(), ControllerError> {
        match self.config.differences(config) {
            Some(differences) => {
                Err(ControllerError::OtherSettings { space: self.language.space.clone(), differences })
            }
            None => Ok(()),
        }
    }

    fn measure<S: Graphs>(&mut self, space: &S, seen: &[S::Arch]) -> Result<(), ControllerError> {
        let known: std::collections::HashSet<Vec<Token>> =
            seen.iter().map(|arch| space.encode(arch)).collect();
        let mut rng = rng_for(self.config.seed, "pretraining check", 0);
        let archs: Vec<S::Arch> = (0..CHECKED)
            .map(|_| space.sample(&mut rng))
            .filter(|arch| !known.contains(&space.encode(arch)))
            .collect();
        if archs.is_empty() {
            // A space so small that all of it was learned from.
            self.report.exact = 1.0;
            return Ok(());
        }
        let examples = TrainingSet::of(space, &self.map, &archs);
        let (mut wrong, mut inexact, mut squares, mut all_squares) = (0, 0, 0.0, 0.0);
        for (chunk, sequences) in examples.sequences.chunks(CHUNK).enumerate() {
            let embedding = self.encode(sequences);
            let features = examples.features[chunk * CHUNK * examples.width..].iter();
            let read = self.read(embedding.clone()).into_iter().flatten();
            for (read, &feature) in read.zip(features) {
                squares += (read - f64::from(feature)).powi(2);
                all_squares += f64::from(feature).powi(2);
            }
            for (written, sequence) in self.decode(embedding, space)?.iter().zip(sequences) {
                let errors = written.iter().zip(sequence).filter(|(a, b)| a != b).count();
                wrong += errors;
                inexact += usize::from(errors > 0);
            }
        }
        let checked = archs.len() as f64;
        self.report.checked = archs.len();
        self.report.exact = 1.0 - inexact as f64 / checked;
        self.report.hamming = wrong as f64 / checked;
        self.report.explained = 1.0 - squares / all_squares;
        Ok(())
    }
}

/// Refuses a pre-training of another language than the one that is wanted.
pub(super) fn check_language(learned: &Language, wanted: &Language) -> Result<(), ControllerError> {
    if learned == wanted {
        return Ok(());
    }
    let (learned, wanted) = (learned.space.clone(), wanted.space.clone());
    Err(match learned == wanted {
        true => ControllerError::OtherLanguage { space: wanted },
        false => ControllerError::OtherPretraining { learned, wanted },
    })
}

/// What the readout is to read: the structure, or of a space without graphs the tokens; squared distances have mean
/// 1.
pub(crate) fn readout_target(map: &FeatureMap, features: &Features, vocabulary: usize) -> Vec<f64> {
    if !features.structure.is_empty() {
        return features.structure.clone();
    }
    let mut row = vec![0.0; features.choices.len() * vocabulary];
    let value = (2.0 * map.mean_hamming()).sqrt().recip();
    for (position, token) in features.choices.iter().enumerate() {
        row[position * vocabulary + token.index()] = value;
    }
    row
}

/// Sequences with the features to be read from their embedding.
struct TrainingSet {
    sequences: Vec<Vec<Token>>,
    /// `[sequences, width]`, each column of about variance 1.
    features: Vec<f32>,
    width: usize,
}

impl TrainingSet {
    fn of<S: Graphs>(space: &S, map: &FeatureMap, archs: &[S::Arch]) -> Self {
        let vocabulary = space.vocabulary().len();
        let mut features = Vec::new();
        for arch in archs {
            let target = readout_target(map, &map.features(space, arch), vocabulary);
            features.extend(target.into_iter().map(|value| value as f32));
        }
        let width = features.len() / archs.len().max(1);
        TrainingSet { sequences: archs.iter().map(|arch| space.encode(arch)).collect(), features, width }
    }
}

fn train(
    mut networks: StructureNetworks,
    config: &PretrainingConfig,
    language: &Language,
    examples: &TrainingSet,
    rng: &mut ChaCha8Rng,
) -> Result<StructureNetworks, ControllerError> {
    let device = networks.device();
    let mut optimizer = AdamConfig::new().with_beta_1(0.9).with_beta_2(0.999).with_epsilon(1e-8).init();
    // The mean squared error of a column is that of standardised values.
    let unit = 2.0 * examples.width as f64;
    for step in 0..config.steps {
        let picked: Vec<usize> =
            (0..config.batch).map(|_| rng.random_range(0..examples.sequences.len())).collect();
        let sequences: Vec<&[Token]> = picked.iter().map(|&at| examples.sequences[at].as_slice()).collect();
        let rows = picked.iter().flat_map(|&at| &examples.features[at * examples.width..][..examples.width]);
        let features = TensorData::new(rows.copied().collect::<Vec<f32>>(), [config.batch, examples.width]);
        let features = Tensor::<2>::from_data(features, &device);
        let embedding = networks.encode(&sequences);
        let embedding = normalise(embedding.clone() + noise(embedding.dims(), config.noise, rng, &device));
        let tokens: Vec<Token> = sequences.iter().flat_map(|sequence| sequence.iter().copied()).collect();
        let tokens = one_hot(tokens.into_iter(), language.vocabulary_len(), &device);
        let written = negative_log_likelihood(networks.write(embedding.clone()), tokens);
        let read = (networks.read(embedding) - features).square().mean().mul_scalar(unit);
        let loss = written.clone() + read.clone();
        let gradients = GradientsParams::from_grads(loss.backward(), &networks);
        let gradients = clip_gradients(&networks, gradients, config.clip);
        networks = optimizer.step(one_cycle(config, step), networks, gradients);
        if step % 200 == 199 || step + 1 == config.steps {
            let loss = crate::ops::floats(loss)[0];
            tracing::debug!(step, loss, "pre-training");
            if !loss.is_finite() {
                let (epoch, loss, learning_rate) = (step + 1, f64::from(loss), config.learning_rate);
                return Err(ControllerError::Diverged { epoch, loss, learning_rate });
            }
        }
    }
    Ok(networks)
}

/// Random vectors of about the given length.
fn noise(shape: [usize; 3], length: f64, rng: &mut ChaCha8Rng, device: &Device) -> Tensor<3> {
    let scale = length / (shape[2] as f64).sqrt();
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| (scale * standard_normal(rng)) as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// One cycle: up from 1/25 of the highest rate over 30 % of the steps, then down to 1/250,000 of it, both along half a
/// cosine.
fn one_cycle(config: &PretrainingConfig, step: usize) -> f64 {
    let highest = config.learning_rate;
    let up = (0.3 * config.steps as f64 - 1.0).max(1.0);
    let down = (config.steps as f64 - 1.0 - up).max(1.0);
    let between = |from: f64, to: f64, share: f64| {
        to + (from - to) / 2.0 * (1.0 + (std::f64::consts::PI * share.min(1.0)).cos())
    };
    match step as f64 {
        step if step <= up => between(highest / 25.0, highest, step / up),
        step => between(highest, highest / 250_000.0, (step - up) / down),
    }
}

/// The likeliest sequence of log probabilities `[length, vocabulary]`, position by position.
fn write(log_probs: &[f32], length: usize, grammar: &dyn Grammar) -> Result<Vec<Token>, ControllerError> {
    let mut sequence = Vec::with_capacity(length);
    for (position, log_probs) in log_probs.chunks(log_probs.len() / length).enumerate() {
        let allowed = grammar.next_tokens(&sequence);
        // Of equals the lower token.
        let likelier = |best: Token, token: Token| {
            if log_probs[token.index()] > log_probs[best.index()] { token } else { best }
        };
        let best = allowed.iter().reduce(likelier);
        sequence.push(best.ok_or(ControllerError::NothingAllowed { position, length })?);
    }
    Ok(sequence)
}

/// The rows of a tensor.
pub(super) fn rows(tensor: Tensor<2>) -> Vec<Vec<f64>> {
    let [_, width] = tensor.dims();
    let values = crate::ops::floats(tensor);
    values.chunks(width.max(1)).map(|row| row.iter().copied().map(f64::from).collect()).collect()
}
