//! `nao search`, and the loop that `nao resume` goes on with.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use burn::tensor::Device;
use nao_child::data::DataKind;
use nao_run::execution::{check_surroundings, executor};
use nao_run::executor::OpenTrials;
use nao_run::files::write_whole;
use nao_run::settings::Configuration;
use nao_run::{
    Coordinator, Ending, Interruption, Manifest, Ranking, RunFolder, SearchSettings, Store, StoredTrial,
    free_name, parse_stored, quoted,
};
use nao_space::draw::Drawing;
use nao_space::search::{OperationHistogram, Strategy};
use nao_space::{Space, TrialId, counted};

use super::print_text;
use crate::args::SearchArgs;
use crate::cell_network::CellNetwork;
use crate::cells::{CellSpace, with_recipe};
use crate::device::device;
use crate::failure::{Interrupted, stopped_at};
use crate::figures::figure;
use crate::interrupt::Interrupt;
use crate::output::tell;
use crate::pretrained::pretrained;
use crate::progress::SearchProgress;
use crate::registries::Registries;
use crate::report::{operations_watch, print_summary, relaxed_tables, say_origin, shared_tables};
use crate::run::{
    DerivedOutcome, Finalists, Resolved, RunConfig, RunInFolder, SearchedRecipe, SharedOutcome, data_summary,
    kind_of_search, new_manifest, refuse_flags_of_other_cells, refuse_idle_flags, resolve, starting,
};

/// Starts a search.
pub fn search(args: SearchArgs, known: &Registries, interrupt: &Interrupt) -> Result<()> {
    let kind = kind_of_search(known, &args.run, &args.execution)?;
    refuse_flags_of_other_cells(kind, &args.run)?;
    with_recipe!(kind, R => search_for::<R>(args, known, interrupt))
}

fn search_for<R: SearchedRecipe>(args: SearchArgs, known: &Registries, interrupt: &Interrupt) -> Result<()> {
    let Resolved { config, data } = resolve::<R>(known, &args.run, &args.execution, None)?;
    refuse_idle_flags(known, &args.run, &args.execution, &config)?;
    if args.dry_run {
        return print_text(&config.to_toml());
    }
    check_surroundings(&config.execution, args.out.as_deref())?;
    let manifest = manifest(&config, &data)?;
    let companions = data.companions();
    // It appears whole or not at all.
    let folder = interrupt.at_a_border(|| match args.out {
        Some(path) => Ok(RunFolder::create_configured(&path, &config, &manifest, &companions)?),
        None => create_with_free_name(&config, &manifest, &companions),
    })?;
    say_origin::<R>(&data);
    if !args.json {
        print_text(&introduction(&config, &manifest, &folder)?)?;
    }
    let lock = folder.lock()?;
    let store = folder.store()?;
    carry_out(&folder, Start { lock, store, config, data, adopted: None, known }, args.json, interrupt)
}

fn create_with_free_name<R: SearchedRecipe>(
    config: &RunConfig<R>,
    manifest: &Manifest,
    companions: &[(&str, String)],
) -> Result<RunFolder> {
    loop {
        let path: PathBuf = free_name(config.data.word());
        match RunFolder::create_configured(&path, config, manifest, companions) {
            // Another search took the name in the meantime.
            Err(_) if path.exists() => {}
            created => return Ok(created?),
        }
    }
}

fn manifest<R: SearchedRecipe>(config: &RunConfig<R>, data: &Arc<R::Data>) -> Result<Manifest> {
    let counts = config.recipe.counts(data)?;
    let summary = data_summary(Some(&config.data), data.checksum(), counts, data.origin());
    let manifest = new_manifest(&config.execution.device, config.seed, summary);
    Ok(manifest.with_objective(R::objective()).with_settings(config))
}

fn introduction<R: SearchedRecipe>(
    config: &RunConfig<R>,
    manifest: &Manifest,
    folder: &RunFolder,
) -> Result<String> {
    let examples: Vec<String> =
        manifest.examples.iter().map(|(split, count)| format!("{count} {split}")).collect();
    let space = R::Space::of_settings(&config.space)?.name();
    let plan = match (&config.sharing, &config.relaxed) {
        (None, None) => format!(
            "searching {space} with strategy {}: {}, {} at random first, then {} per round",
            config.strategy.name,
            counted(config.rounds.budget, "cell"),
            config.rounds.initial.min(config.rounds.budget),
            config.rounds.per_round,
        ),
        (None, Some(relaxed)) => format!(
            "searching {space} with strategy {}: {} of a relaxed network; the cells derived from it are trained from \
             scratch",
            config.strategy.name,
            counted(relaxed.weights.epochs, "epoch")
        ),
        (Some(sharing), _) => format!(
            "searching {space} with strategy {}: {} of {} of shared weights on a pool of {}, {} new per \
             round{}; the best {} are trained from scratch",
            config.strategy.name,
            counted(sharing.rounds, "round"),
            counted(sharing.training.epochs, "epoch"),
            counted(sharing.pool as u64, "cell"),
            sharing.per_round,
            if sharing.policy_updates > 0 {
                format!(" by a policy after {} updates", sharing.policy_updates)
            } else if sharing.per_round > 0 {
                config.strategy.preset().map_or_else(String::new, |preset| format!(" by preset {preset}"))
            } else {
                String::new()
            },
            sharing.finalists,
        ),
    };
    let on = if config.sharing.is_some() { "trainings from scratch on" } else { "on" };
    Ok(format!(
        "{plan}\n{on} {} ({} {}), recipe {}, {}, seed {}\nrun folder {}",
        config.data,
        examples.join(", "),
        R::Data::EXAMPLES,
        config.recipe.fidelity(),
        config.execution.place_in_words(folder),
        config.seed,
        folder.path().display(),
    ))
}

/// What a coordinator starts from. The store is open: what is wrong with it is said before anything is learned for hours.
pub(super) struct Start<'a, R: SearchedRecipe> {
    /// Keeps other coordinators out.
    pub lock: File,
    /// The store of the run.
    pub store: Store,
    /// What the run is.
    pub config: RunConfig<R>,
    /// Its data.
    pub data: Arc<R::Data>,
    /// The manifest of a run whose settings were not kept before, with them.
    pub adopted: Option<Manifest>,
    /// The strategies that there are.
    pub known: &'a Registries,
}

/// Runs the coordinator on the folder and shows what came out.
pub(super) fn carry_out<R: SearchedRecipe>(
    folder: &RunFolder,
    start: Start<'_, R>,
    json: bool,
    interrupt: &Interrupt,
) -> Result<()> {
    let Start { lock: _lock, store, config, data, adopted, known } = start;
    let config = &config;
    let space = R::Space::of_settings(&config.space)?;
    let execution = &config.execution;
    let executor = executor(folder, execution, space.clone(), config.recipe.fidelity())?;
    let device = device(execution.first_device())?;
    let (strategy, tables) = interrupt
        .at_once(parting(folder), || prepared(folder, known, config, data, &space, &device, interrupt))?;
    // Not before: what a search with shared weights or in a relaxed network has kept refuses settings of another one.
    adopted.map_or(Ok(()), |manifest| adopt(folder, &manifest))?;
    let settings = SearchSettings {
        objective: R::objective(),
        limits: config.rounds,
        seed: config.seed,
        patience: execution.patience(),
    };
    let mut progress = SearchProgress::new(execution.slots(), config.rounds.budget);
    let asked = AskedToStop { interrupt, folder, bars: progress.clearing() };
    let coordinator = Coordinator::new(folder, store, &space, settings, strategy, executor, &mut progress);
    let mut coordinator = coordinator.stopped_by(asked);
    let ending = interrupt.at_a_border(|| coordinator.run());
    let store = coordinator.into_store();
    progress.clear();
    let ending = ending?;
    let how = match &ending {
        Ending::BudgetSpent | Ending::Stopped(_) => None,
        Ending::Interrupted(OpenTrials::Stopped) => Some("stopped".to_owned()),
        Ending::Interrupted(OpenTrials::Working(who)) => Some(format!("stopped here; {who}")),
        Ending::Cancelled => Some("stopped by nao cancel".to_owned()),
    };
    if let Some(how) = how {
        return Err(Interrupted(format!("{how}; go on with:  nao resume {}", quoted(folder.path()))).into());
    }
    let trials = store.trials()?;
    if let Some(best) = Ranking::of(&trials, 1).entries.first() {
        let arch = parse_stored(&space, best.trial, &best.architecture, &best.key)?;
        let drawing = Drawing {
            title: format!("Best cell: trial {}", best.trial),
            subtitle: format!(
                "{} {} on {}, {}",
                best.objective.name,
                figure(best.objective.value),
                best.objective.split,
                best.fidelity
            ),
            ..Drawing::default()
        };
        write_whole(
            &folder.drawing(),
            R::Space::network_picture(&arch, None, &CellNetwork::of_recipe(&config.recipe))?
                .svg(&drawing)
                .as_bytes(),
        )?;
    }
    let tables = match tables {
        Some(tables) => Some(tables),
        None => watch::<R>(&space, config, &trials)?,
    };
    if let Some(tables) = tables.filter(|_| !json) {
        print_text(&tables)?;
    }
    print_summary(folder, config.seed, &trials, &store.tally()?, &ending, json)
}

/// Keeps the settings of a run of version 0.1, and says so.
fn adopt(folder: &RunFolder, manifest: &Manifest) -> Result<()> {
    folder.settings().keep_manifest(manifest)?;
    tell(format_args!(
        "{} was started by a nao that kept no settings beside run.toml; from now on they have to stay as they are",
        folder.path().display()
    ));
    Ok(())
}

/// How the coordinator of a search is stopped.
struct AskedToStop<'a, F> {
    interrupt: &'a Interrupt,
    folder: &'a RunFolder,
    /// Takes the bars away.
    bars: F,
}

impl<F: FnOnce() + Clone + Send + 'static> Interruption for AskedToStop<'_, F> {
    fn is_raised(&self) -> bool {
        self.interrupt.is_raised()
    }

    fn at_once(&self, work: &mut dyn FnMut()) {
        let (clear, words) = (self.bars.clone(), parting(self.folder));
        let parting = move || {
            clear();
            words()
        };
        self.interrupt.at_once(parting, work);
    }
}

/// The last words of a search that is stopped where nothing of what it does is kept.
fn parting(folder: &RunFolder) -> impl FnOnce() -> String + Send + 'static {
    let path = folder.path().to_owned();
    move || stopped_at(&path)
}

/// A strategy, and the tables of what was done before it.
type Prepared<S> = (Box<dyn Strategy<S>>, Option<String>);

/// The strategy of a run that is ready to be asked: what it rests on is learned or searched first, where there is something.
fn prepared<R: SearchedRecipe>(
    folder: &RunFolder,
    known: &Registries,
    config: &RunConfig<R>,
    data: Arc<R::Data>,
    space: &R::Space,
    device: &Device,
    interrupt: &Interrupt,
) -> Result<Prepared<R::Space>> {
    let run = |data| RunInFolder { folder, config, data, device: device.clone(), interrupt };
    if config.sharing.is_some() {
        let SharedOutcome { finalists, report } = R::search_shared(run(data))?;
        return Ok((Box::new(Finalists::new(finalists)), Some(shared_tables(&report))));
    }
    if config.relaxed.is_some() {
        let DerivedOutcome { finalists, report } = R::search_relaxed(run(data))?;
        return Ok((Box::new(Finalists::new(finalists)), Some(relaxed_tables(&report))));
    }
    let learned = || {
        let structure = config.strategy.structure().context("only a search on structure learns its space")?;
        pretrained(space, &structure.pretraining, device, Some(&folder.pretrained()))
    };
    let strategy = known.strategies.build(&config.strategy, space.clone(), config.seed, device, learned)?;
    Ok((starting(config, space, strategy)?, None))
}

/// The operations of the first and the last round and of the best cells, in words.
fn watch<R: SearchedRecipe>(
    space: &R::Space,
    config: &RunConfig<R>,
    trials: &[StoredTrial],
) -> Result<Option<String>> {
    let operations = |cells: &mut dyn Iterator<Item = &StoredTrial>| -> Result<Option<OperationHistogram>> {
        let archs = cells.map(|trial| parse_stored(space, trial.id, &trial.arch, &trial.key));
        Ok(R::Space::operations(&archs.collect::<nao_run::Result<Vec<_>>>()?))
    };
    let last = trials.last().map_or(0, |trial| trial.round);
    let of_round = |round: u64| operations(&mut trials.iter().filter(|trial| trial.round == round));
    let best: BTreeSet<TrialId> =
        Ranking::of(trials, WATCHED).entries.iter().map(|entry| entry.trial).collect();
    let best = operations(&mut trials.iter().filter(|trial| best.contains(&trial.id)))?;
    let (Some(first), Some(last), Some(best)) = (of_round(0)?, of_round(last)?, best) else {
        return Ok(None);
    };
    let objective = R::objective();
    let selection = format!(
        "of all trials the one with the best {} {}, each cell trained alone ({})",
        objective.split,
        objective.name,
        config.recipe.fidelity()
    );
    Ok(Some(operations_watch(&first, &last, &best, &selection)))
}

/// How many of the best cells are watched.
const WATCHED: usize = 5;
