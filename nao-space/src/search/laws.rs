//! What holds for every [`Strategy`], for their tests (feature `testing`).

use std::collections::HashSet;

use super::strategy::{Observation, Origin, Proposals, Strategy};
use crate::language::Space;
use crate::seed::rng_for;
use crate::trial::{Objective, TrialId};
use rand::RngExt;

/// What was asked for, measured by `value`; `None` is a failed trial. `before` trials were numbered already.
pub fn observe<A: Clone>(
    asked: &Proposals<A>,
    before: usize,
    mut value: impl FnMut(&A) -> Option<f64>,
) -> Vec<Observation<A>> {
    let numbered = asked.proposals.iter().zip(before as u64 + 1..);
    let observations = numbered.map(|(proposal, id)| Observation {
        trial: TrialId(id),
        arch: proposal.arch.clone(),
        objective: Objective::validation_accuracy(),
        value: value(&proposal.arch),
    });
    observations.collect()
}

/// The best value after that many rounds of equal size.
///
/// # Panics
/// When the strategy cannot go on.
pub fn best_of<S: Space>(
    search: &mut dyn Strategy<S>,
    rounds: usize,
    size: usize,
    value: impl Fn(&S::Arch) -> Option<f64>,
) -> f64 {
    let mut best = f64::NEG_INFINITY;
    for round in 0..rounds {
        let asked = search.ask(size).unwrap();
        let observations = observe(&asked, round * size, &value);
        best = observations.iter().filter_map(Observation::merit).fold(best, f64::max);
        search.tell(&observations).unwrap();
    }
    best
}

/// A value that is the same for all spellings: most trials measure something, every sixth or so fails.
fn value<S: Space>(space: &S, arch: &S::Arch) -> Option<f64> {
    let key = space.key(arch).0;
    let mut rng =
        rng_for(key.bytes().fold(0, |sum: u64, byte| sum * 31 % 1_000_003 + u64::from(byte)), "value", 0);
    (rng.random_range(0..6) > 0).then(|| rng.random_range(0..100) as f64 / 100.0)
}

/// Runs searches in rounds of uneven sizes, with failed trials, and checks what [`Strategy`] promises: as many proposals
/// as asked for, none canonically equal to another, parents that measured something, the same from the same seed and
/// after a restoration, something else from another seed.
///
/// # Panics
/// When the strategy breaks a promise.
pub fn hold<S: Space, T: Strategy<S>>(space: &S, make: impl Fn(u64) -> T) {
    check(space, make, |asked, size| assert_eq!(asked, size));
}

/// The same of a strategy that goes level by level, and proposes fewer than asked for where a level ends.
///
/// # Panics
/// When the strategy breaks a promise.
pub fn hold_level_by_level<S: Space, T: Strategy<S>>(space: &S, make: impl Fn(u64) -> T) {
    check(space, make, |asked, size| assert!(asked <= size && (asked > 0 || size == 0), "{asked} of {size}"));
}

fn check<S: Space, T: Strategy<S>>(space: &S, make: impl Fn(u64) -> T, check_size: impl Fn(usize, usize)) {
    const SIZES: [usize; 12] = [10, 1, 5, 5, 1, 1, 0, 17, 2, 5, 30, 3];
    let mut search = make(7);
    let (mut keys, mut failed, mut told) = (HashSet::new(), HashSet::new(), Vec::new());
    for size in SIZES {
        let mut twin = make(7);
        twin.restore(&search.save().unwrap(), &told).unwrap();
        let asked = search.ask(size).unwrap();
        assert_eq!(twin.ask(size).unwrap(), asked, "after a restoration");
        check_size(asked.proposals.len(), size);
        assert_eq!(asked.stop, None);
        for proposal in &asked.proposals {
            assert!(keys.insert(space.key(&proposal.arch)), "{} twice", space.format(&proposal.arch));
            if let Origin::Mutation { parent } | Origin::Ascent { parent, .. } = proposal.origin {
                assert!(parent.0 <= told.len() as u64 && !failed.contains(&parent), "{parent} is no parent");
            }
        }
        let observations = observe(&asked, told.len(), |arch| value(space, arch));
        failed.extend(observations.iter().filter(|told| told.value.is_none()).map(|told| told.trial));
        search.tell(&observations).unwrap();
        twin.tell(&observations).unwrap();
        told.extend(observations);
        assert_eq!(twin.save().unwrap(), search.save().unwrap());
    }
    assert!(!failed.is_empty());
    assert_eq!(make(7).ask(10).unwrap(), make(7).ask(10).unwrap());
    assert_ne!(make(7).ask(10).unwrap(), make(8).ask(10).unwrap());
    assert!(make(7).restore(b"{}", &[]).is_err());
    assert!(
        make(7).restore(&search.save().unwrap(), &told[1..]).is_err(),
        "not all was told that belongs to it"
    );
    // What somebody else tried is known too.
    let mut search = make(9);
    let foreign = make(7).ask(10).unwrap();
    search.tell(&observe(&foreign, 0, |_| Some(0.5))).unwrap();
    let foreign: HashSet<_> = foreign.proposals.iter().map(|proposal| space.key(&proposal.arch)).collect();
    let asked = make(7).ask(10).unwrap();
    let asked_of_told = search.ask(10).unwrap();
    assert!(asked.proposals.iter().all(|proposal| foreign.contains(&space.key(&proposal.arch))));
    assert!(asked_of_told.proposals.iter().all(|proposal| !foreign.contains(&space.key(&proposal.arch))));
}
