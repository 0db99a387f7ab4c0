//! A policy with what it needs to learn: optimiser and baseline.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use nao_kernels::nn::Adam;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::config::{EntropyUse, PolicyConfig, PolicyRule};
use super::draw::Draw;
use super::network::{PolicyNetwork, TrainingSet};
use super::surrogate::{self, Batch};
use crate::adam;
use crate::bundle::NamedFloats;
use crate::error::ControllerError;
use crate::language::{Grammar, Language};
use crate::ops::floats;
use crate::parameters;

/// A drawn sequence and what it earned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experience {
    /// The sequence as drawn.
    pub draw: Draw,
    /// A finite number; larger is better.
    pub reward: f64,
}

/// What an update did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyUpdate {
    /// Steps of the optimiser; fewer than the rule takes where a gradient was no finite number, which ends the update
    /// before it does harm.
    pub steps: usize,
    /// Mean reward of the batch.
    pub reward: f64,
    /// The baseline that was subtracted.
    pub baseline: f64,
    /// Mean entropy of the choices on the way to the sequences.
    pub entropy: f64,
}

/// A policy over the sequences of a language that learns from rewards.
///
/// ```
/// use burn::tensor::Device;
/// use nao_controller::{Experience, Language, PolicyConfig, PolicyLearner};
/// use nao_space::seed::rng_for;
/// use nao_space::{NasBench201Space, Space, Token};
///
/// let space = NasBench201Space::default();
/// let mut rng = rng_for(1, "example", 0);
/// let config = PolicyConfig { learning_rate: 0.02, ..PolicyConfig::reinforce() };
/// let mut policy = PolicyLearner::new(config, Language::of(&space), &Device::flex(), &mut rng)?;
/// // Sequences are worth the share of their tokens that are 4.
/// for _ in 0..60 {
///     let examples = policy.draw(20, &space, &mut rng)?.into_iter().map(|draw| {
///         let reward = draw.sequence.iter().filter(|token| token.0 == 4).count() as f64 / 6.0;
///         Experience { draw, reward }
///     });
///     policy.learn(&examples.collect::<Vec<_>>(), &space)?;
/// }
/// let drawn = policy.draw(20, &space, &mut rng)?;
/// assert!(drawn.iter().filter(|draw| draw.sequence == [Token(4); 6]).count() > 15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PolicyLearner {
    config: PolicyConfig,
    language: Language,
    /// With weights that record gradients.
    network: PolicyNetwork,
    adam: Adam,
    /// The moving average of rewards; `None` before the first.
    baseline: Option<f64>,
}

/// What a policy remembers besides numbers by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyMemory {
    steps: u64,
    baseline: Option<f64>,
}

/// The prefix of names of what belongs to the optimiser.
const ADAM: &str = "adam";

impl PolicyLearner {
    /// A policy with random weights.
    ///
    /// # Errors
    /// As [`PolicyConfig::check`].
    pub fn new(
        config: PolicyConfig,
        language: Language,
        device: &Device,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, ControllerError> {
        config.check(&language)?;
        let network = PolicyNetwork::new(&config, &language, rng, &device.clone().autodiff());
        let adam = Adam::new(config.beta_1, config.beta_2, config.epsilon);
        Ok(PolicyLearner { config, language, network, adam, baseline: None })
    }

    /// The settings.
    pub fn config(&self) -> &PolicyConfig {
        &self.config
    }

    /// The moving average of rewards; `None` before the first.
    pub fn baseline(&self) -> Option<f64> {
        self.baseline
    }

    /// Draws sequences. Every one is valid: the odds are those of the tokens that the grammar allows.
    ///
    /// # Errors
    /// When the weights are no finite numbers, or the grammar allows no token at some position, so that it is another
    /// space's.
    pub fn draw(
        &self,
        count: usize,
        grammar: &dyn Grammar,
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<Draw>, ControllerError> {
        match count {
            0 => Ok(Vec::new()),
            _ => self.network.valid().sample(count, &self.language, grammar, rng),
        }
    }

    /// Learns from one batch, and takes its rewards into the baseline afterwards. The first batch is held against its
    /// own mean.
    ///
    /// # Errors
    /// When there is nothing to learn from, or a reward is no finite number.
    pub fn learn(
        &mut self,
        experiences: &[Experience],
        grammar: &dyn Grammar,
    ) -> Result<PolicyUpdate, ControllerError> {
        let rewards = self.rewards(experiences)?;
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / experiences.len() as f64;
        let reward = mean(&mut rewards.iter().copied());
        let baseline = self.baseline.unwrap_or(reward);
        let batch = Batch {
            advantages: rewards.iter().map(|reward| (reward - baseline) as f32).collect(),
            drawn_log_probs: experiences.iter().map(|example| example.draw.log_prob as f32).collect(),
        };
        let sequences = experiences.iter().map(|example| example.draw.sequence.clone()).collect();
        let examples = TrainingSet::new(sequences, &self.language, grammar, &self.network.device());
        let passes = match self.config.rule {
            PolicyRule::Reinforce => 1,
            PolicyRule::Ppo { passes, .. } => passes,
        };
        let mut steps = 0;
        for _ in 0..passes {
            let Some(network) = self.step(&examples, &batch) else { break };
            self.network = network;
            steps += 1;
        }
        let decay = self.config.baseline_decay;
        let average = |average: f64, reward: &f64| decay * average + (1.0 - decay) * reward;
        self.baseline = Some(rewards.iter().fold(baseline, average));
        let entropy = mean(&mut experiences.iter().map(|example| example.draw.entropy));
        Ok(PolicyUpdate { steps, reward, baseline, entropy })
    }

    /// Rewards as they count.
    fn rewards(&self, experiences: &[Experience]) -> Result<Vec<f64>, ControllerError> {
        if experiences.is_empty() {
            return Err(ControllerError::Empty);
        }
        if let Some(index) = experiences.iter().position(|example| !example.reward.is_finite()) {
            return Err(ControllerError::Target { index, value: experiences[index].reward });
        }
        let rewards = experiences.iter().map(|example| match self.config.entropy {
            EntropyUse::Gradient => example.reward,
            EntropyUse::Reward => example.reward + self.config.entropy_weight * example.draw.entropy,
        });
        Ok(rewards.collect())
    }

    /// The network after one step; `None` where the loss or a gradient is no finite number.
    fn step(&mut self, examples: &TrainingSet, batch: &Batch) -> Option<PolicyNetwork> {
        let loss = surrogate::loss(&self.config, self.network.judge(examples), batch);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        let finite = floats(loss).iter().all(|loss| loss.is_finite());
        finite.then(|| self.adam.step(&self.network, &gradients, self.config.learning_rate)).flatten()
    }

    /// Everything that [`restore`](PolicyLearner::restore) needs.
    pub(crate) fn save(&self) -> (PolicyMemory, Vec<NamedFloats>) {
        let weights = parameters::values(&self.network).into_iter().enumerate();
        let weights = weights.map(|(at, values)| NamedFloats { name: format!("weights.{at}"), values });
        let floats = weights.chain(adam::save(&self.adam, ADAM)).collect();
        (PolicyMemory { steps: self.adam.steps(), baseline: self.baseline }, floats)
    }

    /// Takes over what [`save`](PolicyLearner::save) gave of a policy of the same construction.
    pub(crate) fn restore(
        &mut self,
        memory: &PolicyMemory,
        floats: &BTreeMap<String, Vec<f32>>,
    ) -> Result<(), ControllerError> {
        let count = parameters::values(&self.network).len();
        let weights = (0..count).map(|at| floats.get(&format!("weights.{at}")).cloned().unwrap_or_default());
        let network = parameters::with_values(self.network.clone(), weights.collect())?;
        adam::restore(&mut self.adam, &network, ADAM, memory.steps, |name| floats.get(name).cloned())?;
        self.network = network;
        self.baseline = memory.baseline;
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod inside {
    //! What tests look at.

    use nao_space::Token;

    use super::*;

    impl PolicyLearner {
        /// The loss of a batch as a number.
        pub(crate) fn loss_of(
            &self,
            examples: &[Experience],
            advantages: &[f32],
            grammar: &dyn Grammar,
        ) -> f64 {
            let (examples, batch) = self.prepared(examples, advantages, grammar);
            f64::from(floats(surrogate::loss(&self.config, self.network.judge(&examples), &batch))[0])
        }

        /// The gradient of that loss.
        pub(crate) fn gradient_of(
            &self,
            examples: &[Experience],
            advantages: &[f32],
            grammar: &dyn Grammar,
        ) -> Vec<Vec<f32>> {
            let (examples, batch) = self.prepared(examples, advantages, grammar);
            let loss = surrogate::loss(&self.config, self.network.judge(&examples), &batch);
            parameters::gradients_of(
                &self.network,
                &GradientsParams::from_grads(loss.backward(), &self.network),
            )
        }

        fn prepared(
            &self,
            examples: &[Experience],
            advantages: &[f32],
            grammar: &dyn Grammar,
        ) -> (TrainingSet, Batch) {
            let sequences = examples.iter().map(|example| example.draw.sequence.clone()).collect();
            let batch = Batch {
                advantages: advantages.to_vec(),
                drawn_log_probs: examples.iter().map(|example| example.draw.log_prob as f32).collect(),
            };
            (TrainingSet::new(sequences, &self.language, grammar, &self.network.device()), batch)
        }

        /// All weights.
        pub(crate) fn weights(&self) -> Vec<Vec<f32>> {
            parameters::values(&self.network)
        }

        /// The same policy with other weights.
        pub(crate) fn with_weights(&self, weights: Vec<Vec<f32>>) -> Self {
            let network = parameters::with_values(self.network.clone(), weights).unwrap();
            PolicyLearner { network, ..self.clone() }
        }

        /// What it says of sequences now: log probability and entropy of each.
        pub(crate) fn log_probs(&self, sequences: Vec<Vec<Token>>, grammar: &dyn Grammar) -> Vec<(f32, f32)> {
            let examples = TrainingSet::new(sequences, &self.language, grammar, &self.network.device());
            let probability = self.network.judge(&examples);
            floats(probability.log_prob).into_iter().zip(floats(probability.entropy)).collect()
        }
    }
}
