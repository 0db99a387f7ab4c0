//! A strategy as the proposer of a search with shared weights: made anew each round and told the whole pool. Of the
//! authors' controllers the weights go on from round to round (docs/specification.md, d.3).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use burn::tensor::Device;
use nao_child::supernet::Proposer;
use nao_controller::registry::{StrategyConfig, StrategyError as NoStrategy, StrategySettings};
use nao_controller::{NaoSearch, PretrainedSpace, PretrainingConfig, StructureSearch, controller_weights};
use nao_run::files::{read_tensors, write_whole};
use nao_space::file::check_checksum;
use nao_space::search::{Observation, Proposals, RandomSearch, Strategy, StrategyError};
use nao_space::seed::seed_for;
use nao_space::{CnnArch, CnnSpace};

use super::persistent::PersistentProposer;

/// The `nao` strategy of a preset, told anew each round.
pub struct StrategyProposer<'a, L> {
    space: &'a CnnSpace,
    config: &'a StrategyConfig,
    seed: u64,
    device: Device,
    /// Gives what was learned of the space; asked once, and only by the preset `structure`.
    learn: L,
    learned: Option<Arc<PretrainedSpace>>,
    /// The controller of the last round, as a safetensors file.
    weights: Option<Vec<u8>>,
    report: Option<serde_json::Value>,
}

impl<'a, L: Fn(&PretrainingConfig) -> Result<Arc<PretrainedSpace>>> StrategyProposer<'a, L> {
    /// A proposer that has not proposed.
    pub fn new(
        space: &'a CnnSpace,
        config: &'a StrategyConfig,
        seed: u64,
        device: &Device,
        learn: L,
    ) -> Self {
        let device = device.clone();
        StrategyProposer { space, config, seed, device, learn, learned: None, weights: None, report: None }
    }

    /// The strategy of a round.
    fn strategy(&mut self, seed: u64) -> Result<Box<dyn Strategy<CnnSpace>>> {
        match &self.config.settings {
            StrategySettings::Structure(config) => {
                let learned = match &self.learned {
                    Some(learned) => learned.clone(),
                    None => (self.learn)(&config.pretraining)?,
                };
                self.learned = Some(learned.clone());
                Ok(Box::new(StructureSearch::new(self.space.clone(), config.clone(), seed, learned)?))
            }
            StrategySettings::Controller { config, .. } => {
                let search = NaoSearch::new(self.space.clone(), config.clone(), seed, self.device.clone())?;
                Ok(match &self.weights {
                    Some(weights) => Box::new(search.going_on_from(weights)?),
                    None => Box::new(search),
                })
            }
            _ => Err(NoStrategy::ProposesNothing { name: self.config.name.clone() }.into()),
        }
    }
}

impl<L: Fn(&PretrainingConfig) -> Result<Arc<PretrainedSpace>>> PersistentProposer
    for StrategyProposer<'_, L>
{
    fn save(&self, path: &Path) -> Result<()> {
        self.weights.as_ref().map_or(Ok(()), |weights| Ok(write_whole(path, weights)?))
    }

    fn restore(&mut self, path: PathBuf) -> Result<()> {
        if path.is_file() {
            let weights = read_tensors(&path)?;
            check_checksum(&weights).with_context(|| path.display().to_string())?;
            self.weights = Some(weights);
        }
        Ok(())
    }
}

impl<L: Fn(&PretrainingConfig) -> Result<Arc<PretrainedSpace>>> Proposer for StrategyProposer<'_, L> {
    fn propose(
        &mut self,
        round: u32,
        told: &[Observation<CnnArch>],
        count: usize,
    ) -> Result<Proposals<CnnArch>, StrategyError> {
        let seed = seed_for(self.seed, "proposer", u64::from(round));
        let mut strategy = self.strategy(seed).map_err(|error| StrategyError::Model {
            strategy: self.config.name.clone(),
            message: format!("{error:#}"),
        })?;
        strategy.tell(told)?;
        let mut asked = strategy.ask(count)?;
        if let Some(stop) = asked.stop.filter(|_| asked.proposals.is_empty()) {
            // A search of separate trainings ends here; this one has weights to train further, and a pool to keep fresh.
            let mut random = RandomSearch::new(self.space.clone(), seed);
            random.tell(told)?;
            asked = random.ask(count)?;
            asked.warnings.push(format!("{stop}; cells drawn at random: {}", asked.proposals.len()));
        }
        self.report = strategy.report();
        if self.config.structure().is_none() {
            self.weights = controller_weights(&strategy.save()?)?;
        }
        Ok(asked)
    }

    fn report(&self) -> Option<serde_json::Value> {
        self.report.clone()
    }
}
