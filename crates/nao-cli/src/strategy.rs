//! The strategies that a user can name.

use std::sync::Arc;

use anyhow::{Result, bail};
use burn::tensor::Device;
use nao_child::supernet::SHARED_SEARCHES;
use nao_controller::{LinearSearch, NaoSearch, PretrainedSpace, StructureSearch};
use nao_space::Space;
use nao_space::search::{
    EvolutionConfig, EvolutionSearch, LocalSearch, LocalSearchConfig, RandomSearch, Strategy,
};

use crate::run::{STRUCTURE, StrategyConfig};

/// The names.
pub const STRATEGIES: [&str; 5] = ["nao", "random", "evolution", "local", "linear"];

/// Refuses a name that a search cannot have.
pub fn check_search_name(name: &str) -> Result<()> {
    if !STRATEGIES.contains(&name) && !SHARED_SEARCHES.contains(&name) {
        bail!(
            "unknown strategy `{name}`; known are {}, and with shared weights {}",
            STRATEGIES.join(", "),
            SHARED_SEARCHES.join(", ")
        );
    }
    Ok(())
}

/// Refuses a name that [`build`] does not know.
pub fn check_name(name: &str) -> Result<()> {
    if !STRATEGIES.contains(&name) {
        bail!("unknown strategy `{name}`; known are {}", STRATEGIES.join(", "));
    }
    Ok(())
}

/// Whether a strategy is best asked for one architecture after another.
pub fn one_by_one(name: &str) -> bool {
    ["evolution", "local"].contains(&name)
}

/// The strategy of a run. `learned` is asked for what was learned of the space, if the strategy needs it.
pub fn build<'a, S: Space>(
    config: &StrategyConfig,
    seed: u64,
    space: &'a S,
    device: &Device,
    learned: impl FnOnce() -> Result<Arc<PretrainedSpace>>,
) -> Result<Box<dyn Strategy<S> + 'a>> {
    check_name(&config.name)?;
    Ok(match config.name.as_str() {
        "random" => Box::new(RandomSearch::new(space, seed)),
        "evolution" => Box::new(EvolutionSearch::new(space, EvolutionConfig::default(), seed)?),
        "local" => Box::new(LocalSearch::new(space, LocalSearchConfig::default(), seed)),
        "linear" => Box::new(LinearSearch::new(space, seed)),
        _ if config.preset == STRUCTURE => {
            Box::new(StructureSearch::new(space, config.structure.clone(), seed, learned()?)?)
        }
        _ => Box::new(NaoSearch::new(space, config.nao.clone(), seed, device.clone())?),
    })
}
