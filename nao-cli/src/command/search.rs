//! `nao search` and `nao resume`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use nao_run::executor::OpenTrials;
use nao_run::files::write_whole;
use nao_run::{Coordinator, Ending, RunFolder, SearchSettings, StoredTrial};
use nao_space::Space;
use nao_space::draw::Drawing;
use nao_space::search::{OperationHistogram, Strategy};

use super::{interrupt_flag, print_text};
use crate::args::{ResumeArgs, SearchArgs};
use crate::data::device;
use crate::engine::{bars, check_engine, engine, patience, where_words};
use crate::failure::Interrupted;
use crate::pretrained::pretrained;
use crate::report::{
    SearchProgress, best_entries, figure, operations_watch, print_summary, relaxed_tables, shared_tables,
};
use crate::run::{
    DerivedOutcome, Finalists, Manifest, Resolved, RunConfig, RunContents, SharedOutcome, SharedRun,
    TrainFolder, create_run, free_name, kind_of_search, resolve,
};
use crate::strategy;
use crate::task::{Task, with_task};

/// Starts a search.
pub fn search(args: SearchArgs) -> Result<()> {
    let kind = kind_of_search(&args.run, &args.execution)?;
    with_task!(kind, T => search_for::<T>(args))
}

fn search_for<T: Task>(args: SearchArgs) -> Result<()> {
    let Resolved { config, data } = resolve::<T>(&args.run, &args.execution, None)?;
    if args.dry_run {
        return print_text(&config.to_toml());
    }
    check_engine(&config.execution, args.out.as_deref())?;
    let manifest = manifest(&config, &data)?;
    let companions = T::companions(&data);
    let folder = match args.out {
        Some(path) => create_run(&path, &config, &manifest, &companions)?,
        None => create_with_free_name(&config, &manifest, &companions)?,
    };
    if !args.json {
        print_text(&introduction(&config, &manifest, &folder)?)?;
    }
    carry_out(&folder, &config, data, args.json)
}

/// Goes on with a search, or with a training.
pub fn resume(args: ResumeArgs) -> Result<()> {
    if let Some(folder) = TrainFolder::find(&args.folder) {
        return super::train::resume(&folder, args.json);
    }
    let folder = RunFolder::open(&args.folder)?;
    with_task!(folder.kind()?, T => resume_for::<T>(args, &folder))
}

fn resume_for<T: Task>(args: ResumeArgs, folder: &RunFolder) -> Result<()> {
    let stored = folder.config::<T>()?;
    let stored_with_place = Some((&stored, folder.path()));
    let Resolved { config, data } = resolve(&args.run, &args.execution, stored_with_place)?;
    let differences = stored.differences(&config);
    if !differences.is_empty() {
        bail!(
            "{} was started with other settings; start a new search for them, or resume without them: {}",
            args.folder.display(),
            differences.join("; ")
        );
    }
    check_engine(&config.execution, Some(folder.path()))?;
    let checksum = folder.manifest()?.data_checksum;
    if checksum != T::checksum(&data) {
        bail!(
            "the {} of {} have changed since the run was started: put the old ones back",
            T::EXAMPLES,
            config.data
        );
    }
    carry_out(folder, &config, data, args.json)
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
    Ok(Manifest::of(device, config.seed, name, T::checksum(data), counts))
}

fn introduction<T: Task>(config: &RunConfig<T>, manifest: &Manifest, folder: &RunFolder) -> Result<String> {
    let examples: Vec<String> =
        manifest.examples.iter().map(|(split, count)| format!("{count} {split}")).collect();
    let space = T::space(&config.space)?.name();
    let plan = match (&config.sharing, &config.relaxed) {
        (None, None) => format!(
            "searching {space} with strategy {}: {} cells, {} at random first, then {} per round",
            config.strategy.name,
            config.rounds.budget,
            config.rounds.initial.min(config.rounds.budget),
            config.rounds.per_round,
        ),
        (None, Some(relaxed)) => format!(
            "searching {space} with strategy {}: {} epochs of a relaxed network; the cells derived from it are trained from \
             scratch",
            config.strategy.name, relaxed.weights.epochs
        ),
        (Some(sharing), _) => format!(
            "searching {space} with strategy {}: {} rounds of {} epochs of shared weights on a pool of {} cells, {} new per \
             round{}; the best {} are trained from scratch",
            config.strategy.name,
            sharing.rounds,
            sharing.training.epochs,
            sharing.pool,
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

/// Runs the coordinator on the folder and shows what came out.
fn carry_out<T: Task>(
    folder: &RunFolder,
    config: &RunConfig<T>,
    data: Arc<T::Data>,
    json: bool,
) -> Result<()> {
    let _lock = folder.lock()?;
    // What is wrong with it is said before anything is learned for hours.
    let store = folder.store()?;
    let interrupted = interrupt_flag()?;
    let space = T::space(&config.space)?;
    let execution = &config.execution;
    let executor = engine::<T>(folder, config, &space)?;
    let device = device(execution.first_device())?;
    let (strategy, tables): (Box<dyn Strategy<T::Space>>, _) = if config.sharing.is_some() {
        let (device, data) = (device.clone(), data);
        let run = SharedRun { folder, config, data, device, interrupted: interrupted.clone() };
        let SharedOutcome { finalists, report } = T::search_shared(run)?;
        (Box::new(Finalists::new(finalists)), Some(shared_tables(&report)))
    } else if config.relaxed.is_some() {
        let (device, data) = (device.clone(), data);
        let run = SharedRun { folder, config, data, device, interrupted: interrupted.clone() };
        let DerivedOutcome { finalists, report } = T::search_relaxed(run)?;
        (Box::new(Finalists::new(finalists)), Some(relaxed_tables(&report)))
    } else {
        let preset = &config.strategy.structure.pretraining;
        let learned = || pretrained(&space, preset, &device, Some(&folder.pretrained()));
        (strategy::build(&config.strategy, config.seed, &space, &device, learned)?, None)
    };
    let settings = SearchSettings {
        objective: T::objective(),
        limits: config.rounds,
        seed: config.seed,
        patience: patience(execution),
    };
    let mut progress = SearchProgress::new(bars(execution), config.rounds.budget);
    let coordinator = Coordinator::new(folder, store, &space, settings, strategy, executor, &mut progress);
    let mut coordinator = coordinator.stopped_by(interrupted);
    let ending = coordinator.run();
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
        return Err(Interrupted(format!("{how}; go on with:  nao resume {}", folder.path().display())).into());
    }
    let trials = store.trials()?;
    if let Some(best) = best_entries(&trials, 1).first() {
        let arch = space.parse(&best.architecture).context("the store is damaged")?;
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
        write_whole(&folder.drawing(), T::picture(&arch, None)?.svg(&drawing).as_bytes())?;
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

/// The operations of the first and the last round and of the best cells, in words.
fn watch<T: Task>(space: &T::Space, config: &RunConfig<T>, trials: &[StoredTrial]) -> Result<Option<String>> {
    let operations = |texts: &mut dyn Iterator<Item = &str>| -> Result<Option<OperationHistogram>> {
        let archs: Result<Vec<_>, _> = texts.map(|text| space.parse(text)).collect();
        Ok(T::operations(&archs.context("the store is damaged")?))
    };
    let last = trials.last().map_or(0, |trial| trial.round);
    let of_round = |round: u64| {
        operations(&mut trials.iter().filter(|trial| trial.round == round).map(|trial| trial.arch.as_str()))
    };
    let best = best_entries(trials, WATCHED);
    let best = operations(&mut best.iter().map(|entry| entry.architecture.as_str()))?;
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
