//! The settings of a policy and of its training, with the published ones as presets.

use serde::{Deserialize, Serialize};

use crate::error::ControllerError;
use crate::language::Language;

/// By which rule a policy learns from rewards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PolicyRule {
    /// One step up the gradient of `advantage * log probability` per batch (Williams 1992).
    Reinforce,
    /// Several steps per batch, as far as the probability of a sequence stays within `1 -+ clip` of what it was when it
    /// was drawn (Schulman et al. 2017). A sequence is one action: its probability is the product over its tokens.
    Ppo {
        /// How far probabilities may move.
        clip: f64,
        /// Steps per batch.
        passes: usize,
    },
}

/// How the entropy of the policy is rewarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntropyUse {
    /// Its gradient is added to that of the rewards.
    Gradient,
    /// The entropy of the choices on the way to a sequence is added to the sequence's reward, as a number.
    Reward,
}

/// What turns the state of the LSTM into the odds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputLayer {
    /// A linear layer of its own for every position of a sequence.
    PerPosition,
    /// One linear layer for all positions.
    Shared,
}

/// Sizes of the policy network and how it is trained.
///
/// Presets: [`nasnet_ppo`](PolicyConfig::nasnet_ppo) (the default), [`reinforce`](PolicyConfig::reinforce),
/// [`enas`](PolicyConfig::enas); [`named`](PolicyConfig::named) finds them by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// By which rule it learns.
    pub rule: PolicyRule,
    /// Units of the LSTM, which is also the width of the token embedding.
    pub hidden: usize,
    /// What turns its state into the odds of tokens.
    pub output: OutputLayer,
    /// All weights start uniform in -bound to bound.
    pub initial_bound: f64,
    /// What logits are divided by.
    pub temperature: f64,
    /// c in `c tanh(logit)`, which keeps logits within -c to c; 0 leaves them as they are.
    pub tanh_constant: f64,
    /// Learning rate of Adam.
    pub learning_rate: f64,
    /// Adam's decay of the mean gradient.
    pub beta_1: f64,
    /// Adam's decay of the mean squared gradient.
    pub beta_2: f64,
    /// Adam's epsilon.
    pub epsilon: f64,
    /// Sequences per update.
    pub batch: usize,
    /// Decay of the moving average of rewards that is subtracted from rewards.
    pub baseline_decay: f64,
    /// How much the entropy counts.
    pub entropy_weight: f64,
    /// Where it counts.
    pub entropy: EntropyUse,
    /// How many sequences may be drawn per proposal before the rest of a round is drawn from the space instead.
    pub redraws: usize,
}

/// Names of the presets.
pub const POLICY_PRESETS: [&str; 3] = ["nasnet-ppo", "reinforce", "enas"];

impl Default for PolicyConfig {
    fn default() -> Self {
        PolicyConfig::nasnet_ppo()
    }
}

impl PolicyConfig {
    /// The controller of NASNet (Zoph et al. 2018): one LSTM of 100 units, a softmax layer per decision, weights uniform
    /// in -0.1 to 0.1, learning rate 0.00035, entropy weight 1e-5, baseline decay 0.95, batches of 20.
    ///
    /// Unpublished, and here the customary values: clip 0.2, 4 passes per batch, Adam's own settings. That draws of
    /// known architectures are counted with the reward that is known, 20 per proposal at most, is ours.
    pub fn nasnet_ppo() -> Self {
        PolicyConfig {
            rule: PolicyRule::Ppo { clip: 0.2, passes: 4 },
            hidden: 100,
            output: OutputLayer::PerPosition,
            initial_bound: 0.1,
            temperature: 1.0,
            tanh_constant: 0.0,
            learning_rate: 3.5e-4,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            batch: 20,
            baseline_decay: 0.95,
            entropy_weight: 1e-5,
            entropy: EntropyUse::Gradient,
            redraws: 20,
        }
    }

    /// The same network and settings with the rule of the earlier work (Zoph and Le 2017).
    pub fn reinforce() -> Self {
        PolicyConfig { rule: PolicyRule::Reinforce, ..PolicyConfig::nasnet_ppo() }
    }

    /// These settings with a learning rate of 0.003 and batches of 5: for searches of some hundred trials, where the
    /// published ones, made for 20,000, have hardly begun to learn. Chosen on the CIFAR-10 labels of NAS-Bench-201.
    pub fn short(self) -> Self {
        PolicyConfig { learning_rate: 3e-3, batch: 5, ..self }
    }

    /// The controller of ENAS for image cells (Pham et al. 2018, as published in code): 64 units, tanh constant 1.1,
    /// Adam 0.0035 without mean gradient and with epsilon 0.001, baseline decay 0.99, the entropy as a part of the reward,
    /// 10 sequences per update.
    ///
    /// Theirs points at earlier states by attention, starts with odds in favour of convolutions and bounds the logits
    /// of operations more than those of inputs. Here one output layer serves all positions of whatever space, all
    /// logits have the bound of inputs, and nothing is favoured.
    pub fn enas() -> Self {
        PolicyConfig {
            rule: PolicyRule::Reinforce,
            hidden: 64,
            output: OutputLayer::Shared,
            tanh_constant: 1.1,
            learning_rate: 3.5e-3,
            beta_1: 0.0,
            epsilon: 1e-3,
            batch: 10,
            baseline_decay: 0.99,
            entropy_weight: 1e-4,
            entropy: EntropyUse::Reward,
            ..PolicyConfig::nasnet_ppo()
        }
    }

    /// The preset of that name, if it is one of [`POLICY_PRESETS`].
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "nasnet-ppo" => Some(PolicyConfig::nasnet_ppo()),
            "reinforce" => Some(PolicyConfig::reinforce()),
            "enas" => Some(PolicyConfig::enas()),
            _ => None,
        }
    }

    /// Checks every field, alone and against the language.
    ///
    /// # Errors
    /// Names the first field that cannot be, its value and what it may be.
    pub fn check(&self, language: &Language) -> Result<(), ControllerError> {
        let refuse = |field: &'static str, problem: String| {
            Err(ControllerError::Config { field, problem, space: language.space.clone() })
        };
        let counts = [("hidden", self.hidden), ("batch", self.batch), ("redraws", self.redraws)];
        if let Some((field, _)) = counts.into_iter().find(|&(_, count)| count == 0) {
            return refuse(field, "is 0; it must be at least 1".into());
        }
        let positive = [
            ("initial_bound", self.initial_bound),
            ("temperature", self.temperature),
            ("learning_rate", self.learning_rate),
            ("epsilon", self.epsilon),
        ];
        for (field, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                return refuse(field, format!("is {value}; it must be above 0"));
            }
        }
        let shares =
            [("beta_1", self.beta_1), ("beta_2", self.beta_2), ("baseline_decay", self.baseline_decay)];
        for (field, value) in shares {
            if !(0.0..1.0).contains(&value) {
                return refuse(field, format!("is {value}; it must be 0 to below 1"));
            }
        }
        for (field, value) in [("tanh_constant", self.tanh_constant), ("entropy_weight", self.entropy_weight)]
        {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(field, format!("is {value}; it must be at least 0"));
            }
        }
        if let PolicyRule::Ppo { clip, passes } = self.rule {
            if !(clip.is_finite() && clip > 0.0) {
                return refuse("rule.clip", format!("is {clip}; it must be above 0"));
            }
            if passes == 0 {
                return refuse("rule.passes", "is 0; it must be at least 1".into());
            }
        }
        Ok(())
    }
}
