//! Local search: hill climbing by first improvement, with random restarts (White, Nolen, Savani, UAI 2021).

use std::collections::{BTreeSet, HashSet};

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::memory::{Measured, Memory, MemoryState};
use super::saved_state;
use super::strategy::{Observation, Origin, Proposal, Proposals, Stop, Strategy, StrategyError};
use crate::language::{ArchKey, Space};
use crate::seed::rng_for;
use crate::trial::TrialId;

/// Settings of a local search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalSearchConfig {
    /// How many spellings of an architecture are drawn besides its own, so that their neighbours count as its neighbours
    /// too: a part that lies idle in one spelling may be an edit away from life in another.
    pub spellings: usize,
}

impl Default for LocalSearchConfig {
    fn default() -> Self {
        LocalSearchConfig { spellings: 7 }
    }
}

/// Hill climbing.
///
/// Starts from random architectures, as many as the first ask wants, at the best of them. Then proposes the new
/// neighbours of where it stands in random order, and moves as soon as one told is better, to the best of those told at
/// once; asked for one at a time, that is the first improvement. When all neighbours are known and none was better, it
/// starts again at random.
///
/// ```
/// use nao_space::NasBench201Space;
/// use nao_space::search::{LocalSearch, LocalSearchConfig, Strategy};
///
/// let space = NasBench201Space::default();
/// let mut search = LocalSearch::new(space.clone(), LocalSearchConfig::default(), 1);
/// assert_eq!(search.ask(1)?.proposals.len(), 1);
/// # Ok::<(), nao_space::search::StrategyError>(())
/// ```
pub struct LocalSearch<S: Space> {
    config: LocalSearchConfig,
    memory: Memory<S>,
    place: Place<S::Arch>,
}

/// Where a search stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place<A> {
    asks: u64,
    /// The trial at whose architecture it stands.
    #[serde(deserialize_with = "trial_of_any_version")]
    current: Option<TrialId>,
    /// The neighbours that are still to be tried, the next one last; `None` before they were looked for.
    untried: Option<Vec<A>>,
    /// Proposals of which nothing was told yet and that were drawn at random.
    drawn: BTreeSet<ArchKey>,
    /// The best that was drawn at random since the last move: where to start again.
    #[serde(deserialize_with = "trial_of_any_version")]
    start: Option<TrialId>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "A: Serialize", deserialize = "A: DeserializeOwned"))]
struct State<A> {
    config: LocalSearchConfig,
    #[serde(flatten)]
    place: Place<A>,
    #[serde(flatten)]
    memory: MemoryState,
}

/// A trial by its number or, as version 0.1 wrote it, with what it measured.
fn trial_of_any_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TrialId>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Saved {
        Number(TrialId),
        Measured { trial: TrialId },
    }
    let saved = Option::<Saved>::deserialize(deserializer)?;
    Ok(saved.map(|(Saved::Number(trial) | Saved::Measured { trial })| trial))
}

/// The name of the strategy.
const NAME: &str = "local";

/// The better one; of equals the first.
fn better<A>(first: Option<&Measured<A>>, second: &Measured<A>) -> TrialId {
    match first {
        Some(first) if first.merit >= second.merit => first.trial,
        _ => second.trial,
    }
}

impl<S: Space> LocalSearch<S> {
    /// A search of `space` from a seed.
    pub fn new(space: S, config: LocalSearchConfig, seed: u64) -> Self {
        let place = Place { asks: 0, current: None, untried: None, drawn: BTreeSet::new(), start: None };
        LocalSearch { config, memory: Memory::new(space, seed), place }
    }

    /// The settings.
    pub fn config(&self) -> &LocalSearchConfig {
        &self.config
    }

    /// What a trial measured.
    fn measured(&self, trial: Option<TrialId>) -> Option<&Measured<S::Arch>> {
        self.memory.of_trial(trial?)
    }

    /// The next neighbour, or where there is none a random architecture.
    fn propose(&mut self, rng: &mut ChaCha8Rng) -> Option<Proposal<S::Arch>> {
        if let Some(neighbour) = self.next_neighbour(rng) {
            return Some(neighbour);
        }
        let arch = self.memory.draw(rng)?;
        self.place.drawn.insert(self.memory.space().key(&arch));
        Some(Proposal { arch, origin: Origin::Random })
    }

    /// The next neighbour of where the search stands that is not known.
    fn next_neighbour(&mut self, rng: &mut ChaCha8Rng) -> Option<Proposal<S::Arch>> {
        let current = self.measured(self.place.current)?;
        let origin = Origin::Mutation { parent: current.trial };
        if self.place.untried.is_none() {
            self.place.untried = Some(self.around(&current.arch, rng));
        }
        let (untried, memory) = (&mut self.place.untried, &mut self.memory);
        // Others may have told of a neighbour since it was looked for.
        let arch = std::iter::from_fn(|| untried.as_mut()?.pop()).find(|arch| memory.propose(arch))?;
        Some(Proposal { arch, origin })
    }

    /// The neighbours of some spellings of an architecture, each architecture once, in random order.
    fn around(&self, arch: &S::Arch, rng: &mut ChaCha8Rng) -> Vec<S::Arch> {
        let space = self.memory.space();
        let mut spellings = vec![arch.clone()];
        for _ in 0..self.config.spellings {
            let spelling = space.respell(arch, rng);
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
        let mut keys = HashSet::from([space.key(arch)]);
        let all = spellings.iter().flat_map(|spelling| space.neighbours(spelling));
        let mut neighbours: Vec<S::Arch> =
            all.filter(|neighbour| keys.insert(space.key(neighbour))).collect();
        neighbours.shuffle(rng);
        neighbours
    }

    /// Goes to a better place, or starts again where none is near.
    fn move_on(&mut self, best: Option<TrialId>) {
        let merit = self.measured(self.place.current).map_or(f64::NEG_INFINITY, |current| current.merit);
        let is_better = self.measured(best).is_some_and(|best| best.merit > merit);
        let place = &mut self.place;
        if is_better {
            (place.current, place.untried, place.start) = (best, None, None);
            return;
        }
        let all_tried = place.untried.as_ref().is_some_and(Vec::is_empty) && self.memory.open().is_empty();
        if all_tried {
            (place.current, place.untried) = (place.start.take(), None);
        }
    }
}

impl<S: Space> Strategy<S> for LocalSearch<S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let mut rng = rng_for(self.memory.seed(), "local search", self.place.asks);
        self.place.asks += 1;
        let mut asked = Proposals::none();
        while asked.proposals.len() < count {
            let Some(proposal) = self.propose(&mut rng) else {
                asked.stop = Some(Stop::SpaceExhausted);
                break;
            };
            asked.proposals.push(proposal);
        }
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let new = self.memory.tell(NAME, observations)?;
        let mut best = None;
        for measured in &self.memory.measured()[new] {
            if self.place.drawn.contains(&measured.key) {
                self.place.start = Some(better(self.measured(self.place.start), measured));
            }
            best = Some(better(self.measured(best), measured));
        }
        let open = self.memory.open();
        self.place.drawn.retain(|key| open.contains(key));
        self.move_on(best);
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        let (config, place) = (self.config.clone(), self.place.clone());
        saved_state::to_bytes(NAME, &State { config, place, memory: self.memory.state() })
    }

    fn restore(&mut self, state: &[u8], told: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let state: State<S::Arch> = saved_state::from_bytes(NAME, state)?;
        saved_state::check_same(NAME, "settings", &state.config, &self.config)?;
        let memory = self.memory.restored(NAME, state.memory, told)?;
        for trial in [state.place.current, state.place.start].into_iter().flatten() {
            if memory.of_trial(trial).is_none() {
                let message = format!("it stands at trial {trial}, which is not among the observations told");
                return Err(saved_state::refused(NAME, message));
            }
        }
        (self.memory, self.place) = (memory, state.place);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws::{self, observe};
    use super::*;
    use crate::image::{Op, OpSet};
    use crate::spaces::{CnnSpace, EdgeOp, NasBench201Arch, NasBench201Space};
    use crate::trial::TrialId;

    fn search<S: Space>(space: &S, seed: u64) -> LocalSearch<S> {
        LocalSearch::new(space.clone(), LocalSearchConfig::default(), seed)
    }

    #[test]
    fn it_obeys_the_laws() {
        let space = CnnSpace::default();
        laws::hold(&space, |seed| search(&space, seed));
        let space = NasBench201Space::default();
        laws::hold(&space, |seed| search(&space, seed));
    }

    #[test]
    fn one_at_a_time_it_moves_at_the_first_improvement() {
        let space = NasBench201Space::default();
        let mut search = search(&space, 2);
        let values = [0.5, 0.4, 0.5, 0.6, 0.1, 0.7, 0.2];
        let origins = values.iter().enumerate().map(|(before, &value)| {
            let asked = search.ask(1).unwrap();
            search.tell(&observe(&asked, before, |_| Some(value))).unwrap();
            asked.proposals[0].origin
        });
        let parents: Vec<Option<u64>> = origins
            .map(|origin| match origin {
                Origin::Mutation { parent } => Some(parent.0),
                _ => None,
            })
            .collect();
        assert_eq!(parents, [None, Some(1), Some(1), Some(1), Some(4), Some(4), Some(6)]);
    }

    #[test]
    fn several_at_a_time_it_moves_to_the_best_of_them() {
        let space = NasBench201Space::default();
        let mut search = search(&space, 2);
        let mut round = |before: usize, values: [f64; 3]| {
            let asked = search.ask(3).unwrap();
            let mut values = values.into_iter();
            search.tell(&observe(&asked, before, |_| values.next())).unwrap();
            asked.proposals.into_iter().map(|proposal| proposal.origin).collect::<Vec<_>>()
        };
        assert_eq!(round(0, [0.1, 0.3, 0.2]), [Origin::Random; 3]);
        assert_eq!(round(3, [0.4, 0.6, 0.5]), [Origin::Mutation { parent: TrialId(2) }; 3]);
        assert_eq!(round(6, [0.4, 0.6, 0.5]), [Origin::Mutation { parent: TrialId(5) }; 3]);
        assert_eq!(round(9, [0.4, 0.7, 0.8]), [Origin::Mutation { parent: TrialId(5) }; 3]);
        assert_eq!(round(12, [0.4, 0.7, 0.8])[0], Origin::Mutation { parent: TrialId(12) });
    }

    #[test]
    fn where_no_neighbour_is_better_it_starts_again() {
        let space = NasBench201Space::default();
        let mut search = search(&space, 4);
        let mut before = 0;
        let mut tell = |search: &mut LocalSearch<_>, value: f64| {
            let asked = search.ask(1).unwrap();
            search.tell(&observe(&asked, before, |_| Some(value))).unwrap();
            before += 1;
            (asked.proposals[0].origin, before as u64)
        };
        assert_eq!(tell(&mut search, 0.9).0, Origin::Random);
        let around = (0..).find(|_| tell(&mut search, 0.5).0 == Origin::Random).unwrap();
        // At least four other operations on each of six edges that are all alive, at most those of eight spellings.
        assert!((8..=8 * 24).contains(&around), "{around}");
        // The new start is where it stands, worse as it is.
        let (origin, trial) = tell(&mut search, 0.4);
        assert_eq!(origin, Origin::Mutation { parent: TrialId(trial - 1) });
    }

    #[test]
    fn failed_starts_are_drawn_again() {
        let space = CnnSpace::default();
        let mut search = search(&space, 1);
        for round in 0..3 {
            let asked = search.ask(2).unwrap();
            assert!(asked.proposals.iter().all(|proposal| proposal.origin == Origin::Random));
            search.tell(&observe(&asked, 2 * round, |_| None)).unwrap();
        }
    }

    #[test]
    fn other_spellings_widen_the_neighbourhood() {
        let space = NasBench201Space::default();
        // Nothing reaches node 1, so the edges that leave it are idle and may have any operation in another spelling,
        // which an edit of the edge into it then brings to life.
        let arch =
            space.parse("|none~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|").unwrap();
        let count = |spellings| {
            let search = LocalSearch::new(space.clone(), LocalSearchConfig { spellings }, 1);
            search.around(&arch, &mut rng_for(1, "test", 0)).len()
        };
        assert!(count(7) > count(0), "{} {}", count(7), count(0));
    }

    #[test]
    fn it_finds_a_planted_optimum_among_15625_cells() {
        let space = NasBench201Space::default();
        let value = |arch: &NasBench201Arch| {
            Some(arch.edges.iter().filter(|&&op| op == EdgeOp::NorConv3x3).count() as f64)
        };
        for seed in 0..10 {
            // Each move leaves at most 48 neighbours to try, and six moves lead there from anywhere.
            assert_eq!(laws::best_of(&mut search(&space, seed), 40, 5, value), 6.0);
        }
    }

    #[test]
    fn a_small_space_is_found_whole_and_then_exhausted() {
        let space = CnnSpace::new(1, OpSet::new("two", [Op::Identity, Op::Zero])).unwrap();
        let mut search = search(&space, 1);
        let mut found = 0;
        loop {
            let asked = search.ask(7).unwrap();
            search.tell(&observe(&asked, found, |_| Some(0.5))).unwrap();
            found += asked.proposals.len();
            if asked.proposals.len() < 7 {
                assert_eq!(asked.stop, Some(Stop::SpaceExhausted));
                break;
            }
        }
        assert_eq!(found, 100);
    }

    #[test]
    fn a_state_of_other_settings_is_refused() {
        let space = CnnSpace::default();
        let other = search(&space, 1).save().unwrap();
        let mut search = LocalSearch::new(space.clone(), LocalSearchConfig { spellings: 3 }, 1);
        assert!(search.restore(&other, &[]).unwrap_err().to_string().contains("\"spellings\":7"));
    }
}
