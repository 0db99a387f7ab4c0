//! `nao search`, and the loop that `nao resume` goes on with.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use burn::tensor::Device;
use nao_run::executor::OpenTrials;
use nao_run::files::write_whole;
use nao_run::{
    Coordinator, Ending, Interruption, RunFolder, SearchSettings, Store, StoredTrial, parse_stored,
};
use nao_space::counted;
use nao_space::draw::Drawing;
use nao_space::search::{OperationHistogram, Strategy};
use nao_space::{Space, TrialId};

use super::print_text;
use crate::args::SearchArgs;
use crate::data::device;
use crate::engine::{bars, check_engine, engine, patience, where_words};
use crate::failure::{Interrupted, stopped_at};
use crate::interrupt::Interrupt;
use crate::output::tell;
use crate::pretrained::pretrained;
use crate::report::{
    SearchProgress, figure, operations_watch, print_summary, ranking, relaxed_tables, say_origin,
    shared_tables,
};
use crate::run::{
    DerivedOutcome, Finalists, Manifest, Resolved, RunConfig, SharedOutcome, SharedRun, free_name,
    kind_of_search, refuse_flags_of_other_cells, refuse_idle_flags, resolve, starting,
};
use crate::run::{RunContents, create_run};
use crate::strategy;
use crate::task::{Task, with_task};
use nao_run::quoted;

/// Starts a search.
pub fn search(args: SearchArgs, interrupt: &Interrupt) -> Result<()> {
    let kind = kind_of_search(&args.run, &args.execution)?;
    refuse_flags_of_other_cells(kind, &args.run)?;
    with_task!(kind, T => search_for::<T>(args, interrupt))
}

fn search_for<T: Task>(args: SearchArgs, interrupt: &Interrupt) -> Result<()> {
    let Resolved { config, data } = resolve::<T>(&args.run, &args.execution, None)?;
    refuse_idle_flags(&args.run, &args.execution, &config)?;
    if args.dry_run {
        return print_text(&config.to_toml());
    }
    check_engine(&config.execution, args.out.as_deref())?;
    let manifest = manifest(&config, &data)?;
    let companions = T::companions(&data);
    // It appears whole or not at all.
    let folder = interrupt.at_a_border(|| match args.out {
        Some(path) => create_run(&path, &config, &manifest, &companions),
        None => create_with_free_name(&config, &manifest, &companions),
    })?;
    say_origin::<T>(&data);
    if !args.json {
        print_text(&introduction(&config, &manifest, &folder)?)?;
    }
    let lock = folder.lock()?;
    let store = folder.store()?;
    carry_out(&folder, Start { lock, store, config, data, adopted: None }, args.json, interrupt)
}

fn create_with_free_name<T: Task>(
    config: &RunConfig<T>,
    manifest: &Manifest,
    companions: &[(&str, String)],
) -> Result<RunFolder> {
    loop {
        let path: PathBuf = free_name(config.data.word());
        match create_run(&path, config, manifest, companions) {
            // Another search took the name in the meantime.
            Err(_) if path.exists() => {}
            created => return created,
        }
    }
}

fn manifest<T: Task>(config: &RunConfig<T>, data: &Arc<T::Data>) -> Result<Manifest> {
    let counts = T::counts(data, &config.recipe)?;
    let (device, name) = (&config.execution.device, config.data.to_string());
    let manifest =
        Manifest::of(device, config.seed, name, T::checksum(data), counts).with_files(T::origin(data));
    Ok(manifest.with_objective(T::objective()).with_settings(config))
}

fn introduction<T: Task>(config: &RunConfig<T>, manifest: &Manifest, folder: &RunFolder) -> Result<String> {
    let examples: Vec<String> =
        manifest.examples.iter().map(|(split, count)| format!("{count} {split}")).collect();
    let space = T::space(&config.space)?.name();
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
                format!(" by preset {}", config.strategy.preset)
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
        T::EXAMPLES,
        T::fidelity(&config.recipe),
        where_words(&config.execution, folder),
        config.seed,
        folder.path().display(),
    ))
}

/// What a coordinator starts from. The store is open: what is wrong with it is said before anything is learned for hours.
pub(super) struct Start<T: Task> {
    /// Keeps other coordinators out.
    pub lock: File,
    /// The store of the run.
    pub store: Store,
    /// What the run is.
    pub config: RunConfig<T>,
    /// Its data.
    pub data: Arc<T::Data>,
    /// The manifest of a run whose settings were not kept before, with them.
    pub adopted: Option<Manifest>,
}

/// Runs the coordinator on the folder and shows what came out.
pub(super) fn carry_out<T: Task>(
    folder: &RunFolder,
    start: Start<T>,
    json: bool,
    interrupt: &Interrupt,
) -> Result<()> {
    let Start { lock: _lock, store, config, data, adopted } = start;
    let config = &config;
    let space = T::space(&config.space)?;
    let execution = &config.execution;
    let executor = engine::<T>(folder, config, &space)?;
    let device = device(execution.first_device())?;
    let (strategy, tables) =
        interrupt.at_once(parting(folder), || prepared(folder, config, data, &space, &device, interrupt))?;
    // Not before: what a search with shared weights or in a relaxed network has kept refuses settings of another one.
    adopted.map_or(Ok(()), |manifest| adopt(folder, &manifest))?;
    let settings = SearchSettings {
        objective: T::objective(),
        limits: config.rounds,
        seed: config.seed,
        patience: patience(execution),
    };
    let mut progress = SearchProgress::new(bars(execution), config.rounds.budget);
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
    if let Some(best) = ranking(&trials, 1).entries.first() {
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
            T::picture(&arch, None, &T::network_of(&config.recipe))?.svg(&drawing).as_bytes(),
        )?;
    }
    let tables = match tables {
        Some(tables) => Some(tables),
        None => watch::<T>(&space, config, &trials)?,
    };
    if let Some(tables) = tables.filter(|_| !json) {
        print_text(&tables)?;
    }
    print_summary(folder, config.seed, &trials, &store.tally()?, &ending, json)
}

/// Keeps the settings of a run of version 0.1, and says so.
fn adopt(folder: &RunFolder, manifest: &Manifest) -> Result<()> {
    folder.keep_manifest(manifest)?;
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
fn prepared<T: Task>(
    folder: &RunFolder,
    config: &RunConfig<T>,
    data: Arc<T::Data>,
    space: &T::Space,
    device: &Device,
    interrupt: &Interrupt,
) -> Result<Prepared<T::Space>> {
    let run = |data| SharedRun { folder, config, data, device: device.clone(), interrupt };
    if config.sharing.is_some() {
        let SharedOutcome { finalists, report } = T::search_shared(run(data))?;
        return Ok((Box::new(Finalists::new(finalists)), Some(shared_tables(&report))));
    }
    if config.relaxed.is_some() {
        let DerivedOutcome { finalists, report } = T::search_relaxed(run(data))?;
        return Ok((Box::new(Finalists::new(finalists)), Some(relaxed_tables(&report))));
    }
    let preset = &config.strategy.structure.pretraining;
    let learned = || pretrained(space, preset, device, Some(&folder.pretrained()));
    let strategy = strategy::build(&config.strategy, config.seed, space, device, learned)?;
    Ok((starting(config, space, strategy)?, None))
}

/// The operations of the first and the last round and of the best cells, in words.
fn watch<T: Task>(space: &T::Space, config: &RunConfig<T>, trials: &[StoredTrial]) -> Result<Option<String>> {
    let operations = |cells: &mut dyn Iterator<Item = &StoredTrial>| -> Result<Option<OperationHistogram>> {
        let archs = cells.map(|trial| parse_stored(space, trial.id, &trial.arch, &trial.key));
        Ok(T::operations(&archs.collect::<nao_run::Result<Vec<_>>>()?))
    };
    let last = trials.last().map_or(0, |trial| trial.round);
    let of_round = |round: u64| operations(&mut trials.iter().filter(|trial| trial.round == round));
    let best: BTreeSet<TrialId> = ranking(trials, WATCHED).entries.iter().map(|entry| entry.trial).collect();
    let best = operations(&mut trials.iter().filter(|trial| best.contains(&trial.id)))?;
    let (Some(first), Some(last), Some(best)) = (of_round(0)?, of_round(last)?, best) else {
        return Ok(None);
    };
    let objective = T::objective();
    let selection = format!(
        "of all trials the one with the best {} {}, each cell trained alone ({})",
        objective.split,
        objective.name,
        T::fidelity(&config.recipe)
    );
    Ok(Some(operations_watch(&first, &last, &best, &selection)))
}

/// How many of the best cells are watched.
const WATCHED: usize = 5;
