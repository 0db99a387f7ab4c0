//! What the search promises, on small spaces with planted scores.

use burn::tensor::Device;
use nao_space::search::{Observation, Origin, RandomSearch, Stop, Strategy, StrategyError};
use nao_space::seed::rng_for;
use nao_space::{CnnArch, CnnSpace, Objective, Op, OpSet, Space, TrialId};

use super::{NaoConfig, NaoSearch, controller_weights};
use crate::ControllerConfig;

fn small(epochs: usize) -> NaoConfig {
    NaoConfig {
        controller: ControllerConfig {
            embedding: 8,
            hidden: 16,
            mlp_layers: 0,
            epochs,
            batch: 20,
            learning_rate: 1e-2,
            ..ControllerConfig::default()
        },
        seeds: 10,
        step_limit: 20.0,
        ..NaoConfig::default()
    }
}

/// The share of edges that hold the first operation of the space.
fn planted(space: &CnnSpace, arch: &CnnArch) -> f64 {
    let wanted = space.ops().ops().next().unwrap();
    let edges = || arch.cells().into_iter().flat_map(|(_, cell)| cell.nodes()).flat_map(|node| node.edges);
    edges().filter(|edge| edge.op == wanted).count() as f64 / edges().count() as f64
}

fn observe(
    archs: impl IntoIterator<Item = CnnArch>,
    first: u64,
    mut score: impl FnMut(&CnnArch) -> Option<f64>,
) -> Vec<Observation<CnnArch>> {
    let archs = archs.into_iter().enumerate();
    let told = archs.map(|(index, arch)| Observation {
        trial: TrialId(first + index as u64),
        value: score(&arch),
        arch,
        objective: Objective::validation_accuracy(),
    });
    told.collect()
}

fn search(space: &CnnSpace, config: NaoConfig, seed: u64) -> NaoSearch<CnnSpace> {
    NaoSearch::new(space.clone(), config, seed, Device::flex()).unwrap()
}

/// Asks once at random and tells the planted scores, which it returns.
fn begin(search: &mut NaoSearch<CnnSpace>, space: &CnnSpace, count: usize) -> Vec<Observation<CnnArch>> {
    let asked = search.ask(count).unwrap();
    assert!(asked.proposals.iter().all(|proposal| proposal.origin == Origin::Random));
    let archs = asked.proposals.into_iter().map(|proposal| proposal.arch);
    let told = observe(archs, 1, |arch| Some(planted(space, arch)));
    search.tell(&told).unwrap();
    told
}

#[test]
fn ascent_finds_better_architectures_than_chance() {
    let space = CnnSpace::new(3, OpSet::enas_5()).unwrap();
    let mut search = search(&space, small(150), 1);
    begin(&mut search, &space, 40);
    assert_eq!(search.ask(0).unwrap().stop, None);
    let asked = search.ask(20).unwrap();
    assert_eq!(asked.proposals.len(), 20);
    let mut moved = Vec::new();
    for proposal in &asked.proposals {
        if let Origin::Ascent { parent, step } = proposal.origin {
            assert!((1..=40).contains(&parent.0) && (1.0..=20.0).contains(&step));
            moved.push(planted(&space, &proposal.arch));
        }
    }
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
    let drawn = RandomSearch::new(space.clone(), 9).ask(200).unwrap().proposals;
    let drawn: Vec<f64> = drawn.iter().map(|proposal| planted(&space, &proposal.arch)).collect();
    assert!(moved.len() >= 10, "only {} by ascent", moved.len());
    assert!(mean(&moved) > mean(&drawn) + 0.1, "{} by ascent, {} by chance", mean(&moved), mean(&drawn));

    let report = search.last_report().unwrap();
    assert_eq!((report.trained_on, report.parents, report.epochs), (40, 10, 150));
    assert_eq!(report.proposals.ascent, moved.len());
    assert_eq!(report.proposals.ascent + report.proposals.random, 20);
    assert!(report.pairwise_accuracy.unwrap() > 0.8, "{report:?}");
    serde_json::to_string(report).unwrap();
}

#[test]
fn the_same_seed_and_a_restored_state_propose_the_same() {
    let space = CnnSpace::new(3, OpSet::enas_5()).unwrap();
    for warm_start in [true, false] {
        let config = NaoConfig { warm_start, ..small(4) };
        let run = |interrupt: bool, seed: u64| {
            let mut running = search(&space, config.clone(), seed);
            let mut told = begin(&mut running, &space, 15);
            let mut rounds = Vec::new();
            for round in 0..2 {
                if interrupt {
                    let state = running.save().unwrap();
                    running = search(&space, config.clone(), seed);
                    running.restore(&state, &told).unwrap();
                    assert_eq!(running.save().unwrap(), state);
                }
                let asked = running.ask(6).unwrap();
                let archs: Vec<CnnArch> =
                    asked.proposals.iter().map(|proposal| proposal.arch.clone()).collect();
                let observed = observe(archs, 100 + 10 * round, |arch| Some(planted(&space, arch)));
                running.tell(&observed).unwrap();
                told.extend(observed);
                rounds.push(asked);
            }
            rounds
        };
        let whole = run(false, 3);
        assert_eq!(whole, run(false, 3));
        assert_eq!(whole, run(true, 3));
        assert_ne!(whole, run(false, 4));
    }
}

#[test]
fn nothing_is_proposed_twice_and_failed_trials_are_known_but_not_learned() {
    let space = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    let mut search = search(&space, small(3), 1);
    let mut keys = std::collections::HashSet::new();
    let mut trial = 1;
    for round in 0..3 {
        let asked = search.ask(12).unwrap();
        for proposal in &asked.proposals {
            assert!(keys.insert(space.key(&proposal.arch)));
        }
        let archs = asked.proposals.into_iter().map(|proposal| proposal.arch);
        let mut place = 0;
        let told = observe(archs, trial, |arch| {
            place += 1;
            match place % 3 {
                0 => None,
                1 => Some(f64::NAN),
                _ => Some(planted(&space, arch)),
            }
        });
        trial += told.len() as u64;
        search.tell(&told).unwrap();
        if round > 0 {
            assert_eq!(search.last_report().unwrap().trained_on, 4 * round);
        }
    }
}

#[test]
fn pools_that_say_nothing_warn_and_go_on() {
    let space = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    let scores: [fn(usize) -> Option<f64>; 3] =
        [|_| Some(0.5), |_| None, |index| (index == 1).then_some(0.7)];
    for score in scores {
        let mut search = search(&space, small(2), 1);
        let archs = search.ask(5).unwrap().proposals.into_iter().map(|proposal| proposal.arch);
        let mut index = 0;
        let told = observe(archs, 1, |_| {
            index += 1;
            score(index)
        });
        search.tell(&told).unwrap();
        let asked = search.ask(3).unwrap();
        assert!(!asked.warnings.is_empty());
        assert!(asked.stop.is_some() || asked.proposals.len() == 3);
    }
}

#[test]
fn a_space_that_is_known_whole_stops_the_search() {
    let space = CnnSpace::new(1, OpSet::new("two", [Op::Identity, Op::Zero])).unwrap();
    let mut search = search(&space, small(2), 1);
    begin(&mut search, &space, 95);
    let asked = search.ask(20).unwrap();
    match asked.stop {
        Some(Stop::SpaceExhausted) => assert_eq!(asked.proposals.len(), 5),
        Some(Stop::NothingNewAfterStepLimit { step }) => {
            assert_eq!((asked.proposals.len(), step), (0, 20.0));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_state_of_another_search_is_refused_with_both_sides() {
    let (five, ten) = (CnnSpace::new(2, OpSet::enas_5()).unwrap(), CnnSpace::new(2, OpSet::v2_10()).unwrap());
    let mut saved = search(&five, small(2), 1);
    let told = begin(&mut saved, &five, 6);
    saved.ask(2).unwrap();
    let state = saved.save().unwrap();
    let refusal = |mut other: NaoSearch<CnnSpace>| match other.restore(&state, &told).unwrap_err() {
        StrategyError::State { message, .. } => message,
        other => panic!("{other}"),
    };
    let vocabulary = refusal(search(&ten, small(2), 1));
    assert!(vocabulary.contains("with 9 tokens") && vocabulary.contains("with 14 tokens"), "{vocabulary}");
    let config = refusal(search(&five, small(3), 1));
    assert!(config.contains("\"epochs\":2") && config.contains("\"epochs\":3"), "{config}");
    assert!(refusal(search(&five, small(2), 2)).contains("seed 1"));
    for bytes in [&b""[..], b"nonsense", &state[..state.len() / 2]] {
        assert!(search(&five, small(2), 1).restore(bytes, &[]).is_err());
    }
}

#[test]
fn two_objectives_are_refused() {
    let space = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    let mut search = search(&space, small(2), 1);
    let mut told =
        observe(search.ask(2).unwrap().proposals.into_iter().map(|proposal| proposal.arch), 1, |_| Some(0.5));
    told[1].objective.name = "loss".into();
    assert!(search.tell(&told).is_err());
}

/// A search with shared weights tells a new search the pool of each round; the controller goes on all the same.
#[test]
fn a_new_search_goes_on_from_the_controller_of_another() {
    let space = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    let mut first = search(&space, small(40), 3);
    begin(&mut first, &space, 12);
    first.ask(4).unwrap();
    let weights = controller_weights(&first.save().unwrap()).unwrap().unwrap();
    let sequences = vec![space.encode(&space.sample(&mut rng_for(8, "cells", 0)))];
    let predicted = first.controller().unwrap().predict(&sequences).unwrap();

    let next = search(&space, small(0), 4).going_on_from(&weights).unwrap();
    assert_eq!(next.controller().unwrap().predict(&sequences).unwrap(), predicted);
    let other =
        NaoConfig { controller: ControllerConfig { mlp_layers: 1, ..small(0).controller }, ..small(0) };
    assert!(search(&space, other, 4).going_on_from(&weights).is_err());
}

#[test]
fn steps_reach_their_limit_exactly() {
    let config = NaoConfig { first_step: 0.1, step_increment: 0.1, step_limit: 0.5, ..small(1) };
    let steps: Vec<f64> = config.steps().collect();
    assert_eq!(steps.len(), 5);
    let space = CnnSpace::default();
    let none = NaoConfig { step_increment: 0.0, ..small(1) };
    assert!(NaoSearch::new(space.clone(), none, 1, Device::flex()).is_err());
}
