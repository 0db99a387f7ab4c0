//! The surrogate of progressive search: an ensemble of LSTMs that predict how good a sequence of choices is.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use nao_kernels::nn::Adam;
use nao_kernels::{LstmInput, RowNumbers};
use nao_space::Token;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::bundle::NamedFloats;
use crate::error::ControllerError;
use crate::init;
use crate::ops::floats;
use crate::ops::{Linear, Lstm, LstmState, Symbols, sigmoid};
use crate::parameters;

/// Settings of the surrogate of [`PnasSearch`](crate::PnasSearch).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SurrogateConfig {
    /// Networks whose predictions are averaged. Each learns from all observations but its share: with five, four fifths.
    pub members: usize,
    /// Width of the token embedding.
    pub embedding: usize,
    /// Units of the LSTM.
    pub hidden: usize,
    /// All weights start uniform in -bound to bound.
    pub initial_bound: f64,
    /// Passes over the observations per fit.
    pub epochs: usize,
    /// Sequences per step.
    pub batch: usize,
    /// Adam's learning rate in the first fit.
    pub first_learning_rate: f64,
    /// Its learning rate in later fits, which go on from the weights of the one before.
    pub learning_rate: f64,
}

impl Default for SurrogateConfig {
    /// The published sizes and learning rates. Epochs and batches are not published.
    fn default() -> Self {
        SurrogateConfig {
            members: 5,
            embedding: 100,
            hidden: 100,
            initial_bound: 0.1,
            epochs: 20,
            batch: 64,
            first_learning_rate: 0.01,
            learning_rate: 0.002,
        }
    }
}

impl SurrogateConfig {
    /// Checks every field; `space` names the space in messages.
    ///
    /// # Errors
    /// Names the first field that cannot be, its value and what it may be.
    pub fn check(&self, space: &str) -> Result<(), ControllerError> {
        let refuse = |field: &'static str, problem: String| {
            Err(ControllerError::Config { field, problem, space: space.to_owned() })
        };
        let counts = [
            ("members", self.members),
            ("embedding", self.embedding),
            ("hidden", self.hidden),
            ("epochs", self.epochs),
            ("batch", self.batch),
        ];
        if let Some((field, _)) = counts.into_iter().find(|&(_, count)| count == 0) {
            return refuse(field, "is 0; it must be at least 1".into());
        }
        let positive = [
            ("initial_bound", self.initial_bound),
            ("first_learning_rate", self.first_learning_rate),
            ("learning_rate", self.learning_rate),
        ];
        for (field, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                return refuse(field, format!("is {value}; it must be above 0"));
            }
        }
        Ok(())
    }
}

/// A sequence of choices and its target in 0 to 1.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    pub(crate) tokens: Vec<Token>,
    pub(crate) target: f32,
}

/// The ensemble.
pub(crate) struct Surrogate {
    config: SurrogateConfig,
    vocabulary: usize,
    members: Vec<SurrogateNetwork>,
    fits: u64,
}

/// One member: an LSTM over token embeddings, and a sigmoid of a linear function of its last state.
#[derive(Module, Debug)]
struct SurrogateNetwork {
    /// `[vocabulary, embedding]`.
    embedding: Param<Tensor<2>>,
    rnn: Lstm,
    out: Linear,
}

impl Surrogate {
    pub(crate) fn new(
        config: &SurrogateConfig,
        vocabulary: usize,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let device = device.clone().autodiff();
        let SurrogateConfig { embedding, hidden, initial_bound: bound, .. } = *config;
        let members = (0..config.members).map(|_| SurrogateNetwork {
            embedding: init::uniform([vocabulary, embedding], bound, rng, &device),
            rnn: Lstm::within(embedding, hidden, bound, rng, &device),
            out: Linear::within(hidden, 1, bound, rng, &device),
        });
        Surrogate { members: members.collect(), config: config.clone(), vocabulary, fits: 0 }
    }

    /// Goes on learning, with a fresh Adam, from all that is known. A member whose gradient is no finite number keeps
    /// the weights that it had before.
    pub(crate) fn fit(&mut self, examples: &[Example], rng: &mut ChaCha8Rng) {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        order.shuffle(rng);
        let count = self.members.len();
        for (member, network) in self.members.iter_mut().enumerate() {
            // Of few observations, or in an ensemble of one, nothing can be left out.
            let left_out = |&(place, _): &(usize, &usize)| {
                examples.len() >= count && count > 1 && place % count == member
            };
            let own = order.iter().enumerate().filter(|entry| !left_out(entry));
            let own: Vec<&Example> = own.map(|(_, &at)| &examples[at]).collect();
            let rate = match self.fits {
                0 => self.config.first_learning_rate,
                _ => self.config.learning_rate,
            };
            network.train(&own, &self.config, rate, self.vocabulary, rng);
        }
        self.fits += 1;
    }

    /// The mean prediction for sequences of one length.
    pub(crate) fn predict(&self, sequences: &[Vec<Token>]) -> Vec<f64> {
        let tree = PrefixTree::of(sequences);
        let mut sums = vec![0.0; sequences.len()];
        for member in &self.members {
            let predictions = member.valid().predict(&tree);
            for (sum, &leaf) in sums.iter_mut().zip(&tree.leaves) {
                *sum += f64::from(predictions[leaf]) / self.members.len() as f64;
            }
        }
        sums
    }

    pub(crate) fn fits(&self) -> u64 {
        self.fits
    }

    /// All weights under names.
    pub(crate) fn save(&self) -> Vec<NamedFloats> {
        let named = self.members.iter().enumerate().flat_map(|(member, network)| {
            let values = parameters::values(network).into_iter().enumerate();
            values.map(move |(at, values)| NamedFloats { name: format!("{member}.weights.{at}"), values })
        });
        named.collect()
    }

    /// Takes over weights that [`save`](Surrogate::save) gave of an ensemble of the same construction.
    pub(crate) fn restore(
        &mut self,
        fits: u64,
        floats: &BTreeMap<String, Vec<f32>>,
    ) -> Result<(), ControllerError> {
        let mut members = Vec::with_capacity(self.members.len());
        for (member, network) in self.members.iter().enumerate() {
            let count = parameters::values(network).len();
            let values = (0..count)
                .map(|at| floats.get(&format!("{member}.weights.{at}")).cloned().unwrap_or_default());
            members.push(parameters::with_values(network.clone(), values.collect())?);
        }
        (self.members, self.fits) = (members, fits);
        Ok(())
    }
}

impl SurrogateNetwork {
    fn train(
        &mut self,
        examples: &[&Example],
        config: &SurrogateConfig,
        learning_rate: f64,
        vocabulary: usize,
        rng: &mut ChaCha8Rng,
    ) {
        let mut adam = Adam::new(0.9, 0.999, 1e-8);
        for _ in 0..config.epochs {
            for batch in batches(examples, config.batch, rng) {
                let sequences: Vec<&[Token]> =
                    batch.iter().map(|example| example.tokens.as_slice()).collect();
                let targets: Vec<f32> = batch.iter().map(|example| example.target).collect();
                let targets = TensorData::new(targets, [batch.len(), 1]);
                let targets = Tensor::from_data(targets, &self.embedding.device());
                let loss = (self.forward(&sequences, vocabulary) - targets).abs().mean();
                let gradients = GradientsParams::from_grads(loss.backward(), self);
                match adam.step(self, &gradients, learning_rate) {
                    Some(network) => *self = network,
                    None => return,
                }
            }
        }
    }

    /// Predictions `[batch, 1]` for sequences of one length.
    fn forward(&self, sequences: &[&[Token]], vocabulary: usize) -> Tensor<2> {
        let symbols = Symbols::new(sequences, 1, vocabulary);
        let table = self.rnn.gate_table(self.embedding.val(), 1);
        let input = LstmInput::Rows(table, symbols.rows());
        let (_, last) = self.rnn.run_to_end(input, self.start(symbols.batch()));
        sigmoid(self.out.forward(last.hidden))
    }

    /// Predictions for the leaves of a tree, in its order. Each prefix is read once.
    fn predict(&self, tree: &PrefixTree) -> Vec<f32> {
        let table = self.rnn.gate_table(self.embedding.val(), 1);
        let mut state = self.start(1);
        for level in &tree.levels {
            let device = self.embedding.device();
            let parents = TensorData::new(level.parents.clone(), [level.parents.len()]);
            let parents = Tensor::<1, Int>::from_data(parents, &device);
            let start = LstmState {
                hidden: state.hidden.select(0, parents.clone()),
                cell: state.cell.select(0, parents),
            };
            let rows = RowNumbers { numbers: level.tokens.as_slice().into(), time: 1, width: 1 };
            state = self.rnn.run_to_end(LstmInput::Rows(table.clone(), rows), start).1;
        }
        floats(sigmoid(self.out.forward(state.hidden)))
    }

    fn start(&self, batch: usize) -> LstmState {
        LstmState::zeros(batch, self.rnn.weight_hh.dims()[1], &self.embedding.device())
    }
}

/// Batches of sequences of one length each, in random order.
fn batches<'a>(examples: &[&'a Example], size: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<&'a Example>> {
    let mut shuffled = examples.to_vec();
    shuffled.shuffle(rng);
    let mut by_length: BTreeMap<usize, Vec<&Example>> = BTreeMap::new();
    for example in shuffled {
        by_length.entry(example.tokens.len()).or_default().push(example);
    }
    let chunks = by_length.values().flat_map(|examples| examples.chunks(size).map(<[_]>::to_vec));
    let mut batches: Vec<Vec<&Example>> = chunks.collect();
    batches.shuffle(rng);
    batches
}

/// Sequences of one length by their prefixes: candidates are extensions of few parents, so that most of what they say is
/// said by many of them.
struct PrefixTree {
    levels: Vec<PrefixLevel>,
    /// The place of each sequence in the last level.
    leaves: Vec<usize>,
}

/// The distinct prefixes of one length.
struct PrefixLevel {
    /// The place of the prefix before the last token in the level before.
    parents: Vec<i64>,
    /// The last token.
    tokens: Vec<u32>,
}

impl PrefixTree {
    fn of(sequences: &[Vec<Token>]) -> Self {
        let length = sequences.first().map_or(0, Vec::len);
        let (mut levels, mut places) = (Vec::with_capacity(length), vec![0usize; sequences.len()]);
        for position in 0..length {
            let mut known: BTreeMap<(usize, Token), usize> = BTreeMap::new();
            let mut level = PrefixLevel { parents: Vec::new(), tokens: Vec::new() };
            for (place, sequence) in places.iter_mut().zip(sequences) {
                let (parent, token) = (*place, sequence[position]);
                *place = *known.entry((parent, token)).or_insert_with(|| {
                    level.parents.push(parent as i64);
                    level.tokens.push(token.index() as u32);
                    level.tokens.len() - 1
                });
            }
            levels.push(level);
        }
        PrefixTree { levels, leaves: places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::kendall_tau;
    use nao_space::seed::rng_for;
    use rand::RngExt;

    fn config() -> SurrogateConfig {
        SurrogateConfig { embedding: 8, hidden: 16, ..SurrogateConfig::default() }
    }

    fn sequences(count: usize, length: usize, seed: u64) -> Vec<Vec<Token>> {
        let mut rng = rng_for(seed, "sequences", 0);
        (0..count).map(|_| (0..length).map(|_| Token(rng.random_range(1..6))).collect()).collect()
    }

    fn target(tokens: &[Token]) -> f32 {
        tokens.iter().filter(|token| token.0 == 4).count() as f32 / tokens.len() as f32
    }

    #[test]
    fn reading_prefixes_once_predicts_what_reading_all_does() {
        let surrogate = Surrogate::new(&config(), 6, &mut rng_for(1, "weights", 0), &Device::flex());
        let sequences = sequences(40, 4, 2);
        let slices: Vec<&[Token]> = sequences.iter().map(Vec::as_slice).collect();
        let mut means = vec![0.0; 40];
        for member in &surrogate.members {
            for (mean, value) in means.iter_mut().zip(floats(member.forward(&slices, 6))) {
                *mean += f64::from(value) / 5.0;
            }
        }
        for (prediction, mean) in surrogate.predict(&sequences).iter().zip(means) {
            assert!((prediction - mean).abs() < 1e-6, "{prediction} {mean}");
        }
        let tree = PrefixTree::of(&sequences);
        assert!(tree.levels[0].tokens.len() <= 5 && tree.levels[1].tokens.len() <= 25);
    }

    #[test]
    fn it_learns_to_rank_and_reads_longer_sequences_than_it_learned_from() {
        let mut surrogate = Surrogate::new(&config(), 6, &mut rng_for(1, "weights", 0), &Device::flex());
        let mut rng = rng_for(2, "fit", 0);
        let mut examples = Vec::new();
        for length in [3, 4] {
            let more = sequences(80, length, length as u64);
            examples.extend(more.into_iter().map(|tokens| Example { target: target(&tokens), tokens }));
            surrogate.fit(&examples, &mut rng);
        }
        assert_eq!(surrogate.fits(), 2);
        for (length, least) in [(4, 0.6), (5, 0.5)] {
            let unseen = sequences(60, length, 9);
            let truth: Vec<f64> = unseen.iter().map(|tokens| f64::from(target(tokens))).collect();
            let tau = kendall_tau(&surrogate.predict(&unseen), &truth).unwrap();
            assert!(tau > least, "{length}: {tau}");
        }
    }

    #[test]
    fn what_is_no_number_does_not_spread() {
        let mut surrogate = Surrogate::new(&config(), 6, &mut rng_for(1, "weights", 0), &Device::flex());
        let examples: Vec<Example> =
            sequences(6, 3, 1).into_iter().map(|tokens| Example { tokens, target: f32::NAN }).collect();
        surrogate.fit(&examples, &mut rng_for(2, "fit", 0));
        assert!(surrogate.predict(&sequences(3, 3, 5)).iter().all(|prediction| prediction.is_finite()));
    }
}
