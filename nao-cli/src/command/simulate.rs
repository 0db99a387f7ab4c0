//! `nao simulate`: what a search on a cluster of some size asks of its coordinator, and how busy the cluster is. The
//! coordinator, its store, its files and its questions are the real ones; time, machines and trainings are not.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use nao_child::Recipe;
use nao_run::files::private_folder;
use nao_run::simulated::{SimulatedSearch, SimulationCost};
use nao_run::{DataSummary, RunFolder};
use nao_space::CnnSpace;

use super::{print_json, print_text};
use crate::args::{ExecutionOptions, RunOptions, SimulateArgs};
use crate::cells::CellSpace;
use crate::interrupt::Interrupt;
use crate::progress::SearchProgress;
use crate::registries::Registries;
use crate::report::plain_table;
use crate::run::{Resolved, new_manifest, resolve};

pub fn run(args: SimulateArgs, interrupt: &Interrupt) -> Result<()> {
    let mut trials = args.trials.clone();
    trials.sort_unstable();
    let mut costs = Vec::new();
    for trials in trials {
        // The folder of a search that never was does not stay.
        let folder = private_folder().context("cannot make a folder for the simulation")?;
        let place = folder.path().to_owned();
        let parting = move || {
            // Again where something was written meanwhile, or right after.
            for _ in 0..5 {
                let _ = std::fs::remove_dir_all(&place);
                std::thread::sleep(Duration::from_millis(20));
                if !place.exists() {
                    break;
                }
            }
            "stopped".to_owned()
        };
        costs.push(interrupt.at_once(parting, || simulate(&args, trials, folder.path()))?);
    }
    if args.json { print_json(&costs) } else { print_text(&text(&args, &costs)) }
}

fn simulate(args: &SimulateArgs, trials: u64, place: &Path) -> Result<SimulationCost> {
    let per_round = args.per_round.unwrap_or(args.slots as u64).min(trials);
    let options = RunOptions {
        strategy: Some("random".into()),
        seed: Some(args.seed),
        budget: Some(trials),
        initial: Some(per_round),
        per_round: Some(per_round),
        ..RunOptions::default()
    };
    let Resolved { config, .. } =
        resolve::<Recipe>(&Registries::default(), &options, &ExecutionOptions::default(), None)?;
    let data = DataSummary { name: "simulation".into(), ..DataSummary::default() };
    let manifest = new_manifest("none", args.seed, data);
    let folder = RunFolder::create_configured(&place.join("run"), &config, &manifest, &[])?;
    let search = SimulatedSearch {
        trials,
        per_round,
        slots: args.slots,
        trials_per_task: args.trials_per_task,
        mean: Duration::from_secs_f64(args.seconds),
        lost_share: args.lost,
        seed: args.seed,
    };
    let (space, fidelity) = (CnnSpace::of_settings(&config.space)?, config.recipe.fidelity());
    let mut progress = SearchProgress::of_simulation(trials);
    let cost = search.run(&folder, &space, fidelity, &config.execution, &mut progress)?;
    progress.clear();
    Ok(cost)
}

fn text(args: &SimulateArgs, costs: &[SimulationCost]) -> String {
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
