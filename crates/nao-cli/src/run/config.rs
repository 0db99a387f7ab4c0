//! The configuration of a run, whole: what a person typed is laid over the defaults of the chosen data, recipe
//! and preset, and the result is what runs, is printed by `--dry-run` and is kept in `run.toml`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use nao_child::darts::RelaxedRecipe;
use nao_child::rnn::LANGUAGE_RECIPE_NAMES;
use nao_child::supernet::{SHARED_SEARCHES, SharingConfig};
use nao_controller::{Language, NaoConfig, PnasConfig, PolicyConfig, StructureConfig};
use nao_space::Space;
use nao_space::search::{EvolutionConfig, RoundLimits};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::args::{CellOptions, ExecutionOptions, RunOptions, SpaceKind};
use crate::data::DataSource;
use crate::files::read_text;
use crate::strategy::RELAXED_SEARCHES;
use crate::task::Task;

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

/// How a run is carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutionConfig {
    /// Children trained at the same time.
    pub workers: usize,
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// Seconds after which a child is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<f64>,
    /// A trial that the program itself did not survive this often is given up.
    pub max_attempts: u32,
}

impl<T: Task> RunConfig<T> {
    /// The configuration as TOML, as in `run.toml`.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain structs have a TOML form")
    }

    /// Checks what no type can: budgets, names, geometry.
    fn check(&self, data: &T::Data) -> Result<()> {
        let RoundLimits { initial, per_round, budget } = self.rounds;
        for (name, value) in [("budget", budget), ("initial", initial), ("per_round", per_round)] {
            if value == 0 {
                bail!("rounds.{name} is 0: a search needs at least one trial");
            }
        }
        if self.execution.workers == 0 {
            bail!("execution.workers is 0: at least one worker has to train children");
        }
        if self
            .execution
            .time_limit
            .is_some_and(|limit| limit <= 0.0 || Duration::try_from_secs_f64(limit).is_err())
        {
            bail!("execution.time_limit must be a positive number of seconds");
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
        crate::data::device(&self.execution.device)?;
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

/// A configuration with the data that it names.
pub struct Resolved<T: Task> {
    /// The configuration.
    pub config: RunConfig<T>,
    /// Its data.
    pub data: Arc<T::Data>,
}

/// The cells that are meant by what was typed: as named, or those of the data or of the recipe.
pub fn kind_of_search(run: &RunOptions, execution: &ExecutionOptions) -> Result<SpaceKind> {
    let typed = typed_table(run, execution)?;
    if let Some(kind) = word(&typed, "space", "kind")? {
        return SpaceKind::from_str(&kind, false)
            .map_err(|_| anyhow!("unknown space.kind `{kind}`: it must be cnn or rnn"));
    }
    if let Some(data) = word(&typed, "", "data")? {
        return Ok(data.parse::<DataSource>()?.kind());
    }
    Ok(kind_of_recipe(word(&typed, "recipe", "name")?.as_deref()).unwrap_or_default())
}

/// The cells that a recipe of that name trains, where the name says so.
pub fn kind_of_recipe(name: Option<&str>) -> Option<SpaceKind> {
    let name = name?;
    LANGUAGE_RECIPE_NAMES.contains(&name).then_some(SpaceKind::Rnn)
}

/// A string of a table or of one of its sections.
fn word(table: &Table, section: &str, key: &str) -> Result<Option<String>> {
    let section = match section {
        "" => Some(table),
        name => table.get(name).and_then(Value::as_table),
    };
    let Some(value) = section.and_then(|table| table.get(key)) else { return Ok(None) };
    value.as_str().map(|word| Some(word.to_owned())).ok_or_else(|| anyhow!("`{key}` must be a string"))
}

/// Resolves what was typed: on the defaults for a new run, on the stored configuration for an old one, whose folder comes
/// along. The data is read, for it decides which recipe is the default and whether a recipe fits.
pub fn resolve<T: Task>(
    run: &RunOptions,
    execution: &ExecutionOptions,
    stored: Option<(&RunConfig<T>, &Path)>,
) -> Result<Resolved<T>> {
    let typed = typed_table(run, execution)?;
    let source: DataSource = match (word(&typed, "", "data")?, stored) {
        (Some(word), _) => word.parse()?,
        (None, Some((stored, _))) => stored.data.clone(),
        (None, None) => T::default_source().context(NO_TEXT)?,
    };
    let data = T::load(&source, stored.map(|(_, folder)| folder))?;
    let mut base = match stored {
        Some((stored, _)) => stored.clone(),
        None => defaults::<T>(&source, &data)?,
    };
    if let Some(name) = word(&typed, "strategy", "name")?
        && SHARED_SEARCHES.contains(&name.as_str())
        && stored.is_none()
    {
        T::share(&mut base, &name, &data)?;
    }
    if let Some(name) = word(&typed, "strategy", "name")?
        && RELAXED_SEARCHES.contains(&name.as_str())
        && stored.is_none()
    {
        T::relax(&mut base, &name, &data)?;
    }
    base.data = source;
    if let Some(name) = word(&typed, "recipe", "name")? {
        base.recipe = T::recipe(&name)?;
    }
    if let Some(preset) = word(&typed, "strategy", "preset")? {
        if preset != STRUCTURE {
            base.strategy.nao = NaoConfig { controller: controller_preset(&preset)?, ..base.strategy.nao };
        }
        base.strategy.preset = preset;
    }
    let mut table = table_of(&base);
    if typed.contains_key("sharing") && base.sharing.is_none() {
        bail!("[sharing] is for the strategies {}", SHARED_SEARCHES.join(", "));
    }
    if typed.contains_key("relaxed") && base.relaxed.is_none() {
        bail!("[relaxed] is for the strategies {}", RELAXED_SEARCHES.join(", "));
    }
    let own_cosine = has_key(&typed, &["sharing", "training", "cosine_epochs"]);
    let own_rounds = has_key(&typed, &["rounds"]);
    overlay(&mut table, typed);
    if let Some(epochs) = run.epochs {
        overlay(&mut table, nested("recipe", Value::Table(T::epochs_of_recipe(epochs))));
    }
    let mut config: RunConfig<T> =
        table.try_into().map_err(|error| anyhow!("configuration: {}", one_line(&error)))?;
    if stored.is_none()
        && let Some(sharing) = &mut config.sharing
    {
        if own_rounds {
            bail!(
                "rounds.* counts cells that are trained alone; with shared weights these are sharing.finalists, and the \
                 search goes by sharing.pool, sharing.per_round and sharing.rounds"
            );
        }
        let trials = sharing.finalists as u64;
        config.rounds = RoundLimits { initial: trials, per_round: trials, budget: trials };
        if !own_cosine {
            sharing.training.cosine_epochs = sharing.schedule_epochs();
        }
    }
    if stored.is_none() && config.relaxed.is_some() {
        if own_rounds {
            bail!(
                "rounds.* counts cells that are trained alone; a relaxed network gives one, after relaxed.weights.epochs"
            );
        }
        config.rounds = RoundLimits { initial: 1, per_round: 1, budget: 1 };
    }
    config.check(&data)?;
    Ok(Resolved { config, data })
}

/// Whether a table has a value at a place.
fn has_key(table: &Table, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    match table.get(*first) {
        Some(_) if rest.is_empty() => true,
        Some(Value::Table(inner)) => has_key(inner, rest),
        _ => false,
    }
}

/// Said where recurrent cells have no text.
pub const NO_TEXT: &str = "recurrent cells are trained on text: name a folder with --data text:DIR";

/// A recipe with settings such as `structure.width=16` laid over it.
pub fn overlay_recipe<T: Task>(
    recipe: &T::Recipe,
    epochs: Option<u32>,
    settings: &[String],
) -> Result<T::Recipe> {
    let mut table = table_of(recipe);
    for setting in settings {
        overlay(&mut table, parse_setting(setting)?);
    }
    if let Some(epochs) = epochs {
        overlay(&mut table, T::epochs_of_recipe(epochs));
    }
    table.try_into().map_err(|error| anyhow!("recipe: {}", one_line(&error)))
}

/// The controller preset of that name.
pub fn controller_preset(name: &str) -> Result<nao_controller::ControllerConfig> {
    nao_controller::ControllerConfig::preset(name)
        .map_err(|error| anyhow!("no preset `{}`; there are {STRUCTURE}, {}", error.name, error.known))
}

/// The defaults of a search on that data.
fn defaults<T: Task>(source: &DataSource, data: &T::Data) -> Result<RunConfig<T>> {
    let recipe =
        T::search_recipe(data).ok_or_else(|| anyhow!("no recipe for {source}: name one with --recipe"))?;
    let (rounds, parents) = T::rounds(source, &recipe);
    let mut nao = NaoConfig { controller: controller_preset("v1")?, ..NaoConfig::default() };
    nao.seeds = parents.unwrap_or(nao.seeds);
    Ok(RunConfig {
        seed: 1,
        data: source.clone(),
        space: T::space_settings(&T::space_of(&CellOptions::default())?),
        rounds,
        strategy: StrategyConfig::new("nao", nao),
        recipe,
        sharing: None,
        relaxed: None,
        execution: ExecutionConfig {
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            device: "cpu".into(),
            time_limit: None,
            max_attempts: 10,
        },
    })
}

/// The file, then `--set`, then the named flags, as one table.
fn typed_table(run: &RunOptions, execution: &ExecutionOptions) -> Result<Table> {
    let mut typed = Table::new();
    if let Some(path) = &run.config {
        let text = read_text(path)?;
        typed = text.parse().map_err(|error| anyhow!("{}: {}", path.display(), one_line(&error)))?;
    }
    for setting in &run.settings {
        overlay(&mut typed, parse_setting(setting)?);
    }
    let text = |value: &Option<String>| value.clone().map(Value::String);
    let number = |value: Option<u64>| -> Result<Option<Value>> {
        let number = value.map(i64::try_from).transpose().context("a number is too large")?;
        Ok(number.map(Value::Integer))
    };
    let flags = [
        ("data", text(&run.data)),
        ("recipe.name", text(&run.recipe)),
        ("strategy.name", text(&run.strategy)),
        ("strategy.preset", text(&run.preset)),
        ("space.kind", run.space.map(Value::try_from).transpose()?),
        ("space.ops", text(&run.ops)),
        ("space.order", text(&run.order)),
        ("space.nodes", number(run.nodes.map(|nodes| nodes as u64))?),
        ("seed", number(run.seed)?),
        ("rounds.budget", number(run.budget)?),
        ("rounds.initial", number(run.initial)?),
        ("rounds.per_round", number(run.per_round)?),
        ("execution.workers", number(execution.workers.map(|workers| workers as u64))?),
        ("execution.device", text(&execution.device)),
        ("execution.time_limit", execution.time_limit.map(Value::Float)),
    ];
    for (key, value) in flags {
        if let Some(value) = value {
            overlay(&mut typed, nested(key, value));
        }
    }
    Ok(typed)
}

/// `a.b=1` as a table. A value that is no TOML, such as a bare word, is a string.
fn parse_setting(setting: &str) -> Result<Table> {
    let Some((key, value)) = setting.split_once('=') else {
        bail!("`--set {setting}`: expected KEY=VALUE, such as recipe.structure.width=8");
    };
    let parsed = format!("value = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    Ok(nested(key.trim(), parsed.unwrap_or_else(|| Value::String(value.to_owned()))))
}

fn nested(key: &str, value: Value) -> Table {
    let mut table = Table::new();
    match key.split_once('.') {
        None => table.insert(key.to_owned(), value),
        Some((section, rest)) => table.insert(section.to_owned(), Value::Table(nested(rest, value))),
    };
    table
}

/// Lays `upper` over `lower`, table by table.
fn overlay(lower: &mut Table, upper: Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}

fn table_of<T: Serialize>(value: &T) -> Table {
    Table::try_from(value).expect("plain structs have a TOML form")
}

fn one_line(error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ");
    match error.span() {
        Some(span) => format!("{message} (byte {})", span.start),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::ImageTask;

    type ImageConfig = RunConfig<ImageTask>;

    fn options(settings: &[&str]) -> RunOptions {
        RunOptions { settings: settings.iter().map(|&s| s.to_owned()).collect(), ..RunOptions::default() }
    }

    fn resolved(run: &RunOptions, stored: Option<&ImageConfig>) -> Result<ImageConfig> {
        Ok(resolve(run, &ExecutionOptions::default(), stored.map(|stored| (stored, Path::new("."))))?.config)
    }

    #[test]
    fn a_resolved_configuration_reads_back_from_its_toml() {
        let config = resolved(&RunOptions::default(), None).unwrap();
        assert_eq!(toml::from_str::<ImageConfig>(&config.to_toml()).unwrap(), config);
    }

    #[test]
    fn flags_win_over_settings_and_settings_over_defaults() {
        let mut run = options(&["rounds.budget=7", "space.nodes=3", "recipe.epochs=2"]);
        run.budget = Some(9);
        let config = resolved(&run, None).unwrap();
        assert_eq!((config.rounds.budget, config.space.nodes, config.recipe.epochs), (9, 3, 2));
    }

    #[test]
    fn unknown_keys_and_values_are_refused_by_name() {
        for (setting, word) in [
            ("recipe.structure.widht=8", "widht"),
            ("recipe.structure.width=7", "even"),
            ("recipe.name=search", "digits"),
            ("colour=1", "colour"),
            ("rounds.budget=0", "rounds.budget is 0"),
            ("strategy.name=magic", "magic"),
            ("strategy.preset=v9", "v9"),
            ("strategy.name=evolution:aging", "evolution:non-aging"),
            ("strategy.evolution.sample=31", "1 to population = 30"),
            ("strategy.evolution.removal=best", "best"),
            ("strategy.policy.hidden=0", "`hidden` is 0"),
            ("strategy.pnas.beam=0", "`beam` is 0"),
            ("strategy.policy.rule.kind=a3c", "a3c"),
            ("space.ops=v9", "v9"),
            ("space.nodes=13", "13"),
            ("recipe.name=none", "none"),
            ("execution.workers=0", "workers is 0"),
            ("seed", "KEY=VALUE"),
        ] {
            let error = format!("{:#}", resolved(&options(&[setting]), None).unwrap_err());
            assert!(error.contains(word) && !error.contains('\n'), "{setting}: {error}");
        }
    }

    #[test]
    fn differences_name_field_and_both_values_but_not_execution() {
        let stored = resolved(&RunOptions::default(), None).unwrap();
        let mut run = options(&["execution.max_attempts=3"]);
        assert!(stored.differences(&resolved(&run, Some(&stored)).unwrap()).is_empty());
        run.seed = Some(2);
        run.nodes = Some(4);
        let differences = stored.differences(&resolved(&run, Some(&stored)).unwrap());
        assert_eq!(differences, ["seed: 1 in the run, 2 asked", "space.nodes: 5 in the run, 4 asked"]);
    }
}
