//! `nao bench`: searches against a table of trained cells, where a look costs nothing but is charged.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use indicatif::ProgressBar;
use nao_controller::{
    ControllerConfig, Enumeration, Language, LinearSearch, NaoConfig, NaoSearch, PretrainedSpace,
    StructureConfig, StructureSearch,
};
use nao_space::search::{Contest, RandomSearch, RoundLimits, Standing, Strategy};
use nao_space::table::{Label, Table, TableSchema};
use nao_space::{ArchKey, Direction, Evaluator, NasBench101Space, Objective, Quiet, Space, Trial, TrialId};
use serde::Serialize;

use super::{print_json, print_text};
use crate::args::{BenchArgs, BenchMode, BenchProtocol};
use crate::pretrained::pretrained;
use crate::report::plain_table;
use crate::run::{STRUCTURE, StrategyConfig, controller_preset};
use crate::strategy;

/// After how many queries the best is told.
const LOOKED_AT: [u64; 5] = [50, 100, 150, 192, 200];

/// One strategy against a table.
#[derive(Clone, Serialize)]
struct BenchResult {
    strategy: String,
    table: String,
    metric: String,
    protocol: &'static str,
    mode: &'static str,
    initial: u64,
    per_round: u64,
    budget: u64,
    /// The best reported value of the table.
    optimum: f64,
    #[serde(flatten)]
    standing: Standing,
}

/// The values of a table by architecture.
struct Values<S: Space> {
    table: Arc<Table<S>>,
    /// One spelling of every architecture that has both values.
    archs: Arc<Vec<S::Arch>>,
    searched: HashMap<ArchKey, f64>,
    reported: HashMap<ArchKey, f64>,
    objective: Objective,
    /// Whether every architecture of the space is there.
    whole: bool,
}

/// What a strategy needs of a table besides its space.
struct Equipment<S: Space> {
    learned: Option<Arc<PretrainedSpace>>,
    enumeration: Option<Arc<Enumeration<S>>>,
}

pub fn run(args: BenchArgs) -> Result<()> {
    if args.seeds == 0 || args.budget == 0 {
        bail!("--seeds and --budget count from 1");
    }
    let (searched, reported) = match args.protocol {
        BenchProtocol::NoiseFree => ("test", "test"),
        BenchProtocol::Validation => ("validation", "test"),
    };
    match args.table.split_once(':') {
        None if args.table == "nasbench201" => {
            let mut results = Vec::new();
            // All metrics are looked up before the first search, so that a wrong one costs no time.
            let values = args.metric.split(',').map(|metric| {
                let label = |split| Label::average(metric.trim(), split, 200);
                let values = Values::of(Table::nasbench201(), &label(searched), &label(reported), true)?;
                Ok((metric.trim(), values))
            });
            for (metric, values) in values.collect::<Result<Vec<_>>>()? {
                results.push(contest(&args, metric, &values)?);
            }
            show(&args, results)
        }
        Some(("nasbench101", file)) => {
            if args.protocol == BenchProtocol::Validation {
                bail!("the table of NAS-Bench-101 has validation accuracies only: use --protocol noise-free");
            }
            let table = nasbench101(Path::new(file), args.slice.as_deref())?;
            let label = table.labels().max_by_key(|label| label.epochs).cloned();
            let label = label.with_context(|| format!("{file} has no labels"))?;
            let metric = label.to_string();
            let values = Values::of(Arc::new(table), &label, &label, false)?;
            show(&args, vec![contest(&args, &metric, &values)?])
        }
        _ => bail!("unknown table `{}`; known are nasbench201, nasbench101:FILE", args.table),
    }
}

/// A NAS-Bench-101 table, or a slice of it.
fn nasbench101(path: &Path, slice: Option<&str>) -> Result<Table<NasBench101Space>> {
    let schema = TableSchema::nasbench101();
    let schema = match slice {
        Some(slice) => schema.with_rows("source_slice", slice),
        None => schema,
    };
    Table::read(NasBench101Space::default(), path, &schema).with_context(|| path.display().to_string())
}

impl<S: Space> Values<S> {
    fn of(table: Arc<Table<S>>, searched: &Label, reported: &Label, whole: bool) -> Result<Self> {
        let space = table.space();
        let mut archs = HashMap::new();
        for arch in table.archs() {
            // Of all spellings the canonical one is looked at, so that an architecture has one value.
            archs.entry(space.key(arch)).or_insert_with(|| space.canonical(arch));
        }
        let values = |label: &Label| -> Result<HashMap<ArchKey, f64>> {
            let evaluator = table.evaluator(label)?;
            let value = |arch: &S::Arch| {
                let trial = Trial { id: TrialId(1), arch: arch.clone(), seed: 0 };
                Some(evaluator.evaluate(&trial, &mut Quiet).ok()?.value)
            };
            Ok(archs.iter().filter_map(|(key, arch)| Some((key.clone(), value(arch)?))).collect())
        };
        let (by_search, by_report) = (values(searched)?, values(reported)?);
        let mut known: Vec<(ArchKey, S::Arch)> = archs.into_iter().collect();
        known.retain(|(key, _)| by_search.contains_key(key) && by_report.contains_key(key));
        known.sort_by(|a, b| a.0.cmp(&b.0));
        if known.is_empty() {
            bail!("the table {} has no values for ({searched})", table.name());
        }
        let objective = table.evaluator(searched)?.objective();
        let archs = Arc::new(known.into_iter().map(|(_, arch)| arch).collect());
        Ok(Values { archs, searched: by_search, reported: by_report, objective, whole, table })
    }

    fn optimum(&self) -> f64 {
        let sign = if self.objective.direction == Direction::Maximize { 1.0 } else { -1.0 };
        let known = self.archs.iter().filter_map(|arch| self.reported.get(&self.table.space().key(arch)));
        sign * known.map(|value| sign * value).fold(f64::NEG_INFINITY, f64::max)
    }
}

fn contest<S: Space>(args: &BenchArgs, metric: &str, values: &Values<S>) -> Result<Vec<BenchResult>> {
    let space = values.table.space();
    let look = |map: &HashMap<ArchKey, f64>, arch: &S::Arch| map.get(&space.key(arch)).copied();
    let noise_free = args.protocol == BenchProtocol::NoiseFree;
    let optimum = values.optimum();
    let contest = Contest {
        limits: RoundLimits {
            initial: args.initial.min(args.budget),
            per_round: args.per_round,
            budget: args.budget,
        },
        objective: values.objective.clone(),
        value: &|arch| look(&values.searched, arch),
        reported: &|arch| look(&values.reported, arch),
        optimum: noise_free.then_some(optimum),
    };
    let names: Vec<&str> = args.strategies.split(',').map(str::trim).collect();
    names.iter().try_for_each(|name| check(name, args, values.whole))?;
    let equipment = equip(&names, args, values)?;
    let mut results = Vec::new();
    for name in names {
        let progress = ProgressBar::new(args.seeds).with_message(name.to_owned());
        let mut races = Vec::new();
        for seed in 1..=args.seeds {
            let one_by_one = strategy::goes_one_by_one(name);
            let limits =
                RoundLimits { per_round: if one_by_one { 1 } else { args.per_round }, ..contest.limits };
            let initial = if name == "local" { 1 } else { limits.initial };
            let contest = Contest {
                limits: RoundLimits { initial, ..limits },
                objective: contest.objective.clone(),
                ..contest
            };
            let mut strategy = strategy(name, args, values, &equipment, seed)?;
            races.push(contest.race(&mut *strategy, seed)?);
            progress.inc(1);
        }
        progress.finish_and_clear();
        results.push(BenchResult {
            strategy: name.to_owned(),
            table: values.table.name().to_owned(),
            metric: metric.to_owned(),
            protocol: if noise_free { "noise-free" } else { "validation" },
            mode: args.mode.word(),
            initial: contest.limits.initial,
            per_round: contest.limits.per_round,
            budget: args.budget,
            optimum,
            standing: Standing::of(&races, args.budget, noise_free, &LOOKED_AT),
        });
    }
    Ok(results)
}

fn show(args: &BenchArgs, results: Vec<Vec<BenchResult>>) -> Result<()> {
    if args.json {
        return print_json(&results.concat());
    }
    let pages: Vec<String> = results.iter().map(|results| page(results)).collect();
    print_text(&pages.join("\n\n"))
}

/// Refuses strategies that do not exist or cannot search the table.
fn check(name: &str, args: &BenchArgs, whole: bool) -> Result<()> {
    let (strategy, preset) = match name.split_once(':') {
        Some(with_preset) if !strategy::STRATEGIES.contains(&name) => with_preset,
        _ => (name, STRUCTURE),
    };
    strategy::check_name(strategy)?;
    if preset != STRUCTURE {
        if strategy != "nao" {
            strategy::check_name(name)?;
        }
        controller_preset(preset)?;
    }
    let enumerates =
        ["nao", "linear"].contains(&strategy) && preset == STRUCTURE && args.mode == BenchMode::Enumerate;
    let stays_in_the_table = enumerates || strategy == "random";
    if !(whole || stays_in_the_table) {
        bail!(
            "`{name}` proposes cells that this table does not have; nao, linear and random can draw from the table: \
             --mode enumerate"
        );
    }
    Ok(())
}

fn equip<S: Space>(names: &[&str], args: &BenchArgs, values: &Values<S>) -> Result<Equipment<S>> {
    let mut equipment = Equipment { learned: None, enumeration: None };
    if names.contains(&"nao") {
        let mut pretraining = StructureConfig::default().pretraining;
        if args.mode == BenchMode::Enumerate {
            // Nothing is moved, so that only the features are needed.
            pretraining.steps = 0;
            pretraining.cells = 1;
        }
        let space = values.table.space();
        let learned = match args.mode {
            BenchMode::Enumerate => Arc::new(PretrainedSpace::learn(space, &pretraining, &Device::flex())?),
            BenchMode::Generate => pretrained(space, &pretraining, &Device::flex(), None)?,
        };
        if args.mode == BenchMode::Enumerate {
            let archs = values.archs.iter().cloned();
            equipment.enumeration = Some(Arc::new(Enumeration::new(space, &learned, archs)));
        }
        equipment.learned = Some(learned);
    }
    Ok(equipment)
}

fn strategy<'a, S: Space>(
    name: &str,
    args: &BenchArgs,
    values: &'a Values<S>,
    equipment: &Equipment<S>,
    seed: u64,
) -> Result<Box<dyn Strategy<S> + 'a>> {
    let space = values.table.space();
    if let (Some(learned), "nao") = (&equipment.learned, name) {
        let pretraining = learned.config().clone();
        let config = StructureConfig { pretraining, ..StructureConfig::default() };
        let search = StructureSearch::new(space, config, seed, Arc::clone(learned))?;
        return Ok(match &equipment.enumeration {
            Some(enumeration) => Box::new(search.enumerating(Arc::clone(enumeration))),
            None => Box::new(search),
        });
    }
    if let Some(preset) = name.strip_prefix("nao:") {
        let controller = controller_preset(preset)?.fitted_to(&Language::of(space));
        let controller = ControllerConfig { epochs: args.controller_epochs, ..controller };
        let config = NaoConfig { controller, seeds: args.per_round as usize, ..NaoConfig::default() };
        return Ok(Box::new(NaoSearch::new(space, config, seed, Device::flex())?));
    }
    if name == "linear" && args.mode == BenchMode::Enumerate {
        return Ok(Box::new(LinearSearch::new(space, seed).enumerating(Arc::clone(&values.archs))));
    }
    if name == "random" {
        return Ok(Box::new(RandomSearch::new(space, seed)));
    }
    let config = StrategyConfig::new(name, NaoConfig::default());
    strategy::build(&config, seed, space, &Device::flex(), || bail!("only nao learns before it searches"))
}

fn page(results: &[BenchResult]) -> String {
    let Some(first) = results.first() else { return String::new() };
    let counts: Vec<u64> = first.standing.best_at.keys().copied().collect();
    let mut header: Vec<String> =
        ["strategy", "queries to optimum", "95 %", "misses"].map(str::to_owned).to_vec();
    header.extend(counts.iter().map(|count| format!("best at {count}")));
    header.push("ms per round".to_owned());
    let rows = results.iter().map(|result| {
        let standing = &result.standing;
        let over = |queries: f64| match queries > result.budget as f64 {
            true => format!("> {}", result.budget),
            false => format!("{queries}"),
        };
        let mut row = vec![
            result.strategy.clone(),
            standing.median_queries_to_optimum.map_or("-".to_owned(), over),
            standing
                .interval
                .map_or("-".to_owned(), |[low, high]| format!("{}-{}", over(low as f64), over(high as f64))),
            standing.misses.to_string(),
        ];
        row.extend(counts.iter().map(|count| format!("{:.4}", standing.best_at[count])));
        row.push(format!("{:.1}", 1e3 * standing.seconds_per_round));
        row
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let numbers: Vec<usize> = (1..header.len()).collect();
    format!(
        "{} {}, {}, {} searches of {} queries, {} + {} per round, candidates: {}\nbest of the table {:.4}\n{}",
        first.table,
        first.metric,
        match first.protocol {
            "noise-free" => "searched and reported on one label",
            _ => "chosen on validation, reported on test",
        },
        first.standing.seeds,
        first.budget,
        first.initial,
        first.per_round,
        first.mode,
        first.optimum,
        plain_table(&header, &numbers, rows),
    )
}
