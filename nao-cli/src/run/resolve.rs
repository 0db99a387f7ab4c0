//! From what a person typed to a configuration: it is laid over the defaults of the chosen data, recipe and preset.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use nao_child::CellRecipe;
use nao_child::data::{DataKind, DataSource};
use nao_controller::registry::{Base, Configured, SearchKind, StrategyError};
use nao_run::execution::ExecutionConfig;
use nao_run::quoted;
use nao_run::settings::{has_key, nested, overlay, parse_setting, plain, read_table, table_of, word};
use nao_space::search::RoundLimits;
use toml::{Table, Value};

use super::before_trials::check_search_kind;
use super::config::RunConfig;
use super::starting::{self, in_notation};
use super::typed::typed_table;
use crate::args::{CellOptions, ExecutionOptions, RunOptions, SpaceKind};
use crate::cell_network::CellNetwork;
use crate::cells::{CellSpace, NamedRecipe, follow};
use crate::data::{kind_of_data, load};
use crate::registries::{Registries, in_runs};
use crate::run::SearchedRecipe;

/// A configuration with the data that it names.
pub struct Resolved<R: SearchedRecipe> {
    /// The configuration.
    pub config: RunConfig<R>,
    /// Its data.
    pub data: Arc<R::Data>,
}

/// The cells that are meant by what was typed: as named, or those of the data or of the recipe.
pub fn kind_of_search(
    known: &Registries,
    run: &RunOptions,
    execution: &ExecutionOptions,
) -> Result<SpaceKind> {
    let typed = typed_table(run, execution)?;
    if let Some(kind) = word(&typed, "space", "kind")? {
        return SpaceKind::from_str(&kind, false)
            .map_err(|_| anyhow!("unknown space.kind `{kind}`: it must be cnn or rnn"));
    }
    if let Some(data) = word(&typed, "", "data")? {
        return Ok(kind_of_data(&data.parse()?));
    }
    Ok(known.kind_of_recipe(word(&typed, "recipe", "name")?.as_deref()).unwrap_or_default())
}

/// Resolves what was typed: on the defaults for a new run, on the stored configuration for an old one, whose folder comes
/// along. The data is read, for it decides which recipe is the default and whether a recipe fits.
pub fn resolve<R: SearchedRecipe>(
    known: &Registries,
    run: &RunOptions,
    execution: &ExecutionOptions,
    stored: Option<(&RunConfig<R>, &Path)>,
) -> Result<Resolved<R>> {
    let mut typed = typed_table(run, execution)?;
    let (source, data) = named_data::<R>(&typed, stored)?;
    let (mut base, parents) = match stored {
        Some((stored, _)) => (stored.clone(), None),
        None => defaults::<R>(known, &typed, &source, &data)?,
    };
    base.data = source;
    if let Some(name) = word(&typed, "recipe", "name")? {
        // Another recipe trains the cells of the same network.
        let network = CellNetwork::of_recipe(&base.recipe);
        let space = R::Space::of_settings(&base.space)?;
        base.recipe = follow(R::listed(known, &name)?, &network, &space, false)?;
    }
    let strategy = typed.remove("strategy");
    let strategy_base = match stored {
        Some((stored, _)) => Base::Stored(&stored.strategy),
        None => Base::New { parents },
    };
    let Configured { config: strategy, idle } = configured(known, strategy, strategy_base)?;
    base.strategy = strategy;
    if typed.contains_key("sharing") && base.sharing.is_none() {
        bail!("[sharing] is for searches {}", known.strategies.known(SearchKind::is_shared));
    }
    if typed.contains_key("relaxed") && base.relaxed.is_none() {
        bail!("[relaxed] is for searches {}", known.strategies.known(SearchKind::is_relaxed));
    }
    let own = OwnSchedule::of(&typed);
    let mut table = table_of(&base);
    overlay(&mut table, typed);
    if let Some(epochs) = run.epochs {
        overlay(&mut table, nested("recipe", Value::Table(epochs_table::<R>(epochs))));
    }
    let mut config: RunConfig<R> = read_table(table).context("configuration")?;
    if stored.is_none() {
        own.complete(&mut config)?;
    }
    config.start_with = in_notation(&config)?;
    config.check(known, &data)?;
    check_search_kind(&config, known, &data)?;
    starting::check(&config)?;
    // A flag is refused, not said.
    for setting in idle.iter().filter(|place| *place != "strategy.preset" || run.preset.is_none()) {
        tracing::warn!("{setting} has no effect with strategy {}", config.strategy.name);
    }
    Ok(Resolved { config, data })
}

/// The data that is meant, read.
fn named_data<R: SearchedRecipe>(
    typed: &Table,
    stored: Option<(&RunConfig<R>, &Path)>,
) -> Result<(DataSource, Arc<R::Data>)> {
    let source: DataSource = match (word(typed, "", "data")?, stored) {
        (Some(word), _) => word.parse()?,
        (None, Some((stored, _))) => stored.data.clone(),
        (None, None) => R::Data::default_source().context(NO_TEXT)?,
    };
    let data = match stored {
        Some((_, folder)) if source.place().is_some() => {
            load::<R>(&source, Some(folder)).with_context(|| {
                let (path, word) = (folder.display(), source.word());
                format!(
                    "the data of {path} cannot be read; where it has moved:  nao resume {} --data {word}:DIR",
                    quoted(folder)
                )
            })?
        }
        _ => load::<R>(&source, None)?,
    };
    Ok((source, data))
}

/// What was typed of the strategy, laid over its base.
fn configured(known: &Registries, typed: Option<Value>, base: Base<'_>) -> Result<Configured> {
    let typed = match typed {
        None => serde_json::Map::new(),
        Some(Value::Table(table)) => in_json(table).context("strategy")?,
        Some(other) => bail!("strategy: {other} is not a table of settings"),
    };
    known.strategies.configure(typed, base).map_err(|error| match error {
        StrategyError::Setting { place, message } => anyhow!("strategy.{place}: {}", plain(&message)),
        error => error.into(),
    })
}

/// A table as a JSON object.
fn in_json(table: Table) -> Result<serde_json::Map<String, serde_json::Value>> {
    let value = |(key, value): (String, Value)| -> Result<(String, serde_json::Value)> {
        let value = match value {
            Value::Float(number) if !number.is_finite() => bail!("{key} is {number}; it must be finite"),
            Value::Table(table) => in_json(table)?.into(),
            other => serde_json::to_value(other)?,
        };
        Ok((key, value))
    };
    table.into_iter().map(value).collect()
}

/// What a user has said of the rounds of a search that chooses before its trials.
struct OwnSchedule {
    rounds: bool,
    cosine: bool,
}

impl OwnSchedule {
    fn of(typed: &Table) -> Self {
        OwnSchedule {
            rounds: has_key(typed, &["rounds"]),
            cosine: has_key(typed, &["sharing", "training", "cosine_epochs"]),
        }
    }

    /// Sets what follows from the rest of the configuration.
    fn complete<R: SearchedRecipe>(&self, config: &mut RunConfig<R>) -> Result<()> {
        if let Some(sharing) = &mut config.sharing {
            if self.rounds {
                bail!(
                    "rounds.* counts cells that are trained alone; with shared weights these are sharing.finalists, and the \
                     search goes by sharing.pool, sharing.per_round and sharing.rounds"
                );
            }
            let trials = sharing.finalists as u64;
            config.rounds = RoundLimits { initial: trials, per_round: trials, budget: trials };
            if !self.cosine {
                sharing.training.cosine_epochs = sharing.schedule_epochs();
            }
        }
        if config.relaxed.is_some() {
            if self.rounds {
                bail!(
                    "rounds.* counts cells that are trained alone; a relaxed network gives one, after \
                     relaxed.weights.epochs"
                );
            }
            config.rounds = RoundLimits { initial: 1, per_round: 1, budget: 1 };
        }
        Ok(())
    }
}

/// Said where recurrent cells have no text.
pub const NO_TEXT: &str = "recurrent cells are trained on text: name a folder with --data text:DIR";

/// A recipe with settings such as `structure.width=16` laid over it.
pub fn overlay_recipe<R: NamedRecipe>(recipe: &R, epochs: Option<u32>, settings: &[String]) -> Result<R> {
    let mut table = table_of(recipe);
    for setting in settings {
        overlay(&mut table, parse_setting(setting)?);
    }
    if let Some(epochs) = epochs {
        overlay(&mut table, epochs_table::<R>(epochs));
    }
    read_table(table).context("recipe")
}

/// The settings of a recipe that change with the number of epochs.
fn epochs_table<R: CellRecipe>(epochs: u32) -> Table {
    let settings = R::settings_of_epochs().iter();
    settings.map(|name| ((*name).to_owned(), Value::Integer(epochs.into()))).collect()
}

/// The defaults of a search by the named strategy on that data, and how many parents a controller of the authors moves.
fn defaults<R: SearchedRecipe>(
    known: &Registries,
    typed: &Table,
    source: &DataSource,
    data: &R::Data,
) -> Result<(RunConfig<R>, Option<usize>)> {
    let name = word(typed, "strategy", "name")?;
    let entry = known.strategies.entry_of(name.as_deref().unwrap_or("nao"), in_runs)?;
    let recipe =
        R::for_search(data).ok_or_else(|| anyhow!("no recipe for {source}: name one with --recipe"))?;
    let (rounds, mut parents) = recipe.rounds(source);
    let mut config = RunConfig {
        seed: 1,
        data: source.clone(),
        start_with: Vec::new(),
        space: R::Space::of_options(&CellOptions::default())?.settings(),
        rounds,
        strategy: entry.config(),
        recipe,
        sharing: None,
        relaxed: None,
        execution: ExecutionConfig::here(),
    };
    match entry.kind {
        SearchKind::Shared(_) => R::share(&mut config, entry, data)?,
        SearchKind::Relaxed { .. } => R::relax(&mut config, entry, data)?,
        SearchKind::Trials | SearchKind::CheapTrials => {}
    }
    if let Some(sharing) = &config.sharing {
        // Small pools keep the share of parents of the published ones.
        parents = Some((sharing.pool / 3).clamp(1, 100));
    }
    Ok((config, parents))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nao_child::Recipe;
    use nao_run::settings::Configuration;

    type ImageConfig = RunConfig<Recipe>;

    fn options(settings: &[&str]) -> RunOptions {
        RunOptions { settings: settings.iter().map(|&s| s.to_owned()).collect(), ..RunOptions::default() }
    }

    fn resolved(run: &RunOptions, stored: Option<&ImageConfig>) -> Result<ImageConfig> {
        let stored = stored.map(|stored| (stored, Path::new(".")));
        Ok(resolve(&Registries::default(), run, &ExecutionOptions::default(), stored)?.config)
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
            ("strategy.kapa=1", "kapa"),
            ("strategy.kappa=-1", "`kappa` is -1"),
            ("strategy.kappa=inf", "finite"),
            ("strategy.draws=many", "strategy.draws"),
            ("strategy.structure.draws=0", "`draws`"),
            ("strategy=random", "not a table"),
            ("strategy.name=nao:cheap", "unknown strategy `nao:cheap`"),
            ("space.ops=v9", "v9"),
            ("space.nodes=13", "13"),
            ("recipe.name=none", "none"),
            ("execution.workers=0", "workers is 0"),
            ("execution.slurm.slots_per_node=0", "slots_per_node is 0"),
            ("execution.max_failed_share=1.5", "0 to 1"),
            ("execution.memory_limit=-1", "positive number of MiB"),
            ("execution.cluster.lease=1", "too short for a heartbeat"),
            ("execution.executor=cloud", "cloud"),
            ("execution.slurm.args=--array=0-3", "--array is set by nao"),
            ("seed", "KEY=VALUE"),
        ] {
            let error = format!("{:#}", resolved(&options(&[setting]), None).unwrap_err());
            assert!(error.contains(word) && !error.contains('\n'), "{setting}: {error}");
        }
    }

    #[test]
    fn settings_of_a_strategy_are_refused_by_name_in_either_form() {
        for (name, setting, word) in [
            ("evolution", "strategy.evolution.sample=31", "1 to population = 30"),
            ("evolution", "strategy.sample=31", "1 to population = 30"),
            ("evolution", "strategy.removal=best", "best"),
            ("hier-ea", "strategy.removal=oldest", "choose another strategy"),
            ("ppo", "strategy.policy.hidden=0", "`hidden` is 0"),
            ("ppo", "strategy.rule.kind=a3c", "a3c"),
            ("pnas", "strategy.pnas.beam=0", "`beam` is 0"),
            ("random", "strategy.beam=1", "random has no settings"),
            ("nao:v1", "strategy.preset=v2", "nao:v1"),
            ("random-ws", "sharing.per_round=3", "0 where the pool is fixed"),
            ("random-ws", "sharing.per_round=3 sharing.pool_rule=keep_size", "random-ws proposes no cells"),
        ] {
            let mut run = options(&setting.split(' ').collect::<Vec<_>>());
            run.strategy = Some(name.to_owned());
            let error = format!("{:#}", resolved(&run, None).unwrap_err());
            assert!(error.contains(word) && !error.contains('\n'), "{setting}: {error}");
        }
    }

    /// What a file says of one strategy is not said of another that is named beside it.
    #[test]
    fn a_strategy_that_is_named_takes_no_settings_of_that_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("search.toml");
        let config = |name: &str| {
            let named = Some(name.to_owned());
            resolved(&RunOptions { strategy: named, ..RunOptions::default() }, None).unwrap()
        };
        let default = config("nao");
        std::fs::write(&file, default.to_toml()).unwrap();
        for name in ["evolution", "nao:v2", "random"] {
            let mut run = RunOptions { config: Some(file.clone()), ..RunOptions::default() };
            run.strategy = Some(name.to_owned());
            assert_eq!(resolved(&run, None).unwrap(), config(name));
        }
        let mut run = RunOptions { config: Some(file), ..RunOptions::default() };
        run.preset = Some("v2".to_owned());
        assert_eq!(resolved(&run, None).unwrap(), config("nao:v2"));
    }

    #[test]
    fn every_strategy_resolves_to_a_configuration_that_reads_back() {
        let known = Registries::default();
        for entry in known.strategies.entries().filter(|entry| in_runs(entry.kind)) {
            let named = Some(entry.name.to_owned());
            let config = resolved(&RunOptions { strategy: named, ..RunOptions::default() }, None).unwrap();
            let printed = config.to_toml();
            assert_eq!(toml::from_str::<ImageConfig>(&printed).unwrap(), config, "{printed}");
            assert_eq!(config.strategy.name, entry.stands_for);
        }
    }

    #[test]
    fn differences_name_field_and_both_values_but_not_execution_nor_budget() {
        let stored = resolved(&RunOptions::default(), None).unwrap();
        let mut run = options(&["execution.max_attempts=3", "rounds.budget=99"]);
        assert!(stored.differences(&resolved(&run, Some(&stored)).unwrap()).is_empty());
        let other = RunOptions { strategy: Some("random".to_owned()), ..RunOptions::default() };
        let differences = stored.differences(&resolved(&other, Some(&stored)).unwrap());
        let fields: Vec<&str> = differences.iter().map(|difference| difference.field.as_str()).collect();
        assert_eq!(fields, ["strategy.name", "strategy.preset"], "not all settings of both");
        run.seed = Some(2);
        run.nodes = Some(4);
        let differences = stored.differences(&resolved(&run, Some(&stored)).unwrap());
        let words: Vec<String> = differences.iter().map(|difference| difference.words("asked")).collect();
        assert_eq!(words, ["seed: 1 in the run, 2 asked", "space.nodes: 5 in the run, 4 asked"]);
    }
}
