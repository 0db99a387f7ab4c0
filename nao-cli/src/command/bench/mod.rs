//! `nao bench`: searches against a table of trained cells, where a look costs nothing but is charged.

mod entrants;
mod result;
mod values;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use indicatif::{MultiProgress, ProgressBar};
use nao_controller::registry::RegisteredSpace;
use nao_space::ArchKey;
use nao_space::search::{Account, Contest, RoundLimits, Standing};

use self::entrants::{Entrant, Equipment, check_flags};
use self::result::{BenchResult, CURVE_STEP, ContestFacts, SHOWN, beside, earlier, page};
use self::values::Values;
use super::{print_json, print_text};
use crate::args::{BenchArgs, BenchProtocol};
use crate::flags::refuse_idle;
use crate::interrupt::Interrupt;
use crate::registries::Registries;

/// The results so far, and where a person watches.
#[derive(Clone)]
struct Board {
    /// By metric, the strategies whose searches are done.
    results: Arc<Mutex<Vec<Vec<BenchResult>>>>,
    bars: MultiProgress,
    /// Results of earlier calls, with their files.
    earlier: Vec<(PathBuf, Vec<BenchResult>)>,
    json: bool,
}

impl Board {
    fn add(&self, result: BenchResult) {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        results.last_mut().expect("a metric has begun").push(result);
    }

    fn begin_metric(&self) {
        self.results.lock().unwrap_or_else(PoisonError::into_inner).push(Vec::new());
    }

    /// Prints the results, beside those of earlier calls.
    fn show(&self) -> Result<()> {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner).clone();
        results.retain(|results| !results.is_empty());
        for results in &mut results {
            self.earlier.iter().try_for_each(|(path, earlier)| beside(results, earlier, path))?;
        }
        if self.json {
            return print_json(&results.concat());
        }
        let pages: Vec<String> = results.iter().map(|results| page(results)).collect();
        print_text(&pages.join("\n\n"))
    }

    /// What is said to a user who stops it; what is done is printed.
    fn part(&self) -> String {
        let _ = self.bars.clear();
        let count: usize =
            self.results.lock().unwrap_or_else(PoisonError::into_inner).iter().map(Vec::len).sum();
        if count == 0 {
            return "stopped before the searches of a strategy were done".to_owned();
        }
        let shown = self.show().map_or_else(|error| format!(" ({error:#})"), |()| String::new());
        format!("stopped; strategies whose searches are done: {count}{shown}")
    }
}

pub fn run(args: BenchArgs, known: &Registries, interrupt: &Interrupt) -> Result<()> {
    if args.seeds == 0 || args.budget == 0 {
        bail!("--seeds and --budget count from 1");
    }
    check_table_flags(&args)?;
    check_flags(&known.strategies, &args)?;
    let earlier = args.with.iter().map(|path| Ok((path.clone(), earlier(path)?)));
    let earlier = earlier.collect::<Result<Vec<_>>>()?;
    let board = Board { results: Arc::default(), bars: MultiProgress::new(), earlier, json: args.json };
    let at_stop = board.clone();
    interrupt.at_once(move || at_stop.part(), || contests(&args, known, &board))?;
    board.show()
}

/// All searches of all metrics.
fn contests(args: &BenchArgs, known: &Registries, board: &Board) -> Result<()> {
    match args.table.split_once(':') {
        None if args.table == "nasbench201" => {
            let splits = match args.protocol {
                BenchProtocol::NoiseFree => ["test", "test"],
                BenchProtocol::Validation => ["validation", "test"],
            };
            // All metrics are looked up before the first search, so that a wrong one costs no time.
            let metrics = args.metric.as_deref().unwrap_or("cifar10").split(',').map(str::trim);
            let values = metrics.map(|metric| Ok((metric, Values::nasbench201(metric, splits)?)));
            let values = values.collect::<Result<Vec<_>>>()?;
            values.iter().try_for_each(|(metric, values)| contest(args, known, metric, values, board))
        }
        Some(("nasbench101", file)) => {
            if args.protocol == BenchProtocol::Validation {
                bail!("the table of NAS-Bench-101 has validation accuracies only: use --protocol noise-free");
            }
            let (metric, values) = Values::nasbench101(Path::new(file), args.slice.as_deref())?;
            contest(args, known, &metric, &values, board)
        }
        _ => bail!("unknown table `{}`; known are nasbench201, nasbench101:FILE", args.table),
    }
}

/// Refuses flags that do nothing for this table.
fn check_table_flags(args: &BenchArgs) -> Result<()> {
    let on_201 = !args.table.starts_with("nasbench101:");
    refuse_idle([("slice", on_201 && args.slice.is_some())], "it chooses rows of a nasbench101 file")?;
    let why = "a nasbench101 file has labels of CIFAR-10 only";
    refuse_idle([("metric", !on_201 && args.metric.is_some())], why)
}

/// All searches of a table by one metric.
fn contest<S: RegisteredSpace>(
    args: &BenchArgs,
    known: &Registries,
    metric: &str,
    values: &Values<S>,
    board: &Board,
) -> Result<()> {
    board.begin_metric();
    let space = values.table.space();
    let look = |map: &HashMap<ArchKey, f64>, arch: &S::Arch| map.get(&space.key(arch)).copied();
    let noise_free = args.protocol == BenchProtocol::NoiseFree;
    let optimum = values.optimum();
    let entrants = Entrant::all(&known.strategies, args, values)?;
    let equipment = Equipment::new(&known.strategies, values, &entrants, args.mode)?;
    let mut curve: Vec<u64> = (CURVE_STEP..=args.budget).step_by(CURVE_STEP as usize).collect();
    curve.extend(SHOWN);
    let facts = ContestFacts {
        table: values.table.name().to_owned(),
        table_hash: values.hash.clone(),
        metric: metric.to_owned(),
        protocol: if noise_free { "noise-free" } else { "validation" }.to_owned(),
        mode: args.mode.word().to_owned(),
        initial: args.initial.min(args.budget),
        per_round: args.per_round,
        budget: args.budget,
        optimum,
    };
    for entrant in entrants {
        let contest = Contest {
            limits: RoundLimits {
                initial: entrant.initial(args),
                per_round: entrant.per_round(args.per_round),
                budget: args.budget,
            },
            objective: values.objective.clone(),
            value: &|arch| look(&values.searched, arch),
            reported: &|arch| look(&values.reported, arch),
            optimum: noise_free.then_some(optimum),
        };
        let progress = board.bars.add(ProgressBar::new(args.seeds).with_message(entrant.name.clone()));
        let mut races = Vec::new();
        for seed in 1..=args.seeds {
            let account = Rc::new(Account::new(values.epochs.into()));
            let mut strategy = equipment.strategy(&entrant, seed, &account)?;
            races.push(contest.race_on(&account, &mut *strategy, seed)?);
            progress.inc(1);
        }
        progress.finish_and_clear();
        board.add(BenchResult {
            strategy: entrant.name,
            contest: facts.clone(),
            standing: Standing::of(&races, args.budget, noise_free, &curve),
        });
    }
    Ok(())
}
