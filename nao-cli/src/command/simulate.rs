//! `nao simulate`: what a search on a cluster of some size asks of its coordinator, and how busy the cluster is. The
//! coordinator, its store, its files and its questions are the real ones; time, machines and trainings are not.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use cpu_time::ThreadTime;
use nao_child::Recipe;
use nao_run::executor::{Exchange, Pace, SlurmExecutor, SlurmSettings, TaskKey, TaskStart};
use nao_run::files::private_folder;
use nao_run::memory::resident_mib;
use nao_run::simulated::{Cluster, SimulatedClock, SimulatedScheduler};
use nao_run::{Coordinator, DataSummary, Patience, RunFolder, SearchSettings};
use nao_space::seed::rng_for;
use nao_space::{ArchKey, CnnSpace, Objective, Space};
use serde::Serialize;

use super::{print_json, print_text};
use crate::args::{ExecutionOptions, RunOptions, SimulateArgs};
use crate::cells::CellSpace;
use crate::interrupt::Interrupt;
use crate::registries::Registries;
use crate::report::{SearchProgress, plain_table};
use crate::run::{Resolved, new_manifest, resolve};

/// What a simulated search took.
#[derive(Debug, Serialize)]
struct Cost {
    trials: u64,
    slots: usize,
    per_round: u64,
    /// Time that would have gone by.
    hours: f64,
    /// Share of the slots that trained, on average.
    busy: f64,
    /// Jobs that ended without a result and were made up for.
    lost: u64,
    /// Processor time of the coordinator in milliseconds.
    cpu_ms_per_trial: f64,
    /// Memory of this process at the end, in MiB.
    memory_mib: Option<f64>,
    /// Files and folders in the run folder at the end.
    files_per_trial: f64,
    /// Most open tasks, results and attempts in the run folder at a time.
    most_open_files: usize,
    /// Questions and orders to the scheduler.
    scheduler_calls: u64,
    scheduler_calls_per_hour: f64,
    /// Array jobs.
    jobs: u64,
}

pub fn run(args: SimulateArgs, interrupt: &Interrupt) -> Result<()> {
    let mut trials = args.trials.clone();
    trials.sort_unstable();
    let mut costs = Vec::new();
    for trials in trials {
        // The folder of a search that never was does not stay.
        let folder = private_folder().context("cannot make a folder for the simulation")?;
        let place = folder.path().to_owned();
        let parting = move || {
            // Again where something was written meanwhile.
            let _ = (0..5).find(|_| std::fs::remove_dir_all(&place).is_ok());
            "stopped".to_owned()
        };
        costs.push(interrupt.at_once(parting, || simulate(&args, trials, folder.path()))?);
    }
    if args.json { print_json(&costs) } else { print_text(&text(&args, &costs)) }
}

fn simulate(args: &SimulateArgs, trials: u64, place: &Path) -> Result<Cost> {
    let per_round = args.per_round.unwrap_or(args.slots as u64).min(trials);
    let options = RunOptions {
        strategy: Some("random".into()),
        seed: Some(args.seed),
        budget: Some(trials),
        initial: Some(per_round),
        per_round: Some(per_round),
        ..RunOptions::default()
    };
    let known = Registries::default();
    let Resolved { config, .. } = resolve::<Recipe>(&known, &options, &ExecutionOptions::default(), None)?;
    let data = DataSummary { name: "simulation".into(), ..DataSummary::default() };
    let manifest = new_manifest("none", args.seed, data);
    let folder = RunFolder::create_configured(&place.join("run"), &config, &manifest, &[])?;
    let exchange = Exchange::of(folder.path());
    let space = CnnSpace::of_settings(&config.space)?;
    let cluster = Rc::new(RefCell::new(Cluster::new(
        exchange.clone(),
        args.slots,
        Duration::from_secs_f64(args.seconds),
        args.lost,
        rng_for(args.seed, "simulated cluster", 0),
    )));
    let settings = SlurmSettings {
        order: config.execution.order(),
        start: TaskStart { program: "nao".into(), slots: 1 },
        arguments: Vec::new(),
        trials_per_task: args.trials_per_task,
        parallel: None,
        pace: Pace {
            files_every: Duration::from_secs_f64(config.execution.cluster.look),
            attempts_every: Duration::from_secs(30),
            lease: Duration::from_secs_f64(config.execution.cluster.lease),
        },
        scheduler_every: Duration::from_secs_f64(config.execution.slurm.look),
        grace: Duration::from_secs_f64(config.execution.slurm.grace),
    };
    let fidelity = config.recipe.fidelity();
    let (naming_space, name) = (space.clone(), space.name());
    let naming = Box::new(move |trial: &nao_space::Trial<_>| {
        let key: ArchKey = naming_space.key(&trial.arch);
        TaskKey::new(&name, &key, &fidelity, trial.seed)
    });
    let (scheduler, clock) = (SimulatedScheduler(cluster.clone()), SimulatedClock(cluster.clone()));
    let executor = SlurmExecutor::new(exchange, naming, scheduler, settings, clock)?;
    let device = crate::device::device("cpu")?;
    let learned = || anyhow::bail!("random search learns nothing");
    let settings = SearchSettings {
        objective: Objective::validation_accuracy(),
        limits: config.rounds,
        seed: config.seed,
        patience: Patience { max_attempts: None, max_failed_share: 1.0 },
    };
    let strategy = known.strategies.build(&config.strategy, &space, config.seed, &device, learned)?;
    let mut progress = SearchProgress::of_simulation(trials);
    let (store, executor) = (folder.store()?, Box::new(executor));
    let mut coordinator =
        Coordinator::new(&folder, store, &space, settings, strategy, executor, &mut progress);
    let begun = ThreadTime::now();
    coordinator.run()?;
    let (whole, memory_mib) = (begun.elapsed(), resident_mib());
    drop(coordinator);
    progress.clear();
    let cluster = cluster.borrow();
    let hours = cluster.now().as_secs_f64() / 3_600.0;
    Ok(Cost {
        trials,
        slots: args.slots,
        per_round,
        hours,
        busy: cluster.busy().as_secs_f64() / 3_600.0 / (hours * args.slots as f64),
        lost: cluster.lost,
        cpu_ms_per_trial: whole.saturating_sub(cluster.own_cost).as_secs_f64() * 1e3 / trials as f64,
        memory_mib,
        files_per_trial: count(folder.path()) as f64 / trials as f64,
        most_open_files: cluster.most_open_files,
        scheduler_calls: cluster.calls,
        scheduler_calls_per_hour: cluster.calls as f64 / hours,
        jobs: cluster.jobs,
    })
}

/// Files and folders below a folder.
fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| 1 + if entry.path().is_dir() { count(&entry.path()) } else { 0 }).sum()
}

fn text(args: &SimulateArgs, costs: &[Cost]) -> String {
    let rows = costs.iter().map(|cost| {
        vec![
            cost.trials.to_string(),
            cost.per_round.to_string(),
            format!("{:.1} h", cost.hours),
            format!("{:.0} %", 100.0 * cost.busy),
            cost.lost.to_string(),
            format!("{:.2} ms", cost.cpu_ms_per_trial),
            cost.memory_mib.map_or("-".to_owned(), |memory| format!("{memory:.0} MiB")),
            format!("{:.2}", cost.files_per_trial),
            cost.most_open_files.to_string(),
            cost.jobs.to_string(),
            cost.scheduler_calls.to_string(),
            format!("{:.0}", cost.scheduler_calls_per_hour),
        ]
    });
    let header = [
        "trials",
        "per round",
        "time",
        "slots busy",
        "lost",
        "CPU/trial",
        "memory",
        "files/trial",
        "open files",
        "jobs",
        "calls",
        "calls/h",
    ];
    format!(
        "{} slots, trainings of {} s on average (half to one and a half times as much)\n{}",
        args.slots,
        args.seconds,
        plain_table(&header, &(0..header.len()).collect::<Vec<_>>(), rows.collect())
    )
}
