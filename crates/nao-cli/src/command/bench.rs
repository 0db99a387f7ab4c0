//! `nao bench`: searches against a table of trained cells, where a look costs nothing but is charged.

use anyhow::{Result, bail};
use burn::tensor::Device;
use nao_controller::{ControllerConfig, Language, NaoConfig, NaoSearch};
use nao_space::search::{RandomSearch, RoundLimits, Strategy, run_search};
use nao_space::table::{Label, Table};
use nao_space::{Evaluator, NasBench201Space, Quiet, Space};
use serde::Serialize;

use super::{print_json, print_text};
use crate::args::BenchArgs;
use crate::report::plain_table;
use crate::strategy::check_name;

/// What a search with one seed came to.
#[derive(Serialize)]
struct SeedResult {
    seed: u64,
    architecture: String,
    /// Of the label that was searched by.
    value: f64,
    /// How far that is below the best of the table.
    regret: f64,
    /// Of the test label of the same training, by which nothing was chosen.
    test: f64,
    /// Architectures that were charged.
    looks: u64,
    /// The stored training times of these, one after another.
    simulated_hours: f64,
}

/// All seeds of one strategy.
#[derive(Serialize)]
struct BenchResult {
    table: String,
    label: Label,
    strategy: String,
    budget: u64,
    best_of_table: f64,
    seeds: Vec<SeedResult>,
    mean_regret: f64,
    mean_test: f64,
}

pub fn run(args: BenchArgs) -> Result<()> {
    check_name(&args.strategy)?;
    if args.seeds == 0 || args.budget == 0 {
        bail!("--seeds and --budget count from 1");
    }
    let table = Table::nasbench201();
    let label = Label::average(&args.dataset, "validation", args.epochs);
    let Some((_, best_of_table)) = table.best(&label)? else {
        bail!("the table {} has no label ({label})", table.name());
    };
    let mut seeds = Vec::with_capacity(args.seeds as usize);
    for seed in 1..=args.seeds {
        let evaluator = table.evaluator(&label)?;
        let space = table.space();
        let mut strategy = strategy(&args, space, seed)?;
        let first = args.initial.min(args.budget);
        let limits = RoundLimits { initial: first, per_round: args.per_round, budget: args.budget };
        let history = run_search::<NasBench201Space>(&mut *strategy, &evaluator, limits, seed)?;
        let Some((best, measured)) = history.best() else {
            bail!("the search of seed {seed} measured nothing")
        };
        let test = Label { split: "test".into(), ..label.clone() };
        let test = table.evaluator(&test)?.evaluate(&best.trial, &mut Quiet)?;
        let ledger = evaluator.ledger();
        seeds.push(SeedResult {
            seed,
            architecture: space.format(&best.trial.arch),
            value: measured.value,
            regret: best_of_table - measured.value,
            test: test.value,
            looks: ledger.charged,
            simulated_hours: ledger.seconds / 3600.0,
        });
    }
    let mean = |of: fn(&SeedResult) -> f64| seeds.iter().map(of).sum::<f64>() / seeds.len() as f64;
    let result = BenchResult {
        table: table.name().to_owned(),
        strategy: args.strategy,
        budget: args.budget,
        best_of_table,
        mean_regret: mean(|result| result.regret),
        mean_test: mean(|result| result.test),
        label,
        seeds,
    };
    if args.json { print_json(&result) } else { print_text(&page(&result)) }
}

/// The strategy with its settings for cells of six tokens.
fn strategy<'a>(
    args: &BenchArgs,
    space: &'a NasBench201Space,
    seed: u64,
) -> Result<Box<dyn Strategy<NasBench201Space> + 'a>> {
    if args.strategy == "random" {
        return Ok(Box::new(RandomSearch::new(space, seed)));
    }
    let controller = ControllerConfig::preset(&args.preset)?.fitted_to(&Language::of(space));
    let controller = ControllerConfig { epochs: args.controller_epochs, ..controller };
    let config = NaoConfig { controller, seeds: args.per_round as usize, ..NaoConfig::default() };
    Ok(Box::new(NaoSearch::new(space, config, seed, Device::flex())?))
}

fn page(result: &BenchResult) -> String {
    let rows = result.seeds.iter().map(|seed| {
        vec![
            seed.seed.to_string(),
            format!("{:.4}", seed.value),
            format!("{:.4}", seed.regret),
            format!("{:.4}", seed.test),
            seed.looks.to_string(),
            format!("{:.0}", seed.simulated_hours),
            seed.architecture.clone(),
        ]
    });
    let header = ["seed", "best found", "regret", "its test", "looks", "hours", "cell"];
    format!(
        "{} on {}: {}, {} looks; best of the table {:.4}\n{}\nmean regret {:.4}, mean test accuracy {:.4}",
        result.strategy,
        result.table,
        result.label,
        result.budget,
        result.best_of_table,
        plain_table(&header, &[0, 1, 2, 3, 4, 5], rows.collect()),
        result.mean_regret,
        result.mean_test,
    )
}
