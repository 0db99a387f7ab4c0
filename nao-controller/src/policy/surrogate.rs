//! What a policy learns from: losses whose negative gradient points to higher rewards.

use burn::tensor::{Tensor, TensorData};

use super::config::{EntropyUse, PolicyConfig, PolicyRule};
use super::network::SequenceLogProb;

/// What is known of the sequences of an update, in their order.
pub(super) struct Batch {
    /// Rewards less the baseline.
    pub(super) advantages: Vec<f32>,
    /// Log probabilities when the sequences were drawn.
    pub(super) drawn_log_probs: Vec<f32>,
}

/// The loss of a batch, `[1]`: the mean over its sequences.
pub(super) fn loss(config: &PolicyConfig, probability: SequenceLogProb, batch: &Batch) -> Tensor<1> {
    let SequenceLogProb { log_prob, entropy } = probability;
    let device = log_prob.device();
    let column =
        |values: &[f32]| Tensor::<2>::from_data(TensorData::new(values.to_vec(), [values.len(), 1]), &device);
    let advantages = column(&batch.advantages);
    let gain = match config.rule {
        PolicyRule::Reinforce => log_prob * advantages,
        PolicyRule::Ppo { clip, .. } => {
            let ratio = (log_prob - column(&batch.drawn_log_probs)).exp();
            let clipped = ratio.clone().clamp(1.0 - clip, 1.0 + clip);
            (ratio * advantages.clone()).min_pair(clipped * advantages)
        }
    };
    let gain = match config.entropy {
        EntropyUse::Gradient => gain + entropy.mul_scalar(config.entropy_weight),
        EntropyUse::Reward => gain,
    };
    gain.mean().neg()
}
