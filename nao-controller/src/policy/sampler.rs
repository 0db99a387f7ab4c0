//! A policy that is rewarded at once, by whoever has weights at hand: the controller of ENAS (Pham et al., ICML 2018).

use std::collections::HashSet;

use burn::tensor::Device;
use nao_space::search::StrategyError;
use nao_space::seed::rng_for;
use nao_space::{ArchKey, Space};

use super::{Draw, Experience, PolicyConfig, PolicyLearner, PolicyMemory, PolicyUpdate};
use crate::bundle;
use crate::error::ControllerError;
use crate::language::Language;

/// A policy over a space that learns in bursts of updates, each on a batch that is drawn and rewarded on the spot, as
/// where all architectures share weights and a reward costs a forward pass. What it draws may have been drawn before.
///
/// Everything random is of (seed, round), so that a sampler that was restored goes on as if nothing had happened.
pub struct PolicySampler<'a, S: Space> {
    space: &'a S,
    seed: u64,
    policy: PolicyLearner,
}

/// The header's entry in a saved sampler.
const ENTRY: &str = "nao-policy-sampler-1";

impl<'a, S: Space> PolicySampler<'a, S> {
    /// A sampler with random weights.
    ///
    /// # Errors
    /// As [`PolicyConfig::check`].
    pub fn new(
        space: &'a S,
        config: PolicyConfig,
        seed: u64,
        device: &Device,
    ) -> Result<Self, ControllerError> {
        let mut rng = rng_for(seed, "policy weights", 0);
        let policy = PolicyLearner::new(config, Language::of(space), device, &mut rng)?;
        Ok(PolicySampler { space, seed, policy })
    }

    /// The policy as it has learned so far.
    pub fn policy(&self) -> &PolicyLearner {
        &self.policy
    }

    /// Takes `updates` updates, each on a batch of the policy's own. `reward` is asked for every architecture drawn, with
    /// the number of the update; one without a finite reward is left out of its batch.
    ///
    /// # Errors
    /// When the policy cannot draw, or what it draws is not of the space.
    pub fn learn(
        &mut self,
        round: u64,
        updates: usize,
        mut reward: impl FnMut(usize, &S::Arch) -> Option<f64>,
    ) -> Result<Vec<PolicyUpdate>, StrategyError> {
        let mut rng = rng_for(self.seed, "policy updates", round);
        let mut done = Vec::with_capacity(updates);
        for update in 0..updates {
            let draws = self.policy.draw(self.policy.config().batch, self.space, &mut rng).map_err(failed)?;
            let mut examples = Vec::with_capacity(draws.len());
            for draw in draws {
                let arch = self.arch(&draw)?;
                let finite = reward(update, &arch).filter(|reward| reward.is_finite());
                examples.extend(finite.map(|reward| Experience { draw, reward }));
            }
            if !examples.is_empty() {
                done.push(self.policy.learn(&examples, self.space).map_err(failed)?);
            }
        }
        Ok(done)
    }

    /// Draws up to `count` architectures that are canonically different from each other and from those `known`, out of at
    /// most ten times as many.
    ///
    /// # Errors
    /// As [`learn`](PolicySampler::learn).
    pub fn sample(
        &self,
        round: u64,
        count: usize,
        known: impl IntoIterator<Item = ArchKey>,
    ) -> Result<Vec<S::Arch>, StrategyError> {
        let mut rng = rng_for(self.seed, "policy samples", round);
        let mut seen: HashSet<ArchKey> = known.into_iter().collect();
        let mut found = Vec::with_capacity(count);
        for _ in 0..10 {
            for draw in self.policy.draw(count, self.space, &mut rng).map_err(failed)? {
                let arch = self.arch(&draw)?;
                if found.len() < count && seen.insert(self.space.key(&arch)) {
                    found.push(arch);
                }
            }
        }
        Ok(found)
    }

    fn arch(&self, draw: &Draw) -> Result<S::Arch, StrategyError> {
        self.space.decode(&draw.sequence).map_err(failed)
    }

    /// Everything that [`restore`](PolicySampler::restore) needs. Equal samplers give equal bytes.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn save(&self) -> Result<Vec<u8>, StrategyError> {
        let (memory, floats) = self.policy.save();
        bundle::to_bytes(ENTRY, &memory, &floats).map_err(unreadable)
    }

    /// Takes over a saved sampler of the same construction.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), StrategyError> {
        let saved: bundle::Bundle<PolicyMemory> = bundle::from_bytes(ENTRY, bytes).map_err(unreadable)?;
        self.policy.restore(&saved.header, &saved.floats).map_err(|error| unreadable(error.to_string()))
    }
}

/// The name of the strategy in messages.
const NAME: &str = "enas";

fn failed(error: impl std::fmt::Display) -> StrategyError {
    StrategyError::Model { strategy: NAME.into(), message: error.to_string() }
}

fn unreadable(message: String) -> StrategyError {
    StrategyError::State { strategy: NAME.into(), message }
}

#[cfg(test)]
mod tests {
    use nao_space::{NasBench201Arch, NasBench201Space, Token};

    use super::*;

    /// Rewarded at once for one operation, it draws that operation; and as another was restored in the middle, it draws
    /// the same.
    #[test]
    fn a_sampler_learns_from_rewards_at_once_and_goes_on_from_bytes() {
        let space = NasBench201Space::default();
        let config = PolicyConfig { learning_rate: 0.02, ..PolicyConfig::enas() };
        let sampler = || PolicySampler::new(&space, config.clone(), 7, &Device::flex()).unwrap();
        let share = |arch: &NasBench201Arch| {
            space.encode(arch).iter().filter(|&&token| token == Token(4)).count() as f64 / 6.0
        };
        let mut whole = sampler();
        let mean = |sampler: &PolicySampler<'_, NasBench201Space>| {
            let drawn = sampler.sample(99, 40, []).unwrap();
            drawn.iter().map(share).sum::<f64>() / drawn.len() as f64
        };
        let before = mean(&whole);
        for round in 0..2 {
            whole.learn(round, 40, |_, arch| Some(share(arch))).unwrap();
        }
        assert!(mean(&whole) > before + 0.2, "{before} and {}", mean(&whole));

        let mut first = sampler();
        first.learn(0, 40, |_, arch| Some(share(arch))).unwrap();
        let mut second = sampler();
        second.restore(&first.save().unwrap()).unwrap();
        second.learn(1, 40, |_, arch| Some(share(arch))).unwrap();
        assert_eq!(second.save().unwrap(), whole.save().unwrap());
        assert!(second.restore(b"nothing").is_err());
    }

    #[test]
    fn known_architectures_and_failures_are_left_out() {
        let space = NasBench201Space::default();
        let mut sampler = PolicySampler::new(&space, PolicyConfig::enas(), 7, &Device::flex()).unwrap();
        let found = sampler.sample(0, 30, []).unwrap();
        let keys: HashSet<ArchKey> = found.iter().map(|arch| space.key(arch)).collect();
        assert_eq!((found.len(), keys.len()), (30, 30));
        let others = sampler.sample(0, 30, keys.clone()).unwrap();
        assert!(others.iter().all(|arch| !keys.contains(&space.key(arch))));
        assert!(sampler.learn(0, 2, |_, _| None).unwrap().is_empty());
        assert_eq!(sampler.learn(0, 2, |update, _| (update == 1).then_some(0.5)).unwrap().len(), 1);
    }
}
