//! The configuration of a run, whole: what runs, is printed by `--dry-run` and is kept in `run.toml`.

use anyhow::{Result, anyhow, bail};
use nao_child::darts::RelaxedRecipe;
use nao_child::supernet::{SHARED_SEARCHES, SharingConfig};
use nao_controller::{Language, NaoConfig, PnasConfig, PolicyConfig, StructureConfig};
use nao_space::Space;
use nao_space::search::{EvolutionConfig, RoundLimits};
use serde::{Deserialize, Serialize};
use toml::Value;

use super::execution::ExecutionConfig;
use super::typed::table_of;
use crate::data::DataSource;
use crate::strategy::RELAXED_SEARCHES;
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
    /// One of [`STRATEGIES`](crate::strategy::STRATEGIES) or [`SHARED_SEARCHES`].
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
        let relaxes = RELAXED_SEARCHES.contains(&self.strategy.name.as_str());
        match &self.relaxed {
            Some(relaxed) if relaxes => T::check_relaxed(relaxed, data, &space)?,
            Some(_) => bail!("[relaxed] is for the strategies {}", RELAXED_SEARCHES.join(", ")),
            None if relaxes => bail!("strategy {} needs a section [relaxed]", self.strategy.name),
            None => {}
        }
        self.strategy.structure.check(&space.name())?;
        self.strategy.evolution.check()?;
        self.strategy.policy.check(&Language::of(&space))?;
        self.strategy.pnas.check(&space.name())?;
        self.execution.check()?;
        T::check(&self.recipe, data, &space, self.seed)
    }

    /// What differs from `other` besides execution, one `key: here, there` per entry.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let (mut here, mut there) = (Vec::new(), Vec::new());
        flatten("", &Value::Table(table_of(self)), &mut here);
        flatten("", &Value::Table(table_of(other)), &mut there);
        let find = |all: &[(String, String)], key: &str| {
            all.iter()
                .find(|(known, _)| known == key)
                .map_or("(not set)".to_owned(), |(_, value)| value.clone())
        };
        let mut keys: Vec<String> = here.iter().chain(&there).map(|(key, _)| key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| !key.starts_with("execution."));
        let pairs = keys.into_iter().map(|key| (find(&here, &key), find(&there, &key), key));
        pairs
            .filter(|(a, b, _)| a != b)
            .map(|(a, b, key)| format!("{key}: {a} in the run, {b} asked"))
            .collect()
    }
}

fn flatten(prefix: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&key, value, into);
            }
        }
        other => into.push((prefix.to_owned(), other.to_string())),
    }
}

/// The controller preset of that name.
pub fn controller_preset(name: &str) -> Result<nao_controller::ControllerConfig> {
    nao_controller::ControllerConfig::preset(name)
        .map_err(|error| anyhow!("no preset `{}`; there are {STRUCTURE}, {}", error.name, error.known))
}
