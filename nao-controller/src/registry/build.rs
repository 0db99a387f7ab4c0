//! From a configuration to a strategy.

use std::sync::Arc;

use burn::tensor::Device;
use nao_space::Space;
use nao_space::search::{EvolutionSearch, LocalSearch, LocalSearchConfig, RandomSearch, Strategy};

use super::config::{StrategyConfig, StrategySettings};
use super::error::StrategyError;
use super::own::RegisteredSpace;
use super::strategies::Strategies;
use crate::language::Language;
use crate::strategy::{LinearSearch, NaoSearch, PnasSearch, PolicySearch, StructureSearch};
use crate::structure::PretrainedSpace;

impl Strategies {
    /// Checks a configuration, alone and against the space.
    ///
    /// # Errors
    /// Names the first setting that cannot be, its value and what it may be; or the strategy, if there is none of that name.
    pub fn check<S: Space>(&self, config: &StrategyConfig, space: &S) -> Result<(), StrategyError> {
        self.entry(&config.name)?;
        match &config.settings {
            StrategySettings::Evolution(settings) => settings.check()?,
            StrategySettings::Policy(settings) => settings.check(&Language::of(space))?,
            StrategySettings::Pnas(settings) => settings.check(&space.name())?,
            StrategySettings::Structure(settings) => settings.check(&space.name())?,
            StrategySettings::Controller { config, .. } => config.check(&Language::of(space))?,
            StrategySettings::Own(settings) => {
                self.registered(&config.name).map_or(Ok(()), |own| own.check(settings))?;
            }
            StrategySettings::Random
            | StrategySettings::Local
            | StrategySettings::Linear
            | StrategySettings::Elsewhere => {}
        }
        Ok(())
    }

    /// The strategy of a configuration. `learned` is asked for what was learned of the space, if the strategy needs it.
    ///
    /// # Errors
    /// When no strategy has that name, the settings do not fit the space, or nothing could be learned.
    pub fn build<S: RegisteredSpace, E: From<StrategyError>>(
        &self,
        config: &StrategyConfig,
        space: S,
        seed: u64,
        device: &Device,
        learned: impl FnOnce() -> Result<Arc<PretrainedSpace>, E>,
    ) -> Result<Box<dyn Strategy<S>>, E> {
        let name = || config.name.clone();
        let strategy: Result<Box<dyn Strategy<S>>, StrategyError> = match config.settings.clone() {
            StrategySettings::Random => Ok(Box::new(RandomSearch::new(space, seed))),
            StrategySettings::Local => {
                Ok(Box::new(LocalSearch::new(space, LocalSearchConfig::default(), seed)))
            }
            StrategySettings::Linear => Ok(Box::new(LinearSearch::new(space, seed))),
            StrategySettings::Evolution(settings) => {
                EvolutionSearch::new(space, settings, seed).map(boxed).map_err(Into::into)
            }
            StrategySettings::Policy(settings) => {
                PolicySearch::new(space, settings, seed, device.clone()).map(boxed).map_err(Into::into)
            }
            StrategySettings::Pnas(settings) => {
                PnasSearch::new(space, settings, seed, device.clone()).map(boxed).map_err(Into::into)
            }
            StrategySettings::Structure(settings) => {
                let learned = learned()?;
                StructureSearch::new(space, settings, seed, learned).map(boxed).map_err(Into::into)
            }
            StrategySettings::Controller { config, .. } => {
                NaoSearch::new(space, config, seed, device.clone()).map(boxed).map_err(Into::into)
            }
            StrategySettings::Elsewhere => Err(StrategyError::ProposesNothing { name: name() }),
            StrategySettings::Own(settings) => match self.registered(&config.name) {
                Some(own) => S::builder(own).build_for(&settings, space, seed),
                None => Err(StrategyError::Unknown { name: name(), known: self.known(|_| true) }),
            },
        };
        Ok(strategy?)
    }
}

/// A strategy behind a pointer.
fn boxed<S: Space>(strategy: impl Strategy<S> + 'static) -> Box<dyn Strategy<S>> {
    Box::new(strategy)
}
