//! The configuration of a run, whole: what runs, is printed by `--dry-run` and is kept in `run.toml`.

use anyhow::{Result, anyhow};
use nao_child::data::DataSource;
use nao_child::relaxed::RelaxedRecipe;
use nao_child::supernet::SharingConfig;
use nao_controller::{Language, NaoConfig, PnasConfig, PolicyConfig, StructureConfig};
use nao_run::check_rounds;
use nao_run::execution::{Engine, ExecutionConfig};
use nao_run::settings::Configuration;
use nao_space::search::{EvolutionConfig, RoundLimits};
use nao_space::{Objective, Space};
use serde::{Deserialize, Serialize};

use crate::cells::{CellSpace, NamedRecipe, SpaceSettings};
use crate::device::device;

/// Everything that a search depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct RunConfig<R: NamedRecipe> {
    /// Seed of everything random.
    pub seed: u64,
    /// Where the data comes from.
    pub data: DataSource,
    /// Architectures of the first trials, in the notation of the space.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start_with: Vec<String>,
    /// The search space.
    pub space: SpaceSettings<R>,
    /// Rounds and budget, in trials.
    pub rounds: RoundLimits,
    /// Who proposes.
    pub strategy: StrategyConfig,
    /// How children are trained.
    pub recipe: R,
    /// Of a search with shared weights: how they are trained and who is scored by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<SharingConfig>,
    /// Of a search in a relaxed network: the network and how it learns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relaxed: Option<RelaxedRecipe>,
    /// How the run is carried out; changes nothing about the result.
    pub execution: ExecutionConfig,
}

/// The strategy and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategyConfig {
    /// One of [`STRATEGIES`](crate::strategy::STRATEGIES) or [`SHARED_SEARCHES`](crate::strategy::SHARED_SEARCHES).
    pub name: String,
    /// Which of the two `nao` strategies: [`STRUCTURE`], or a controller preset.
    pub preset: String,
    /// Settings of the `nao` strategy with a controller preset.
    pub nao: NaoConfig,
    /// Settings of the `nao` strategy with the preset `structure`.
    pub structure: StructureConfig,
    /// Settings of `evolution` and its variants.
    #[serde(default)]
    pub evolution: EvolutionConfig,
    /// Settings of `reinforce` and `ppo`, which is the rule whatever stands here.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// Settings of `pnas`.
    #[serde(default)]
    pub pnas: PnasConfig,
}

impl StrategyConfig {
    /// The strategy of that name with its defaults; `nao` with the preset `structure`, and `nao` for its others.
    pub fn new(name: &str, nao: NaoConfig) -> Self {
        StrategyConfig {
            name: name.to_owned(),
            preset: STRUCTURE.to_owned(),
            nao,
            structure: StructureConfig::default(),
            evolution: EvolutionConfig::default(),
            policy: PolicyConfig::default(),
            pnas: PnasConfig::default(),
        }
    }
}

/// The preset of the `nao` strategy that is no controller preset: the search on structure.
pub const STRUCTURE: &str = "structure";

impl<R: NamedRecipe> RunConfig<R> {
    /// Checks what no type can: budgets, names, geometry.
    pub(super) fn check(&self, data: &R::Data) -> Result<()> {
        check_rounds(self.rounds)?;
        crate::strategy::check_search_name(&self.strategy.name)?;
        let space = R::Space::of_settings(&self.space)?;
        self.strategy.structure.check(&space.name())?;
        self.strategy.evolution.check()?;
        self.strategy.policy.check(&Language::of(&space))?;
        self.strategy.pnas.check(&space.name())?;
        self.execution.check()?;
        if self.execution.executor == Engine::Local {
            // Other machines may have other devices.
            self.execution.devices().try_for_each(|word| device(word).map(drop))?;
        }
        Ok(self.recipe.check_fit(data, &space, self.seed)?)
    }
}

impl<R: NamedRecipe> Configuration for RunConfig<R> {
    const FREE: &'static [&'static str] = &["data", "execution", "rounds.budget"];

    fn objective() -> Option<Objective> {
        Some(R::objective())
    }
}

/// The controller preset of that name.
pub fn controller_preset(name: &str) -> Result<nao_controller::ControllerConfig> {
    nao_controller::ControllerConfig::preset(name)
        .map_err(|error| anyhow!("no preset `{}`; there are {STRUCTURE}, {}", error.name, error.known))
}
