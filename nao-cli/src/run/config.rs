//! The configuration of a run, whole: what runs, is printed by `--dry-run` and is kept in `run.toml`.

use anyhow::Result;
use nao_child::data::DataSource;
use nao_child::relaxed::RelaxedRecipe;
use nao_child::supernet::SharingConfig;
use nao_controller::registry::{StrategyConfig, StrategySettings};
use nao_run::check_rounds;
use nao_run::execution::{Engine, ExecutionConfig};
use nao_run::settings::{Configuration, Difference, differences};
use nao_space::Objective;
use nao_space::search::RoundLimits;
use serde::{Deserialize, Serialize};

use crate::cells::{CellSpace, NamedRecipe, SpaceSettings};
use crate::device::device;
use crate::registries::{Registries, in_runs};

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

impl<R: NamedRecipe> RunConfig<R> {
    /// Checks what no type can: budgets, names, geometry.
    pub(super) fn check(&self, known: &Registries, data: &R::Data) -> Result<()> {
        check_rounds(self.rounds)?;
        known.strategies.entry_of(&self.strategy.name, in_runs)?;
        let space = R::Space::of_settings(&self.space)?;
        // The sizes of a controller are checked against the space where it is made: a dry run shows those that do not fit.
        if !matches!(self.strategy.settings, StrategySettings::Controller { .. }) {
            known.strategies.check(&self.strategy, &space)?;
        }
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

    /// Another strategy has other settings: its name says so.
    fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = differences(self, other, Self::FREE);
        let names = ["strategy.name", "strategy.preset"];
        if found.iter().any(|difference| names.contains(&difference.field.as_str())) {
            found.retain(|difference| {
                !difference.field.starts_with("strategy.") || names.contains(&difference.field.as_str())
            });
        }
        found
    }
}
