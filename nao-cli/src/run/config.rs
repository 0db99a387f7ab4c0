//! The configuration of a run, whole: what runs, is printed by `--dry-run` and is kept in `run.toml`.

use anyhow::{Result, anyhow, bail};
use nao_child::relaxed::RelaxedRecipe;
use nao_child::supernet::SharingConfig;
use nao_controller::{Language, NaoConfig, PnasConfig, PolicyConfig, StructureConfig};
use nao_space::Space;
use nao_space::search::{EvolutionConfig, RoundLimits};
use serde::{Deserialize, Serialize};

use super::definition::{Difference, FREE_IN_RUNS, differences};
use super::execution::ExecutionConfig;
use crate::data::DataSource;
use crate::strategy::{RELAXED_SEARCHES, SHARED_SEARCHES};
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

impl<T: Task> RunConfig<T> {
    /// The configuration as TOML, as in `run.toml`.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain structs have a TOML form")
    }

    /// Checks what no type can: budgets, names, geometry.
    pub(super) fn check(&self, data: &T::Data) -> Result<()> {
        let RoundLimits { initial, per_round, budget } = self.rounds;
        for (name, value) in [("budget", budget), ("initial", initial), ("per_round", per_round)] {
            if value == 0 {
                bail!("rounds.{name} is 0: a search needs at least one trial");
            }
            if value > MOST_TRIALS {
                bail!("rounds.{name} is {value}: a search has at most {MOST_TRIALS} trials");
            }
        }
        crate::strategy::check_search_name(&self.strategy.name)?;
        let space = T::space(&self.space)?;
        let shares = SHARED_SEARCHES.contains(&self.strategy.name.as_str());
        match &self.sharing {
            Some(sharing) if shares => T::check_sharing(sharing, data, &space)?,
            Some(_) => bail!("[sharing] is for the strategies {}", SHARED_SEARCHES.join(", ")),
            None if shares => bail!("strategy {} needs a section [sharing]", self.strategy.name),
            None => {}
        }
        if let Some(SharingConfig { finalists, .. }) = self.sharing
            && budget != finalists as u64
        {
            bail!(
                "rounds.budget is {budget}, and with shared weights it is sharing.finalists = {finalists}: the cells that \
                 are trained alone are chosen when the rounds end, so that a larger budget has no more of them"
            );
        }
        let relaxes = RELAXED_SEARCHES.contains(&self.strategy.name.as_str());
        match &self.relaxed {
            Some(relaxed) if relaxes => T::check_relaxed(relaxed, data, &space)?,
            Some(_) => bail!("[relaxed] is for the strategies {}", RELAXED_SEARCHES.join(", ")),
            None if relaxes => bail!("strategy {} needs a section [relaxed]", self.strategy.name),
            None => {}
        }
        if self.relaxed.is_some() && budget != 1 {
            bail!(
                "rounds.budget is {budget}, and a relaxed network gives 1 cell after relaxed.weights.epochs: a larger \
                 budget has no more of them"
            );
        }
        self.strategy.structure.check(&space.name())?;
        self.strategy.evolution.check()?;
        self.strategy.policy.check(&Language::of(&space))?;
        self.strategy.pnas.check(&space.name())?;
        self.execution.check()?;
        super::starting::check(self)?;
        T::check(&self.recipe, data, &space, self.seed)
    }

    /// Where `other` differs in what defines what is measured.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        differences(self, other, &FREE_IN_RUNS)
    }
}

/// The controller preset of that name.
pub fn controller_preset(name: &str) -> Result<nao_controller::ControllerConfig> {
    nao_controller::ControllerConfig::preset(name)
        .map_err(|error| anyhow!("no preset `{}`; there are {STRUCTURE}, {}", error.name, error.known))
}
