//! A policy over the sequences of a space, trained by policy gradient: what the searches by reinforcement stand on.
//!
//! [`PolicyLearner`] draws sequences and learns from rewards. It knows a space by its [`Language`](crate::Language) and
//! its [`Grammar`](crate::Grammar), so that every space can be searched, and it knows nothing of what a reward was
//! measured on, so that weights shared by all architectures can be searched as well.

mod config;
mod draw;
mod learner;
mod network;
mod reward;
mod sampler;
mod surrogate;
#[cfg(test)]
mod tests;

pub use config::{EntropyUse, OutputLayer, POLICY_PRESETS, PolicyConfig, PolicyRule};
pub use draw::Draw;
pub(crate) use learner::PolicyMemory;
pub use learner::{Experience, PolicyLearner, PolicyUpdate};
pub use reward::RewardScale;
pub use sampler::PolicySampler;
