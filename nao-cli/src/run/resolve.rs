//! From what a person typed to a configuration: it is laid over the defaults of the chosen data, recipe and preset.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use nao_child::language::LANGUAGE_RECIPES;
use nao_controller::NaoConfig;
use nao_space::search::RoundLimits;
use toml::Value;

use super::config::{RunConfig, STRUCTURE, StrategyConfig, controller_preset};
use super::execution::ExecutionConfig;
use super::idle::{idle_preset, idle_sections};
use super::starting::in_notation;
use super::toml_error::read_table;
use super::typed::{has_key, nested, overlay, parse_setting, table_of, typed_table, word};
use crate::args::{CellOptions, ExecutionOptions, RunOptions, SpaceKind};
use crate::data::DataSource;
use crate::strategy::{RELAXED_SEARCHES, SHARED_SEARCHES};
use crate::task::Task;
use nao_run::quoted;

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
    LANGUAGE_RECIPES.has(name).then_some(SpaceKind::Rnn)
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
    let data = match stored {
        Some((_, folder)) if source.place().is_some() => {
            T::load(&source, Some(folder)).with_context(|| {
                let (path, word) = (folder.display(), source.word());
                format!(
                    "the data of {path} cannot be read; where it has moved:  nao resume {} --data {word}:DIR",
                    quoted(folder)
                )
            })?
        }
        _ => T::load(&source, None)?,
    };
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
        // Another recipe trains the cells of the same network.
        let network = T::network_of(&base.recipe);
        base.recipe = T::recipe(&name)?;
        T::follow(&mut base.recipe, &network, &T::space(&base.space)?, false)?;
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
        overlay(&mut table, nested("recipe", Value::Table(T::epochs_of_recipe(epochs))));
    }
    let mut config: RunConfig<T> = read_table(table).context("configuration")?;
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
    read_table(table).context("recipe")
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
        start_with: Vec::new(),
        space: T::space_settings(&T::space_of(&CellOptions::default())?),
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
