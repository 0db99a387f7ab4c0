//! What cheap looks promise.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use nao_space::search::{Contest, RoundLimits, Strategy, StrategyError};
use nao_space::seed::rng_for;
use nao_space::{ArchKey, NasBench201Arch, NasBench201Space, Objective, Space};
use rand::RngExt;

use super::tests::{cells, planted, search, tell};
use super::{CheapConfig, StructureSearch};

const CONFIG: CheapConfig = CheapConfig { per_round: 12 };

/// What no structure shows of a cell: between 0 and 3.
fn hidden(arch: &NasBench201Arch) -> f64 {
    let key = cells().0.key(arch).0;
    let index = key.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    rng_for(7, "hidden merit", index).random_range(0.0..3.0)
}

fn merit(arch: &NasBench201Arch) -> Option<f64> {
    Some(planted(arch) + hidden(arch))
}

#[test]
fn nothing_is_proposed_that_was_not_looked_at_and_no_look_is_taken_twice() {
    let space = &cells().0;
    let looks = Rc::new(RefCell::new(HashMap::<ArchKey, u32>::new()));
    let counted = Rc::clone(&looks);
    let look = move |arch: &NasBench201Arch| {
        *counted.borrow_mut().entry(space.key(arch)).or_default() += 1;
        // Every fourth cell has no label.
        (hidden(arch) < 2.25).then(|| hidden(arch))
    };
    let mut search = search(1).looking_cheaply(CONFIG, Box::new(look));
    let first: Vec<_> = search.ask(8).unwrap().proposals.into_iter().map(|proposal| proposal.arch).collect();
    assert!(looks.borrow().is_empty(), "what is drawn needs no look before");
    tell(&mut search, first, 1, merit);
    for round in 0..4 {
        let before = looks.borrow().len();
        let asked = search.ask(4).unwrap();
        let after = looks.borrow().len();
        // Of the first round also those that were measured.
        assert_eq!(after - before, CONFIG.per_round + if round == 0 { 8 } else { 0 });
        assert_eq!(asked.proposals.len(), 4);
        let archs: Vec<_> = asked.proposals.into_iter().map(|proposal| proposal.arch).collect();
        assert!(
            archs.iter().all(|arch| looks.borrow().contains_key(&space.key(arch)) && hidden(arch) < 2.25)
        );
        tell(&mut search, archs, 9 + 4 * round, merit);
    }
    assert!(looks.borrow().values().all(|&count| count == 1));
}

#[test]
fn a_restored_search_remembers_its_looks_and_others_refuse_them() {
    let looking = || search(2).looking_cheaply(CONFIG, Box::new(|arch| Some(hidden(arch))));
    let (mut whole, mut told) = (looking(), Vec::new());
    for first in [1, 9] {
        let asked = whole.ask(8).unwrap().proposals.into_iter().map(|proposal| proposal.arch).collect();
        told.extend(tell(&mut whole, asked, first, merit));
    }
    let state = whole.save().unwrap();
    let looks = Rc::new(RefCell::new(0));
    let counted = Rc::clone(&looks);
    let counting = move |arch: &NasBench201Arch| {
        *counted.borrow_mut() += 1;
        Some(hidden(arch))
    };
    let mut again = search(2).looking_cheaply(CONFIG, Box::new(counting));
    again.restore(&state, &told).unwrap();
    assert_eq!(whole.ask(5).unwrap(), again.ask(5).unwrap());
    assert_eq!(*looks.borrow(), CONFIG.per_round, "only new candidates are looked at");
    let refused = |mut search: StructureSearch<NasBench201Space>, state: &[u8], told: &[_], named: &str| {
        let error = search.restore(state, told).unwrap_err();
        assert!(matches!(&error, StrategyError::State { message, .. } if message.contains(named)), "{error}");
    };
    refused(search(2), &state, &told, "cheap labels");
    refused(looking(), &search(2).save().unwrap(), &[], "cheap labels");
    let other = CheapConfig { per_round: 3 };
    refused(search(2).looking_cheaply(other, Box::new(|_| None)), &state, &told, "cheap looks");
}

/// Much of the merit is nothing that structure shows, and the cheap label tells it.
#[test]
fn what_structure_cannot_show_is_found_by_cheap_looks() {
    let contest = Contest {
        limits: RoundLimits { initial: 10, per_round: 5, budget: 60 },
        objective: Objective::validation_accuracy(),
        value: &merit,
        reported: &merit,
        optimum: None,
    };
    let mean_best = |cheap: bool| {
        let best = |seed: u64| {
            let search = search(seed);
            let label = |arch: &NasBench201Arch| Some(hidden(arch));
            let looks = CheapConfig::default();
            let mut search = if cheap { search.looking_cheaply(looks, Box::new(label)) } else { search };
            contest.race(&mut search, seed).unwrap().best[59]
        };
        (1..=10).map(best).sum::<f64>() / 10.0
    };
    let (with, without) = (mean_best(true), mean_best(false));
    assert!(with > without + 0.3, "{with} instead of {without}");
}
