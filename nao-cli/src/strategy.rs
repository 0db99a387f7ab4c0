//! The strategies that a user can name.

use std::sync::Arc;

use crate::run::{STRUCTURE, StrategyConfig};
use anyhow::{Result, bail};
use burn::tensor::Device;
use nao_child::supernet::SHARED_SEARCHES;
use nao_controller::{
    LinearSearch, NaoSearch, PnasSearch, PolicyConfig, PolicyRule, PolicySearch, PretrainedSpace,
    StructureSearch,
};
use nao_space::Space;
use nao_space::search::{
    EvolutionConfig, EvolutionSearch, LocalSearch, LocalSearchConfig, RandomSearch, Removal, Strategy,
};

/// The names.
pub const STRATEGIES: [&str; 12] = [
    "nao",
    "random",
    "evolution",
    "evolution:non-aging",
    "hier-ea",
    "local",
    "linear",
    "reinforce",
    "reinforce:short",
    "ppo",
    "ppo:short",
    "pnas",
];

/// The names of searches in a relaxed network, by the first and the second order of their gradient.
pub const RELAXED_SEARCHES: [&str; 2] = ["darts", "darts:second"];

/// Refuses a name that a search cannot have.
pub fn check_search_name(name: &str) -> Result<()> {
    if ![&STRATEGIES[..], &SHARED_SEARCHES, &RELAXED_SEARCHES].iter().any(|names| names.contains(&name)) {
        bail!(
            "unknown strategy `{name}`; known are {}; with shared weights {}; in a relaxed network {}",
            STRATEGIES.join(", "),
            SHARED_SEARCHES.join(", "),
            RELAXED_SEARCHES.join(", ")
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

/// Whether a strategy is best asked for one architecture at a time: it looks at one neighbour after another, or breeds one
/// child after another.
pub fn goes_one_by_one(name: &str) -> bool {
    matches!(name, "evolution" | "evolution:non-aging" | "hier-ea" | "local")
}

/// The strategy of a run. `learned` is asked for what was learned of the space, if the strategy needs it.
pub fn build<S: Space>(
    config: &StrategyConfig,
    seed: u64,
    space: &S,
    device: &Device,
    learned: impl FnOnce() -> Result<Arc<PretrainedSpace>>,
) -> Result<Box<dyn Strategy<S>>> {
    let name = config.name.as_str();
    check_name(name)?;
    let space = space.clone();
    Ok(match name {
        "random" => Box::new(RandomSearch::new(space, seed)),
        "evolution" | "evolution:non-aging" | "hier-ea" => {
            Box::new(EvolutionSearch::new(space, evolution(name, &config.evolution), seed)?)
        }
        "local" => Box::new(LocalSearch::new(space, LocalSearchConfig::default(), seed)),
        "linear" => Box::new(LinearSearch::new(space, seed)),
        "reinforce" | "reinforce:short" | "ppo" | "ppo:short" => {
            Box::new(PolicySearch::new(space, policy(name, &config.policy), seed, device.clone())?)
        }
        "pnas" => Box::new(PnasSearch::new(space, config.pnas.clone(), seed, device.clone())?),
        _ if config.preset == STRUCTURE => {
            Box::new(StructureSearch::new(space, config.structure.clone(), seed, learned()?)?)
        }
        _ => Box::new(NaoSearch::new(space, config.nao.clone(), seed, device.clone())?),
    })
}

/// The settings of the evolution of that name: of tournaments, the size of the first population alone is a setting.
fn evolution(name: &str, settings: &EvolutionConfig) -> EvolutionConfig {
    match name {
        "evolution:non-aging" => EvolutionConfig { removal: Removal::Worst, ..settings.clone() },
        "hier-ea" => EvolutionConfig { population: settings.population, ..EvolutionConfig::tournaments() },
        _ => settings.clone(),
    }
}

/// The settings of the policy of that name, which says the rule, and whether the search is short.
fn policy(name: &str, settings: &PolicyConfig) -> PolicyConfig {
    let (rule, length) = name.split_once(':').unwrap_or((name, ""));
    let settings = if length == "short" { settings.clone().short() } else { settings.clone() };
    let rule = match (rule, settings.rule) {
        ("reinforce", _) => PolicyRule::Reinforce,
        (_, PolicyRule::Reinforce) => PolicyConfig::nasnet_ppo().rule,
        (_, rule) => rule,
    };
    PolicyConfig { rule, ..settings }
}
