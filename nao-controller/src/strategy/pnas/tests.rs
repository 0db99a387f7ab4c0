//! What progressive search promises, on spaces with planted scores.

use burn::tensor::Device;
use nao_space::search::laws::{self, observe};
use nao_space::search::{Origin, Strategy};
use nao_space::{ChoiceSpace, CnnSpace, EdgeOp, Levels, NasBench201Arch, NasBench201Space, OpSet, RnnSpace};

use super::{PnasConfig, PnasSearch};
use crate::SurrogateConfig;
use crate::strategy::policy::tests::{planted, trials_to_optimum, worth};

fn quick(beam: usize) -> PnasConfig {
    let surrogate = SurrogateConfig { embedding: 8, hidden: 16, epochs: 20, ..SurrogateConfig::default() };
    PnasConfig { beam, candidates: 400, surrogate }
}

fn search<S: Levels>(space: &S, beam: usize, seed: u64) -> PnasSearch<S> {
    PnasSearch::new(space.clone(), quick(beam), seed, Device::flex()).unwrap()
}

#[test]
fn it_obeys_the_laws() {
    let space = CnnSpace::default();
    laws::hold_level_by_level(&space, |seed| search(&space, 8, seed));
    let space = NasBench201Space::default();
    laws::hold_level_by_level(&space, |seed| search(&space, 8, seed));
    let space = RnnSpace::default();
    laws::hold_level_by_level(&space, |seed| search(&space, 8, seed));
}

#[test]
fn it_finds_a_planted_optimum_much_sooner_than_random_search() {
    let space = planted();
    // Random search finds it in a twentieth of searches of 800 trials, see the tests of policies.
    for seed in 0..10 {
        let trials = trials_to_optimum(&mut search(&space, 10, seed), 10, 800);
        assert!(trials < 200, "seed {seed}: {trials} trials");
    }
}

/// Edges of nodes 2 and 3 that are no placeholder.
fn deepest(arch: &NasBench201Arch) -> usize {
    let chosen = |edges: &[EdgeOp]| edges.iter().any(|&op| op != EdgeOp::SkipConnect);
    match arch.edges {
        edges if chosen(&edges[3..]) => 2,
        edges if chosen(&edges[1..3]) => 1,
        _ => 0,
    }
}

#[test]
fn no_cell_is_proposed_before_all_of_the_level_below_were_told() {
    let space = NasBench201Space::default();
    let mut search = search(&space, 9, 4);
    let (mut told, mut by_level) = (0, [0; 3]);
    for round in 0..16 {
        let asked = search.ask(4).unwrap();
        let level = search.level().unwrap();
        for proposal in &asked.proposals {
            assert!(deepest(&proposal.arch) <= level, "round {round}: {:?}", proposal.arch);
            by_level[level] += 1;
        }
        if level > 0 {
            let complete = [5, 9][..level].iter().zip(by_level);
            complete.for_each(|(whole, proposed)| assert_eq!(*whole, proposed, "level {level}"));
        }
        assert!(!asked.proposals.is_empty());
        if asked.proposals.len() < 4 {
            // The level ends here: nothing more comes before its outcomes are told.
            let nothing = search.ask(1).unwrap();
            assert_eq!((nothing.proposals.len(), nothing.stop), (0, None));
        }
        let observations = observe(&asked, told, |arch| {
            Some(arch.edges.iter().filter(|&&op| op == EdgeOp::NorConv3x3).count() as f64)
        });
        told += observations.len();
        search.tell(&observations).unwrap();
    }
    // 5 + 9, and a first whole beam of the last level.
    assert!(by_level[2] > 9, "{by_level:?}");
}

#[test]
fn later_levels_grow_from_the_best_measured_and_failed_trials_do_not_grow() {
    let space = NasBench201Space::default();
    let mut search = search(&space, 2, 1);
    // Of two the first fails.
    let asked = search.ask(2).unwrap();
    let mut values = [None, Some(0.7)].into_iter();
    search.tell(&observe(&asked, 0, |_| values.next().unwrap())).unwrap();
    let next = search.ask(2).unwrap();
    let grown = asked.proposals[1].arch.edges[0];
    for proposal in &next.proposals {
        assert_eq!(proposal.origin, Origin::Mutation { parent: nao_space::TrialId(2) });
        assert_eq!(proposal.arch.edges[0], grown);
    }
}

#[test]
fn a_search_restored_in_the_middle_of_a_beam_goes_on_alike() {
    let space = planted();
    let mut whole = search(&space, 6, 3);
    let mut told = Vec::new();
    for round in 0..14 {
        let mut resumed = search(&space, 6, 3);
        resumed.restore(&whole.save().unwrap(), &told).unwrap();
        let asked = whole.ask(4).unwrap();
        assert_eq!(resumed.ask(4).unwrap(), asked, "round {round}");
        assert_eq!(resumed.save().unwrap(), whole.save().unwrap());
        let observations = observe(&asked, told.len(), worth);
        whole.tell(&observations).unwrap();
        told.extend(observations);
    }
    let error = search(&space, 7, 3).restore(&whole.save().unwrap(), &told).unwrap_err().to_string();
    assert!(error.contains("\"beam\":6"), "{error}");
}

#[test]
fn a_small_space_is_found_whole_and_then_exhausted() {
    let space = ChoiceSpace::from_toml(
        r#"
        name = "tiny"
        [[position]]
        name = "block"
        choices = ["plain", "residual"]
        [[position]]
        name = "skip"
        choices = ["identity", "conv", "pool"]
        only_if = { position = "block", choice = "residual" }
        "#,
    )
    .unwrap();
    let mut search = search(&space, 3, 1);
    let mut found = 0;
    let stop = (0..20).find_map(|_| {
        let asked = search.ask(3).unwrap();
        search.tell(&observe(&asked, found, |_| Some(0.5))).unwrap();
        found += asked.proposals.len();
        asked.stop
    });
    assert_eq!((found, stop), (4, Some(nao_space::search::Stop::SpaceExhausted)));
}

#[test]
fn where_all_fails_it_draws_at_random() {
    let space = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    let mut search = search(&space, 4, 1);
    let mut told = 0;
    for _ in 0..4 {
        let asked = search.ask(4).unwrap();
        assert_eq!(asked.proposals.len(), 4);
        search.tell(&observe(&asked, told, |_| None)).unwrap();
        told += 4;
    }
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let space = planted();
    let refused = |config: PnasConfig| {
        PnasSearch::new(space.clone(), config, 1, Device::flex()).err().unwrap().to_string()
    };
    assert!(refused(PnasConfig { beam: 0, ..quick(3) }).contains("`beam` is 0"));
    let surrogate = SurrogateConfig { learning_rate: -1.0, ..SurrogateConfig::default() };
    assert!(refused(PnasConfig { surrogate, ..quick(3) }).contains("`learning_rate` is -1"));
    assert_eq!(PnasConfig::paper().check("any"), Ok(()));
}
