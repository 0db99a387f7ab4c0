//! Whether ascent in the embedding earns its place: what it proposes against what equally many mutations of the same
//! parents propose, by true score, on NAS-Bench-201 and on the paper's space of 10^32 cells with a planted score.
//!
//! `cargo run --release -p nao-benches --bin ascent_against_mutation -- SEEDS`

use std::sync::Arc;

use burn::tensor::Device;
use nao_controller::{LinearSearch, PretrainedSpace, StructureConfig, StructureSearch};
use nao_space::graph::{OperationGraph, VertexLabel};
use nao_space::search::{
    Contest, EvolutionConfig, EvolutionSearch, LocalSearch, LocalSearchConfig, Observation, RandomSearch,
    RoundLimits, Strategy,
};
use nao_space::table::{Label, Table};
use nao_space::{CnnArch, CnnSpace, Evaluator, Graphs, Objective, Quiet, Space, Trial, TrialId};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seeds: u64 = std::env::args().nth(1).map_or(Ok(20), |seeds| seeds.parse())?;
    let config = StructureConfig::default();
    let pretraining = config.pretraining.clone();
    let table = Table::nasbench201();
    let space = table.space();
    let evaluator = table.evaluator(&Label::average("cifar10", "test", 200))?;
    let look = |arch: &_| {
        let trial = Trial { id: TrialId(1), arch: space.canonical(arch), seed: 0 };
        evaluator.evaluate(&trial, &mut Quiet).map_or(f64::NAN, |measured| measured.value)
    };
    let learned = Arc::new(PretrainedSpace::learn(space, &pretraining, &Device::flex())?);
    println!("NAS-Bench-201, CIFAR-10 test accuracy");
    compare(space, &learned, seeds, &config, &look)?;

    let space = CnnSpace::default();
    let learned = Arc::new(PretrainedSpace::learn(&space, &pretraining, &Device::flex())?);
    println!("{} with a planted score; {:?}", space.name(), learned.report());
    let score = |arch: &CnnArch| planted(&space, arch);
    compare(&space, &learned, seeds, &config, &score)?;
    contest(&space, &learned, seeds, &config, &score)
}

/// Pairs of rounds from the same observations: one of ascent alone, one of as many mutations.
fn compare<S: Graphs>(
    space: &S,
    learned: &Arc<PretrainedSpace>,
    seeds: u64,
    whole: &StructureConfig,
    score: &dyn Fn(&S::Arch) -> f64,
) -> Result<(), Box<dyn std::error::Error>> {
    for rounds in [1u64, 4, 8] {
        let (mut all, mut chosen, mut candidates) = (Vec::new(), Vec::new(), 0);
        for seed in 1..=seeds {
            let search = |config: &StructureConfig| {
                StructureSearch::new(space.clone(), config.clone(), seed, Arc::clone(learned))
            };
            let mut told: Vec<Observation<S::Arch>> = Vec::new();
            let mut leader = search(whole)?;
            for round in 0..rounds {
                let asked = leader.ask(if round == 0 { 10 } else { 5 })?;
                let archs = asked.proposals.into_iter().map(|proposal| proposal.arch);
                let fresh: Vec<_> = observe(archs, told.len(), score).collect();
                leader.tell(&fresh)?;
                told.extend(fresh);
            }
            // The mean true score of the best `count` of the candidates, and how many there were.
            let mean = |config: &StructureConfig,
                        count: usize|
             -> Result<(f64, usize), Box<dyn std::error::Error>> {
                let mut search = search(config)?;
                search.tell(&told)?;
                let asked = search.ask(count)?;
                let scores: Vec<f64> = asked.proposals.iter().map(|proposal| score(&proposal.arch)).collect();
                let report = search.last_report().ok_or("a round that learned has a report")?;
                let offered = report.candidates.ascent + report.candidates.neighbour;
                Ok((scores.iter().sum::<f64>() / scores.len() as f64, offered))
            };
            let ascent = StructureConfig { neighbours: 0, ..whole.clone() };
            let (by_ascent, offered) = mean(&ascent, PICKED)?;
            if offered < PICKED {
                // Nearly all that the moves decode to is known.
                continue;
            }
            let mutation = StructureConfig { step_sizes: vec![], neighbours: offered, ..whole.clone() };
            let (by_mutation, offered_mutations) = mean(&mutation, PICKED)?;
            candidates += offered;
            chosen.push(by_ascent - by_mutation);
            all.push(mean(&ascent, offered)?.0 - mean(&mutation, offered_mutations)?.0);
        }
        println!(
            "  after {:2} observations, {:.0} candidates each: ascent - mutation, all {}, the {PICKED} chosen {}",
            10 + 5 * (rounds - 1),
            candidates as f64 / all.len() as f64,
            paired(&all),
            paired(&chosen),
        );
    }
    Ok(())
}

/// How many a round proposes.
const PICKED: usize = 5;

/// The mean of differences and Student's t.
fn paired(differences: &[f64]) -> String {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    format!("{mean:+.4} (t = {:.2}, n = {n})", mean / (variance / n).sqrt())
}

fn observe<A>(
    archs: impl Iterator<Item = A>,
    before: usize,
    score: &dyn Fn(&A) -> f64,
) -> impl Iterator<Item = Observation<A>> {
    archs.enumerate().map(move |(at, arch)| Observation {
        trial: TrialId((before + at + 1) as u64),
        value: Some(score(&arch)),
        arch,
        objective: Objective::validation_accuracy(),
    })
}

/// The best score after 50, 100 and 200 queries.
fn contest(
    space: &CnnSpace,
    learned: &Arc<PretrainedSpace>,
    seeds: u64,
    whole: &StructureConfig,
    score: &dyn Fn(&CnnArch) -> f64,
) -> Result<(), Box<dyn std::error::Error>> {
    let value = |arch: &CnnArch| Some(score(arch));
    let mut with_ascent = Vec::new();
    for name in ["nao", "mutations only", "linear", "local", "evolution", "random"] {
        let one_by_one = ["local", "evolution"].contains(&name);
        let contest = Contest {
            limits: RoundLimits { initial: 10, per_round: if one_by_one { 1 } else { 5 }, budget: 200 },
            objective: Objective::validation_accuracy(),
            value: &value,
            reported: &value,
            optimum: None,
        };
        let (mut sums, mut seconds, mut last) = ([0.0; 3], 0.0, Vec::new());
        for seed in 1..=seeds {
            let config = whole.clone();
            let mut strategy: Box<dyn Strategy<CnnSpace>> = match name {
                "nao" => Box::new(StructureSearch::new(space.clone(), config, seed, Arc::clone(learned))?),
                "mutations only" => {
                    let config = StructureConfig { step_sizes: vec![], ..config };
                    Box::new(StructureSearch::new(space.clone(), config, seed, Arc::clone(learned))?)
                }
                "linear" => Box::new(LinearSearch::new(space.clone(), seed)),
                "local" => Box::new(LocalSearch::new(space.clone(), LocalSearchConfig::default(), seed)),
                "evolution" => {
                    Box::new(EvolutionSearch::new(space.clone(), EvolutionConfig::default(), seed)?)
                }
                _ => Box::new(RandomSearch::new(space.clone(), seed)),
            };
            let race = contest.race(&mut *strategy, seed)?;
            for (sum, count) in sums.iter_mut().zip([50, 100, 200]) {
                *sum += race.best[count - 1] / seeds as f64;
            }
            last.push(race.best[199]);
            seconds += race.seconds / race.rounds as f64 / seeds as f64;
        }
        match name {
            "nao" => with_ascent = last,
            "mutations only" => {
                let differences: Vec<f64> =
                    with_ascent.iter().zip(last).map(|(with, without)| with - without).collect();
                println!("  at 200, with ascent - without: {}", paired(&differences));
            }
            _ => {}
        }
        println!("  {name:15} best at 50 / 100 / 200: {sums:.4?}, {:.0} ms per round", 1e3 * seconds);
    }
    Ok(())
}

/// A score that depends on how operations are put together: good sequences of operations along paths, a depth that is
/// neither small nor large, several kinds of operations, and both inputs used.
fn planted(space: &CnnSpace, arch: &CnnArch) -> f64 {
    let [normal, reduction] = &space.graphs(arch)[..] else { return 0.0 };
    cell_score(normal) + 0.5 * cell_score(reduction)
}

fn cell_score(graph: &OperationGraph) -> f64 {
    let (mut worth, mut depth) = (vec![0.0f64; graph.len()], vec![0u32; graph.len()]);
    let mut kinds = std::collections::BTreeSet::new();
    for (vertex, reads) in graph.reads().iter().enumerate() {
        let best =
            |of: &dyn Fn(usize) -> f64| reads.iter().map(|&read| of(read)).fold(f64::NEG_INFINITY, f64::max);
        depth[vertex] = reads.iter().map(|&read| depth[read] + 1).max().unwrap_or(0);
        let VertexLabel::Operation(operation) = graph.labels()[vertex] else {
            if !reads.is_empty() {
                worth[vertex] = best(&|read| worth[read]);
            }
            continue;
        };
        kinds.insert(operation);
        // Operations of unlike kind in a row are worth more, later ones less.
        let alone = [0.1, 0.5, 0.3, 0.2, 0.6, 0.9, 0.8, 0.4, 0.2, 0.7, 1.0][usize::from(operation) % 11];
        worth[vertex] = best(&|read| {
            let bonus = match graph.labels()[read] {
                VertexLabel::Operation(before) if before != operation => 0.3,
                VertexLabel::Operation(_) => -0.2,
                _ => 0.0,
            };
            worth[read] + (alone + bonus) / f64::from(depth[vertex])
        });
    }
    let output = graph.len() - 1;
    let mean: f64 = graph.reads()[output].iter().map(|&read| worth[read]).sum::<f64>()
        / graph.reads()[output].len().max(1) as f64;
    let inputs = graph.labels().iter().filter(|label| matches!(label, VertexLabel::Input(_))).count();
    let off = f64::from(depth[output]) - 4.0;
    worth[output].tanh()
        + 0.5 * mean.tanh()
        + 0.3 * (-off * off / 2.0).exp()
        + 0.05 * kinds.len().min(5) as f64
        + 0.1 * inputs as f64
}
