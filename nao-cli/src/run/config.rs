//! The configuration of a run, whole: what runs, is printed by `--dry-run` and is kept in `run.toml`.

use anyhow::{Result, bail};
use nao_child::relaxed::RelaxedRecipe;
use nao_child::supernet::SharingConfig;
use nao_controller::registry::{SearchKind, StrategyConfig, StrategySettings};
use nao_space::search::RoundLimits;
use serde::{Deserialize, Serialize};

use super::definition::{Difference, FREE_IN_RUNS, differences};
use super::execution::ExecutionConfig;
use crate::data::DataSource;
use crate::registries::{Registries, in_runs};
use crate::task::Task;

/// More trials than any search can train. Rounds are proposed whole, and numbers without bound would fill the memory.
const MOST_TRIALS: u64 = 10_000_000;

/// Everything that a search depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct RunConfig<T: Task> {
    /// Seed of everything random.
    pub seed: u64,
    /// Where the data comes from.
    pub data: DataSource,
    /// Architectures of the first trials, in the notation of the space.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start_with: Vec<String>,
    /// The search space.
    pub space: T::SpaceSettings,
    /// Rounds and budget, in trials.
    pub rounds: RoundLimits,
    /// Who proposes.
    pub strategy: StrategyConfig,
    /// How children are trained.
    pub recipe: T::Recipe,
    /// Of a search with shared weights: how they are trained and who is scored by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<SharingConfig>,
    /// Of a search in a relaxed network: the network and how it learns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relaxed: Option<RelaxedRecipe>,
    /// How the run is carried out; changes nothing about the result.
    pub execution: ExecutionConfig,
}

impl<T: Task> RunConfig<T> {
    /// The configuration as TOML, as in `run.toml`.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain structs have a TOML form")
    }

    /// Checks what no type can: budgets, names, geometry.
    pub(super) fn check(&self, known: &Registries, data: &T::Data) -> Result<()> {
        let RoundLimits { initial, per_round, budget } = self.rounds;
        for (name, value) in [("budget", budget), ("initial", initial), ("per_round", per_round)] {
            if value == 0 {
                bail!("rounds.{name} is 0: a search needs at least one trial");
            }
            if value > MOST_TRIALS {
                bail!("rounds.{name} is {value}: a search has at most {MOST_TRIALS} trials");
            }
        }
        let space = T::space(&self.space)?;
        self.check_sharing(known, data, &space)?;
        self.check_relaxed(known, data, &space)?;
        // The sizes of a controller are checked against the space where it is made: a dry run shows those that do not fit.
        if !matches!(self.strategy.settings, StrategySettings::Controller { .. }) {
            known.strategies.check(&self.strategy, &space)?;
        }
        self.execution.check()?;
        super::starting::check(self)?;
        T::check(&self.recipe, data, &space, self.seed)
    }

    /// Checks the section of shared weights, which searches with them have and no others.
    fn check_sharing(&self, known: &Registries, data: &T::Data, space: &T::Space) -> Result<()> {
        let name = &self.strategy.name;
        let shares = known.strategies.entry_of(name, in_runs)?.kind.is_shared();
        let Some(sharing) = &self.sharing else {
            if shares {
                bail!("strategy {name} needs a section [sharing]");
            }
            return Ok(());
        };
        if !shares {
            bail!("[sharing] is for searches {}", known.strategies.known(SearchKind::is_shared));
        }
        T::check_sharing(sharing, data, space)?;
        if self.strategy.settings == StrategySettings::Elsewhere && sharing.per_round > 0 {
            bail!(
                "sharing.per_round is {}, and strategy {name} proposes no cells after those of its pool: set it to 0, or \
                 choose another strategy",
                sharing.per_round
            );
        }
        let (budget, finalists) = (self.rounds.budget, sharing.finalists);
        if budget != finalists as u64 {
            bail!(
                "rounds.budget is {budget}, and with shared weights it is sharing.finalists = {finalists}: the cells that \
                 are trained alone are chosen when the rounds end, so that a larger budget has no more of them"
            );
        }
        Ok(())
    }

    /// Checks the section of a relaxed network, which searches in one have and no others.
    fn check_relaxed(&self, known: &Registries, data: &T::Data, space: &T::Space) -> Result<()> {
        let name = &self.strategy.name;
        let relaxes = known.strategies.entry_of(name, in_runs)?.kind.is_relaxed();
        let Some(relaxed) = &self.relaxed else {
            if relaxes {
                bail!("strategy {name} needs a section [relaxed]");
            }
            return Ok(());
        };
        if !relaxes {
            bail!("[relaxed] is for searches {}", known.strategies.known(SearchKind::is_relaxed));
        }
        T::check_relaxed(relaxed, data, space)?;
        let budget = self.rounds.budget;
        if budget != 1 {
            bail!(
                "rounds.budget is {budget}, and a relaxed network gives 1 cell after relaxed.weights.epochs: a larger \
                 budget has no more of them"
            );
        }
        Ok(())
    }

    /// Where `other` differs in what defines what is measured.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = differences(self, other, &FREE_IN_RUNS);
        // Another strategy has other settings: its name says so.
        let names = ["strategy.name", "strategy.preset"];
        if found.iter().any(|difference| names.contains(&difference.field.as_str())) {
            found.retain(|difference| {
                !difference.field.starts_with("strategy.") || names.contains(&difference.field.as_str())
            });
        }
        found
    }
}
