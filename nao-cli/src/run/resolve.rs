//! From what a person typed to a configuration: it is laid over the defaults of the chosen data, recipe and preset.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use nao_child::CellRecipe;
use nao_child::data::{DataKind, DataSource};
use nao_child::language::LANGUAGE_RECIPES;
use nao_controller::NaoConfig;
use nao_run::execution::ExecutionConfig;
use nao_run::quoted;
use nao_run::settings::{has_key, nested, overlay, parse_setting, read_table, table_of, word};
use nao_space::search::RoundLimits;
use toml::{Table, Value};

use super::before_trials::check_search_kind;
use super::config::{RunConfig, STRUCTURE, StrategyConfig, controller_preset};
use super::idle::{idle_preset, idle_sections};
use super::starting::{self, in_notation};
use super::typed::typed_table;
use crate::args::{CellOptions, ExecutionOptions, RunOptions, SpaceKind};
use crate::cell_network::CellNetwork;
use crate::cells::{CellSpace, NamedRecipe, follow};
use crate::data::{kind_of_data, load};
use crate::run::SearchedRecipe;
use crate::strategy::{RELAXED_SEARCHES, SHARED_SEARCHES};

/// A configuration with the data that it names.
pub struct Resolved<R: SearchedRecipe> {
    /// The configuration.
    pub config: RunConfig<R>,
    /// Its data.
    pub data: Arc<R::Data>,
}

/// The cells that are meant by what was typed: as named, or those of the data or of the recipe.
pub fn kind_of_search(run: &RunOptions, execution: &ExecutionOptions) -> Result<SpaceKind> {
    let typed = typed_table(run, execution)?;
    if let Some(kind) = word(&typed, "space", "kind")? {
        return SpaceKind::from_str(&kind, false)
            .map_err(|_| anyhow!("unknown space.kind `{kind}`: it must be cnn or rnn"));
    }
    if let Some(data) = word(&typed, "", "data")? {
        return Ok(kind_of_data(&data.parse()?));
    }
    Ok(kind_of_recipe(word(&typed, "recipe", "name")?.as_deref()).unwrap_or_default())
}

/// The cells that a recipe of that name trains, where the name says so.
pub fn kind_of_recipe(name: Option<&str>) -> Option<SpaceKind> {
    let name = name?;
    LANGUAGE_RECIPES.has(name).then_some(SpaceKind::Rnn)
}

/// Resolves what was typed: on the defaults for a new run, on the stored configuration for an old one, whose folder comes
/// along. The data is read, for it decides which recipe is the default and whether a recipe fits.
pub fn resolve<R: SearchedRecipe>(
    run: &RunOptions,
    execution: &ExecutionOptions,
    stored: Option<(&RunConfig<R>, &Path)>,
) -> Result<Resolved<R>> {
    let typed = typed_table(run, execution)?;
    let source: DataSource = match (word(&typed, "", "data")?, stored) {
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
    let mut base = match stored {
        Some((stored, _)) => stored.clone(),
        None => defaults::<R>(&source, &data)?,
    };
    if let Some(name) = word(&typed, "strategy", "name")?
        && SHARED_SEARCHES.contains(&name.as_str())
        && stored.is_none()
    {
        R::share(&mut base, &name, &data)?;
    }
    if let Some(name) = word(&typed, "strategy", "name")?
        && RELAXED_SEARCHES.contains(&name.as_str())
        && stored.is_none()
    {
        R::relax(&mut base, &name, &data)?;
    }
    base.data = source;
    if let Some(name) = word(&typed, "recipe", "name")? {
        // Another recipe trains the cells of the same network.
        let network = CellNetwork::of_recipe(&base.recipe);
        let space = R::Space::of_settings(&base.space)?;
        base.recipe = follow(R::built_in(&name)?, &network, &space, false)?;
    }
    let before = base.clone();
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
    let was_typed = typed.clone();
    let own_cosine = has_key(&typed, &["sharing", "training", "cosine_epochs"]);
    let own_rounds = has_key(&typed, &["rounds"]);
    overlay(&mut table, typed);
    if let Some(epochs) = run.epochs {
        overlay(&mut table, nested("recipe", Value::Table(epochs_table::<R>(epochs))));
    }
    let mut config: RunConfig<R> = read_table(table).context("configuration")?;
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
    config.start_with = in_notation(&config)?;
    config.check(&data)?;
    starting::check(&config)?;
    check_search_kind(&config, &data)?;
    let preset =
        (run.preset.is_none() && idle_preset(&config, &before)).then(|| "strategy.preset".to_owned());
    for setting in idle_sections(&was_typed, &config, &before).into_iter().chain(preset) {
        tracing::warn!("{setting} has no effect with strategy {}", config.strategy.name);
    }
    Ok(Resolved { config, data })
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

/// The defaults of a search on that data.
fn defaults<R: SearchedRecipe>(source: &DataSource, data: &R::Data) -> Result<RunConfig<R>> {
    let recipe =
        R::for_search(data).ok_or_else(|| anyhow!("no recipe for {source}: name one with --recipe"))?;
    let (rounds, parents) = recipe.rounds(source);
    let mut nao = NaoConfig { controller: controller_preset("v1")?, ..NaoConfig::default() };
    nao.seeds = parents.unwrap_or(nao.seeds);
    Ok(RunConfig {
        seed: 1,
        data: source.clone(),
        start_with: Vec::new(),
        space: R::Space::of_options(&CellOptions::default())?.settings(),
        rounds,
        strategy: StrategyConfig::new("nao", nao),
        recipe,
        sharing: None,
        relaxed: None,
        execution: ExecutionConfig::here(),
    })
}

#[cfg(test)]
mod tests {
    use nao_run::settings::Configuration;

    use super::*;
    use nao_child::Recipe;

    type ImageConfig = RunConfig<Recipe>;

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
    fn differences_name_field_and_both_values_but_not_execution_nor_budget() {
        let stored = resolved(&RunOptions::default(), None).unwrap();
        let mut run = options(&["execution.max_attempts=3", "rounds.budget=99"]);
        assert!(stored.differences(&resolved(&run, Some(&stored)).unwrap()).is_empty());
        run.seed = Some(2);
        run.nodes = Some(4);
        let differences = stored.differences(&resolved(&run, Some(&stored)).unwrap());
        let words: Vec<String> = differences.iter().map(|difference| difference.words("asked")).collect();
        assert_eq!(words, ["seed: 1 in the run, 2 asked", "space.nodes: 5 in the run, 4 asked"]);
    }
}
