//! The policy of ENAS as the proposer of a search with shared weights: rewarded by accuracies on minibatches of validation
//! images, it learns between the epochs of the weights, and the cells that they are trained on are drawn from it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use nao_child::supernet::{Norms, Proposer, SharedTraining};
use nao_controller::{PolicyConfig, PolicySampler, PolicyUpdate};
use nao_run::files::{read_tensors, write_whole};
use nao_space::search::{Observation, Origin, Proposal, Proposals, StrategyError};
use nao_space::{CnnArch, CnnSpace, Space};
use serde_json::json;

use super::persistent::PersistentProposer;

/// A policy that proposes.
pub struct PolicyProposer<'a> {
    space: &'a CnnSpace,
    sampler: PolicySampler<'a, CnnSpace>,
    /// Updates per round.
    updates: usize,
    norms: Norms,
    last: Vec<PolicyUpdate>,
}

impl<'a> PolicyProposer<'a> {
    /// A policy that has learned nothing.
    pub fn new(
        space: &'a CnnSpace,
        config: PolicyConfig,
        updates: usize,
        norms: Norms,
        seed: u64,
        device: &Device,
    ) -> Result<Self> {
        let sampler = PolicySampler::new(space, config, seed, device)?;
        Ok(PolicyProposer { space, sampler, updates, norms, last: Vec::new() })
    }
}

impl PersistentProposer for PolicyProposer<'_> {
    fn save(&self, path: &Path) -> Result<()> {
        Ok(write_whole(path, &self.sampler.save()?)?)
    }

    fn restore(&mut self, path: PathBuf) -> Result<()> {
        let bytes = read_tensors(&path)?;
        self.sampler.restore(&bytes).with_context(|| path.display().to_string())
    }
}

impl Proposer for PolicyProposer<'_> {
    fn learn(&mut self, round: u32, training: &SharedTraining) -> Result<(), StrategyError> {
        let minibatches = training.validation_minibatches(u64::from(round));
        let norms = self.norms;
        let reward = |update: usize, arch: &CnnArch| {
            let images = &minibatches[update % minibatches.len()];
            training.score_on(arch, images, norms).ok().map(|score| score.accuracy)
        };
        self.last = self.sampler.learn(u64::from(round), self.updates, reward)?;
        Ok(())
    }

    fn propose(
        &mut self,
        round: u32,
        told: &[Observation<CnnArch>],
        count: usize,
    ) -> Result<Proposals<CnnArch>, StrategyError> {
        let known = told.iter().map(|observation| self.space.key(&observation.arch));
        let archs = self.sampler.sample(u64::from(round), count, known)?;
        let mut warnings = Vec::new();
        if archs.len() < count {
            warnings.push(format!(
                "the policy draws {} new cells of {count} asked for: it has made up its mind",
                archs.len()
            ));
        }
        let proposals = archs.into_iter().map(|arch| Proposal { arch, origin: Origin::Policy }).collect();
        Ok(Proposals { proposals, stop: None, warnings })
    }

    fn report(&self) -> Option<serde_json::Value> {
        let (first, last) = (self.last.first()?, self.last.last()?);
        let mean = self.last.iter().map(|update| update.reward).sum::<f64>() / self.last.len() as f64;
        Some(json!({
            "updates": self.last.len(),
            "reward": mean,
            "baseline": last.baseline,
            "entropy": [first.entropy, last.entropy],
        }))
    }
}
