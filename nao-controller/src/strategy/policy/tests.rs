//! What the searches by policy gradient promise, on spaces with planted scores.

use burn::tensor::Device;
use nao_space::search::laws::{self, observe};
use nao_space::search::{Observation, Origin, Proposals, RandomSearch, Strategy};
use nao_space::{ChoiceArch, ChoiceSpace, CnnSpace, NasBench201Space, Objective, RnnSpace, Space};

use super::PolicySearch;
use crate::{PolicyConfig, PolicyRule};

/// Six positions of five choices, the size of NAS-Bench-201; the best has the same choice everywhere.
pub(crate) fn planted() -> ChoiceSpace {
    let positions = (0..6).map(|position| {
        format!("[[position]]\nname = \"p{position}\"\nchoices = [\"a\", \"b\", \"c\", \"d\", \"e\"]\n")
    });
    ChoiceSpace::from_toml(&format!("name = \"planted\"\n{}", positions.collect::<String>())).unwrap()
}

/// The share of positions that have the best choice.
pub(crate) fn worth(arch: &ChoiceArch) -> Option<f64> {
    Some(arch.iter().filter(|(_, choice)| *choice == "d").count() as f64 / 6.0)
}

/// How many trials a search takes to the planted optimum, in rounds of that size; the budget if it finds none.
pub(crate) fn trials_to_optimum(
    search: &mut dyn Strategy<ChoiceSpace>,
    round: usize,
    budget: usize,
) -> usize {
    let mut told = 0;
    while told < budget {
        let asked = search.ask(round).unwrap();
        let observations = observe(&asked, told, worth);
        if let Some(at) = observations.iter().position(|observation| observation.value == Some(1.0)) {
            return told + at + 1;
        }
        told += observations.len();
        search.tell(&observations).unwrap();
    }
    budget
}

fn search<S: Space>(space: &S, config: PolicyConfig, seed: u64) -> PolicySearch<S> {
    PolicySearch::new(space.clone(), config, seed, Device::flex()).unwrap()
}

/// The published settings but for the learning rate, which is for some hundred trials instead of 20,000, and fewer
/// units.
fn quick(config: PolicyConfig) -> PolicyConfig {
    PolicyConfig { hidden: 24, learning_rate: 0.02, batch: 10, ..config }
}

#[test]
fn they_obey_the_laws() {
    let space = CnnSpace::default();
    laws::hold(&space, |seed| search(&space, quick(PolicyConfig::nasnet_ppo()), seed));
    let space = NasBench201Space::default();
    laws::hold(&space, |seed| search(&space, quick(PolicyConfig::reinforce()), seed));
    let space = RnnSpace::default();
    laws::hold(&space, |seed| search(&space, quick(PolicyConfig::enas()), seed));
}

#[test]
fn they_concentrate_on_a_planted_optimum_much_sooner_than_random_search() {
    let space = planted();
    const BUDGET: usize = 800;
    let mut random: Vec<usize> = (0..10)
        .map(|seed| trials_to_optimum(&mut RandomSearch::new(space.clone(), seed), 20, BUDGET))
        .collect();
    random.sort_unstable();
    for config in [PolicyConfig::reinforce(), PolicyConfig::nasnet_ppo()] {
        for seed in 0..10 {
            let mut search = search(&space, quick(config.clone()), seed);
            let trials = trials_to_optimum(&mut search, 20, BUDGET);
            assert!(trials < 500, "{:?}, seed {seed}: {trials} trials", config.rule);
        }
    }
    // 800 of 15,625 hold the one optimum in one of 20 searches or so.
    assert!(random[5] == BUDGET, "{random:?}");
}

#[test]
fn a_search_restored_in_the_middle_of_a_batch_goes_on_alike() {
    let space = planted();
    for config in [PolicyConfig::reinforce(), PolicyConfig::nasnet_ppo()] {
        let mut whole = search(&space, quick(config.clone()), 3);
        let mut told = Vec::new();
        for round in 0..12 {
            let mut resumed = search(&space, quick(config.clone()), 3);
            resumed.restore(&whole.save().unwrap(), &told).unwrap();
            let asked = whole.ask(7).unwrap();
            assert_eq!(resumed.ask(7).unwrap(), asked, "round {round}");
            assert_eq!(resumed.save().unwrap(), whole.save().unwrap());
            let observations = observe(&asked, told.len(), worth);
            whole.tell(&observations).unwrap();
            told.extend(observations);
        }
        assert!(whole.policy().baseline().is_some());
        let other = PolicyConfig { learning_rate: 1.0, ..quick(config) };
        let error = search(&space, other, 3).restore(&whole.save().unwrap(), &told).unwrap_err().to_string();
        assert!(error.contains("learning_rate"), "{error}");
        let other = CnnSpace::default();
        let error = search(&other, quick(PolicyConfig::reinforce()), 3).restore(&whole.save().unwrap(), &[]);
        assert!(error.unwrap_err().to_string().contains("choice/planted"));
    }
}

/// A space of four: known architectures are learned from again, at no charge, and the search ends when all are known.
#[test]
fn a_small_space_is_found_whole_and_known_architectures_teach() {
    let space = ChoiceSpace::from_toml(
        "name = \"four\"\n[[position]]\nname = \"x\"\nchoices = [\"a\", \"b\", \"c\", \"d\"]\n",
    )
    .unwrap();
    let config = PolicyConfig { redraws: 200, ..quick(PolicyConfig::reinforce()) };
    let mut search = search(&space, config, 1);
    let value = |arch: &ChoiceArch| Some(if arch.get("x") == Some("c") { 0.9 } else { 0.1 });
    let asked = search.ask(3).unwrap();
    search.tell(&observe(&asked, 0, value)).unwrap();
    assert_eq!(search.policy().baseline(), None, "three are no batch");
    let asked = search.ask(3).unwrap();
    assert_eq!(asked.proposals.len(), 1);
    assert!(asked.stop.is_some());
    let report = search.report().unwrap();
    assert!(report["known"].as_u64().unwrap() > 100, "{report}");
    assert!(search.policy().baseline().is_some());
}

#[test]
fn failed_trials_are_left_out_and_not_zeros() {
    let space = planted();
    let mut search = search(&space, PolicyConfig { batch: 5, ..quick(PolicyConfig::reinforce()) }, 1);
    let asked = search.ask(10).unwrap();
    let mut count = 0;
    let observations = observe(&asked, 0, |_| {
        count += 1;
        match count % 2 {
            0 => None,
            _ => Some(if count < 5 { f64::NAN } else { 0.75 }),
        }
    });
    search.tell(&observations).unwrap();
    // Five failed and two have no number, so that three are left.
    assert_eq!(search.policy().baseline(), None);
    let asked = search.ask(2).unwrap();
    search.tell(&observe(&asked, 10, |_| Some(0.75))).unwrap();
    assert_eq!(search.policy().baseline(), Some(0.75));
}

#[test]
fn what_the_policy_did_not_draw_teaches_nothing_by_itself() {
    let space = planted();
    let mut search = search(&space, PolicyConfig { batch: 5, ..quick(PolicyConfig::reinforce()) }, 1);
    let foreign: Proposals<ChoiceArch> = RandomSearch::new(space.clone(), 99).ask(20).unwrap();
    search.tell(&observe(&foreign, 0, worth)).unwrap();
    assert_eq!(search.policy().baseline(), None);
}

#[test]
fn perplexities_are_searched_downwards() {
    let space = planted();
    let mut search = search(&space, quick(PolicyConfig::reinforce()), 2);
    let mut found = Vec::new();
    for round in 0..30u64 {
        let asked = search.ask(20).unwrap();
        let observations: Vec<Observation<ChoiceArch>> = asked
            .proposals
            .into_iter()
            .zip(20 * round + 1..)
            .map(|(proposal, id)| Observation {
                trial: nao_space::TrialId(id),
                objective: Objective::validation_perplexity(),
                value: Some(200.0 - 120.0 * worth(&proposal.arch).unwrap()),
                arch: proposal.arch,
            })
            .collect();
        found.extend(observations.iter().filter_map(|observation| observation.value));
        search.tell(&observations).unwrap();
    }
    assert!(found.contains(&80.0));
}

#[test]
fn names_and_origins_say_who_proposed() {
    let space = planted();
    let mut one = search(&space, PolicyConfig::reinforce(), 1);
    assert_eq!(one.name(), "reinforce");
    assert!(one.ask(5).unwrap().proposals.iter().all(|proposal| proposal.origin == Origin::Policy));
    let rule = PolicyRule::Ppo { clip: 0.1, passes: 1 };
    assert_eq!(search(&space, PolicyConfig { rule, ..PolicyConfig::enas() }, 1).name(), "ppo");
}
