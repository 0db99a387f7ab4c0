//! What the search on structure promises, on spaces with planted scores.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use burn::tensor::Device;
use nao_space::search::{Observation, Origin, RandomSearch, Stop, Strategy, StrategyError};
use nao_space::seed::rng_for;
use nao_space::{
    ChoiceSpace, CnnArch, CnnSpace, EdgeOp, Graphs, NasBench201Arch, NasBench201Space, Objective, Op, OpSet,
    Space, TrialId,
};

use super::{Enumeration, StructureSearch};
use crate::{PretrainedSpace, PretrainingConfig, StructureConfig};

fn quick() -> StructureConfig {
    let pretraining = PretrainingConfig {
        feature_samples: 200,
        cells: 1500,
        embedding: 16,
        hidden: 32,
        readout: 48,
        steps: 150,
        batch: 64,
        learning_rate: 5e-3,
        ..PretrainingConfig::default()
    };
    StructureConfig { pretraining, ..StructureConfig::default() }
}

fn learned<S: Graphs>(space: &S) -> Arc<PretrainedSpace> {
    Arc::new(PretrainedSpace::learn(space, &quick().pretraining, &Device::flex()).unwrap())
}

pub(super) fn cells() -> &'static (NasBench201Space, Arc<PretrainedSpace>) {
    static CELLS: OnceLock<(NasBench201Space, Arc<PretrainedSpace>)> = OnceLock::new();
    CELLS.get_or_init(|| (NasBench201Space::default(), learned(&NasBench201Space::default())))
}

pub(super) fn search(seed: u64) -> StructureSearch<NasBench201Space> {
    let (space, pretrained) = cells();
    StructureSearch::new(space.clone(), quick(), seed, Arc::clone(pretrained)).unwrap()
}

/// One cell is the best: convolutions of 3x3 on the longest path, a skip beside it.
pub(super) fn planted(arch: &NasBench201Arch) -> f64 {
    use EdgeOp::{NorConv3x3, SkipConnect};
    let wanted = [NorConv3x3, SkipConnect, NorConv3x3, SkipConnect, NorConv3x3, NorConv3x3];
    arch.edges.iter().zip(wanted).filter(|(edge, wanted)| **edge == *wanted).count() as f64
}

pub(super) fn tell<S: Graphs>(
    search: &mut StructureSearch<S>,
    archs: Vec<S::Arch>,
    first: u64,
    score: impl Fn(&S::Arch) -> Option<f64>,
) -> Vec<Observation<S::Arch>> {
    let told = archs.into_iter().zip(first..).map(|(arch, trial)| Observation {
        trial: TrialId(trial),
        value: score(&arch),
        arch,
        objective: Objective::validation_accuracy(),
    });
    let told: Vec<_> = told.collect();
    search.tell(&told).unwrap();
    told
}

fn archs<A>(asked: nao_space::search::Proposals<A>) -> Vec<A> {
    asked.proposals.into_iter().map(|proposal| proposal.arch).collect()
}

/// Trials until the planted optimum is found, of `budget`.
fn trials_to_optimum(mut search: StructureSearch<NasBench201Space>, budget: u64) -> Option<u64> {
    let mut trial = 1;
    while trial < budget {
        let asked = archs(search.ask(if trial == 1 { 10 } else { 5 }).unwrap());
        if let Some(at) = asked.iter().position(|arch| planted(arch) == 6.0) {
            return Some(trial + at as u64);
        }
        let count = asked.len() as u64;
        tell(&mut search, asked, trial, |arch| Some(planted(arch)));
        trial += count;
    }
    None
}

#[test]
fn a_planted_optimum_among_fifteen_thousand_is_found_soon() {
    let (space, pretrained) = cells();
    let all = Arc::new(Enumeration::new(space, pretrained, space.all()));
    for seed in 1..=3 {
        let generated = trials_to_optimum(search(seed), 150);
        assert!(generated.is_some(), "seed {seed}");
        let enumerated = trials_to_optimum(search(seed).enumerating(Arc::clone(&all)), 150);
        assert!(enumerated.is_some(), "seed {seed}");
    }
}

#[test]
fn what_was_learned_writes_down_unseen_cells_and_reads_their_features() {
    let report = cells().1.report();
    assert!(report.checked > 1000 && report.exact > 0.99, "{report:?}");
    assert!(report.explained > 0.5, "{report:?}");
}

#[test]
fn what_was_learned_is_kept_and_read_back_whole() {
    let (space, pretrained) = cells();
    let bytes = pretrained.to_bytes().unwrap();
    let read = PretrainedSpace::from_bytes(space, bytes.clone(), &Device::flex()).unwrap();
    assert_eq!(read.to_bytes().unwrap(), bytes);
    assert_eq!(read.report(), pretrained.report());
    let mut searches = [search(5), StructureSearch::new(space.clone(), quick(), 5, Arc::new(read)).unwrap()];
    let asked = searches.each_mut().map(|search| {
        let first = archs(search.ask(10).unwrap());
        tell(search, first, 1, |arch| Some(planted(arch)));
        search.ask(5).unwrap()
    });
    assert_eq!(asked[0], asked[1]);
    let enas = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    assert!(PretrainedSpace::from_bytes(&enas, bytes.clone(), &Device::flex()).is_err());
    assert!(PretrainedSpace::from_bytes(space, bytes[..bytes.len() / 2].to_vec(), &Device::flex()).is_err());
    let config = |seed| PretrainingConfig { seed, ..PretrainingConfig::default() };
    assert_ne!(
        PretrainedSpace::cache_name(space, &config(1)),
        PretrainedSpace::cache_name(space, &config(2))
    );
}

#[test]
fn damaged_weights_are_noticed_with_a_checksum_and_without() {
    let (space, pretrained) = cells();
    let bytes = pretrained.to_bytes().unwrap();
    let refusal = |bytes: Vec<u8>| {
        PretrainedSpace::from_bytes(space, bytes, &Device::flex()).err().expect("damaged weights").to_string()
    };
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(refusal(changed).contains("checksum"));
    // As an earlier version wrote it: the header is right, and says nothing of its content.
    let earlier = |number: f32| {
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let mut header = metadata.metadata().clone().unwrap();
        assert!(header.remove("nao-sha256").is_some());
        let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = file
            .tensors()
            .into_iter()
            .map(|(name, view)| {
                let count = view.data().len() / 4;
                let same = number == 1.0;
                let data = if same { view.data().to_vec() } else { number.to_le_bytes().repeat(count) };
                (name, view.shape().to_vec(), data)
            })
            .collect();
        let views = tensors.iter().map(|(name, shape, data)| {
            let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), data);
            (name.as_str(), view.unwrap())
        });
        safetensors::serialize(views, Some(header)).unwrap()
    };
    let read = PretrainedSpace::from_bytes(space, earlier(1.0), &Device::flex()).unwrap();
    assert_eq!(read.to_bytes().unwrap(), bytes);
    assert!(refusal(earlier(f32::NAN)).contains("no finite numbers"));
    assert!(refusal(earlier(0.0)).contains("a whole matrix is zero"));
}

#[test]
fn ascent_and_neighbours_both_propose_and_the_report_counts_them() {
    let mut search = search(1);
    let asked = archs(search.ask(20).unwrap());
    assert!(search.last_report().is_none());
    tell(&mut search, asked, 1, |arch| Some(planted(arch)));
    let asked = search.ask(10).unwrap();
    let report = search.last_report().unwrap();
    assert_eq!(report.trained_on, 20);
    assert!(report.candidates.ascent > 10 && report.candidates.neighbour > 10, "{report:?}");
    let origins = report.proposals;
    assert_eq!(origins.ascent + origins.neighbour + origins.random, 10);
    let by_ascent = asked.proposals.iter().filter(|one| matches!(one.origin, Origin::Ascent { .. })).count();
    assert_eq!(by_ascent, origins.ascent);
    for proposal in &asked.proposals {
        let (Origin::Ascent { parent, .. } | Origin::Mutation { parent }) = proposal.origin else { continue };
        assert!((1..=20).contains(&parent.0));
    }
    serde_json::to_string(report).unwrap();
}

#[test]
fn the_same_seed_and_a_restored_state_propose_the_same() {
    let run = |interrupt: bool, seed: u64| {
        let mut running = search(seed);
        let (mut rounds, mut told) = (Vec::new(), Vec::new());
        for round in 0..3 {
            if interrupt {
                let state = running.save().unwrap();
                running = search(seed);
                running.restore(&state, &told).unwrap();
                assert_eq!(running.save().unwrap(), state);
            }
            let asked = running.ask(6).unwrap();
            rounds.push(asked.clone());
            told.extend(tell(&mut running, archs(asked), 1 + 6 * round, |arch| Some(planted(arch))));
        }
        rounds
    };
    let whole = run(false, 3);
    assert_eq!(whole, run(true, 3));
    assert_ne!(whole, run(false, 4));
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    assert_eq!(pool(1).install(|| run(false, 3)), pool(2).install(|| run(false, 3)));
}

/// Their ascents run through the same networks at the same time, first of all right after these have been trained: then
/// burn still knows the graphs of their weights.
#[test]
fn searches_side_by_side_share_what_was_learned_of_a_space() {
    let space = NasBench201Space::default();
    let learned = learned(&space);
    let run = |seed| {
        let mut search = StructureSearch::new(space.clone(), quick(), seed, Arc::clone(&learned)).unwrap();
        let mut rounds = Vec::new();
        for round in 0..3 {
            let asked = search.ask(6).unwrap();
            rounds.push(asked.clone());
            tell(&mut search, archs(asked), 1 + 6 * round, |arch| Some(planted(arch)));
        }
        rounds
    };
    let run = &run;
    let together: Vec<_> = std::thread::scope(|scope| {
        let searches: Vec<_> = (1..=6).map(|seed| scope.spawn(move || run(seed))).collect();
        searches.into_iter().map(|search| search.join().unwrap()).collect()
    });
    assert_eq!((1..=6).map(run).collect::<Vec<_>>(), together);
}

#[test]
fn nothing_is_proposed_twice_and_failed_trials_are_known_but_not_learned() {
    let (space, _) = cells();
    let mut search = search(2);
    let mut keys = HashSet::new();
    for round in 0..4u64 {
        let asked = archs(search.ask(9).unwrap());
        asked.iter().for_each(|arch| assert!(keys.insert(space.key(arch))));
        let first = 1 + 9 * round;
        let told = asked.into_iter().zip(first..).map(|(arch, trial)| Observation {
            trial: TrialId(trial),
            value: match trial % 3 {
                0 => None,
                1 => Some(f64::NAN),
                _ => Some(planted(&arch)),
            },
            arch,
            objective: Objective::validation_accuracy(),
        });
        search.tell(&told.collect::<Vec<_>>()).unwrap();
        if round > 0 {
            assert_eq!(search.last_report().unwrap().trained_on as u64, 3 * round);
        }
    }
}

#[test]
fn pools_that_say_nothing_are_gone_on_from() {
    let scores: [fn(&NasBench201Arch) -> Option<f64>; 3] = [|_| Some(0.5), |_| None, |_| Some(f64::INFINITY)];
    for score in scores {
        let mut search = search(1);
        let asked = archs(search.ask(2).unwrap());
        tell(&mut search, asked, 1, score);
        assert_eq!(search.ask(5).unwrap().proposals.len(), 5);
    }
}

#[test]
fn smaller_is_better_where_the_objective_says_so() {
    let (space, _) = cells();
    let mut search = search(1);
    let asked = archs(search.ask(30).unwrap());
    let objective =
        Objective { direction: nao_space::Direction::Minimize, ..Objective::validation_accuracy() };
    let told = asked.into_iter().zip(1..).map(|(arch, trial)| Observation {
        trial: TrialId(trial),
        value: Some(planted(&arch)),
        arch,
        objective: objective.clone(),
    });
    search.tell(&told.collect::<Vec<_>>()).unwrap();
    let mean = |archs: &[NasBench201Arch]| archs.iter().map(planted).sum::<f64>() / archs.len() as f64;
    let drawn = archs(RandomSearch::new(space.clone(), 9).ask(200).unwrap());
    assert!(mean(&archs(search.ask(10).unwrap())) < mean(&drawn));
}

#[test]
fn a_space_that_is_known_whole_stops_the_search() {
    let space = CnnSpace::new(1, OpSet::new("two", [Op::Identity, Op::Zero])).unwrap();
    let mut search = StructureSearch::new(space.clone(), quick(), 1, learned(&space)).unwrap();
    let first = archs(search.ask(95).unwrap());
    let zeros = |arch: &CnnArch| arch.normal.edges().filter(|edge| edge.op == Op::Zero).count() as f64;
    tell(&mut search, first, 1, |arch| Some(zeros(arch)));
    let asked = search.ask(20).unwrap();
    assert_eq!((asked.proposals.len(), asked.stop), (5, Some(Stop::SpaceExhausted)));
}

#[test]
fn a_round_without_candidates_draws() {
    let (space, pretrained) = cells();
    let config = StructureConfig { step_sizes: vec![], neighbours: 0, ..quick() };
    let mut search = StructureSearch::new(space.clone(), config, 1, Arc::clone(pretrained)).unwrap();
    let first = archs(search.ask(5).unwrap());
    tell(&mut search, first, 1, |arch| Some(planted(arch)));
    let asked = search.ask(5).unwrap();
    assert!(asked.proposals.len() == 5 && asked.proposals.iter().all(|one| one.origin == Origin::Random));
}

#[test]
fn a_space_of_choices_is_searched_without_graphs() {
    let positions: String = (0..8)
        .map(|index| format!("[[position]]\nname = \"p{index}\"\nchoices = [\"a\", \"b\", \"c\", \"d\"]\n"))
        .collect();
    let space = ChoiceSpace::from_toml(&format!("name = \"eight\"\n{positions}")).unwrap();
    let mut search = StructureSearch::new(space.clone(), quick(), 1, learned(&space)).unwrap();
    let score =
        |arch: &nao_space::ChoiceArch| arch.iter().filter(|(_, choice)| *choice == "c").count() as f64;
    let (mut best, mut trial) = (0.0, 1);
    for _ in 0..14 {
        let asked = archs(search.ask(6).unwrap());
        best = asked.iter().map(score).fold(best, f64::max);
        tell(&mut search, asked, trial, |arch| Some(score(arch)));
        trial += 6;
    }
    // Of 65,536, one has eight and 24 have seven.
    assert!(best >= 7.0, "{best}");
}

#[test]
fn a_state_or_a_pretraining_of_another_search_is_refused() {
    let (space, pretrained) = cells();
    let state = search(1).save().unwrap();
    let message = |error: StrategyError| match error {
        StrategyError::State { message, .. } => message,
        other => panic!("{other}"),
    };
    assert!(message(search(2).restore(&state, &[]).unwrap_err()).contains("seed 1"));
    let config = StructureConfig { kappa: 0.5, ..quick() };
    let mut other = StructureSearch::new(space.clone(), config, 1, Arc::clone(pretrained)).unwrap();
    assert!(message(other.restore(&state, &[]).unwrap_err()).contains("\"kappa\":1.75"));
    assert!(search(1).restore(b"nonsense", &[]).is_err());
    let enas = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    let error =
        StructureSearch::new(enas.clone(), quick(), 1, Arc::clone(pretrained)).err().unwrap().to_string();
    assert!(error.contains("nasbench201") && error.contains(&enas.name()), "{error}");
    // A search that learns the space itself is one by what was learned with its settings.
    let tiny = PretrainingConfig { cells: 30, feature_samples: 50, steps: 1, ..quick().pretraining };
    let config = StructureConfig { pretraining: tiny.clone(), ..quick() };
    let pretrained_so = Arc::new(PretrainedSpace::learn(space, &tiny, &Device::flex()).unwrap());
    let by = StructureSearch::new(space.clone(), config.clone(), 1, Arc::clone(&pretrained_so)).unwrap();
    let learned = StructureSearch::learn(space.clone(), config, 1, &Device::flex()).unwrap();
    assert_eq!(learned.config(), by.config());
    let sequences = [space.encode(&space.sample(&mut rng_for(1, "learn", 0)))];
    let embedded = |by: &PretrainedSpace| by.encode(&sequences).into_data();
    assert_eq!(embedded(&learned.pretrained), embedded(&pretrained_so));
    // Its own settings of the pre-training are those that count.
    let config = StructureConfig { pretraining: PretrainingConfig::default(), ..quick() };
    let search = StructureSearch::new(space.clone(), config, 1, Arc::clone(pretrained)).unwrap();
    assert_eq!(search.config(), &quick());
    let wrong = StructureConfig { step_sizes: vec![0.3, -1.0], ..quick() };
    let error =
        StructureSearch::new(space.clone(), wrong, 1, Arc::clone(pretrained)).err().unwrap().to_string();
    assert!(error.contains("`step_sizes` has -1"), "{error}");
}

#[test]
fn the_gradient_in_the_embedding_is_that_of_finite_differences() {
    use burn::tensor::{Tensor, TensorData};

    // Short, for the readout has kinks; longer than rounding in single precision.
    const STEP: f64 = 2e-4;
    use crate::gaussian_process::{EvidenceSearch, GaussianProcess, KernelForm, Points, StructureBound};
    let (space, pretrained) = cells();
    let mut rng = nao_space::seed::rng_for(4, "gradient", 0);
    let sequences: Vec<_> = (0..30).map(|_| space.encode(&space.sample(&mut rng))).collect();
    let targets: Vec<f64> = (0..25).map(|index| f64::from(index % 7) / 3.0 - 1.0).collect();
    let points = Points::of_structure(&pretrained.read(pretrained.encode(&sequences[..25])));
    let search = EvidenceSearch { draws: vec![(KernelForm::Structure, 8)], keep: 2, refinements: 1 };
    let process = GaussianProcess::fit(points, &targets, &search, &[], &mut rng).unwrap();
    let bound = StructureBound::of(&process);
    let embedding = pretrained.encode(&sequences[25..]);
    let gradient = crate::ops::floats(pretrained.bound_gradient(&bound, &embedding, 1.5));
    let (shape, values) = (embedding.dims(), crate::ops::floats(embedding));
    let size = shape[1] * shape[2];
    let value = |values: Vec<f32>| {
        let tensor =
            Tensor::<3>::from_data(TensorData::new(values, [1, shape[1], shape[2]]), &Device::flex());
        bound.at(&pretrained.read(tensor), 1.5)[0].value
    };
    for (row, gradient) in values.chunks(size).zip(gradient.chunks(size)) {
        // Along the gradient and along 20 random directions.
        let (mut products, mut squares, mut numeric_squares) = (0.0, 0.0, 0.0);
        for _ in 0..40 {
            let direction: Vec<f64> = (0..size).map(|_| crate::init::standard_normal(&mut rng)).collect();
            let analytic: f64 = direction.iter().zip(gradient).map(|(d, g)| d * f64::from(*g)).sum();
            let moved =
                |by: f64| value(row.iter().zip(&direction).map(|(x, d)| x + (by * d) as f32).collect());
            let numeric = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            products += analytic * numeric;
            squares += analytic * analytic;
            numeric_squares += numeric * numeric;
        }
        let cosine = products / (squares * numeric_squares).sqrt();
        assert!(cosine > 0.999, "{cosine}");
    }
}
