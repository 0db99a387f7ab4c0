//! Local search: hill climbing by first improvement, with random restarts (White, Nolen, Savani, UAI 2021).

use std::collections::{BTreeSet, HashSet};

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::measured::{Measured, check_objective};
use super::saved;
use super::seen::SeenSet;
use super::strategy::{Observation, Origin, Proposal, Proposals, Stop, Strategy, StrategyError};
use crate::language::{ArchKey, Space};
use crate::seed::rng_for;
use crate::trial::Objective;

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
/// let mut search = LocalSearch::new(&space, LocalSearchConfig::default(), 1);
/// assert_eq!(search.ask(1)?.proposals.len(), 1);
/// # Ok::<(), nao_space::search::StrategyError>(())
/// ```
pub struct LocalSearch<'a, S: Space> {
    space: &'a S,
    config: LocalSearchConfig,
    seed: u64,
    state: State<S::Arch>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State<A> {
    config: LocalSearchConfig,
    asks: u64,
    known: SeenSet,
    objective: Option<Objective>,
    /// Where the search stands.
    current: Option<Measured<A>>,
    /// Its neighbours that are still to be tried, the next one last; `None` before they were looked for.
    untried: Option<Vec<A>>,
    /// Proposals of which nothing was told yet.
    waiting: BTreeSet<ArchKey>,
    /// Those among them that were drawn at random.
    drawn: BTreeSet<ArchKey>,
    /// The best that was drawn at random since the last move: where to start again.
    start: Option<Measured<A>>,
}

/// The name of the strategy.
const NAME: &str = "local";

/// The better one; of equals the first.
fn better<A>(first: Option<Measured<A>>, second: Measured<A>) -> Option<Measured<A>> {
    match first {
        Some(first) if first.merit >= second.merit => Some(first),
        _ => Some(second),
    }
}

impl<'a, S: Space> LocalSearch<'a, S> {
    /// A search of `space` from a seed.
    pub fn new(space: &'a S, config: LocalSearchConfig, seed: u64) -> Self {
        let state = State {
            config: config.clone(),
            asks: 0,
            known: SeenSet::default(),
            objective: None,
            current: None,
            untried: None,
            waiting: BTreeSet::new(),
            drawn: BTreeSet::new(),
            start: None,
        };
        LocalSearch { space, config, seed, state }
    }

    /// The settings.
    pub fn config(&self) -> &LocalSearchConfig {
        &self.config
    }

    /// The next neighbour, or where there is none a random architecture.
    fn propose(&mut self, rng: &mut ChaCha8Rng) -> Option<Proposal<S::Arch>> {
        let proposal = match self.next_neighbour(rng) {
            Some(neighbour) => neighbour,
            None => {
                let arch = self.state.known.draw(self.space, rng)?;
                self.state.drawn.insert(self.space.key(&arch));
                Proposal { arch, origin: Origin::Random }
            }
        };
        self.state.waiting.insert(self.space.key(&proposal.arch));
        Some(proposal)
    }

    /// The next neighbour of where the search stands that is not known.
    fn next_neighbour(&mut self, rng: &mut ChaCha8Rng) -> Option<Proposal<S::Arch>> {
        let parent = self.state.current.as_ref()?.trial;
        if self.state.untried.is_none() {
            self.state.untried = self.state.current.as_ref().map(|current| self.around(&current.arch, rng));
        }
        let State { untried, known, .. } = &mut self.state;
        // Others may have told of a neighbour since it was looked for.
        let arch =
            std::iter::from_fn(|| untried.as_mut()?.pop()).find(|arch| known.learn(self.space, arch))?;
        Some(Proposal { arch, origin: Origin::Mutation { parent } })
    }

    /// The neighbours of some spellings of an architecture, each architecture once, in random order.
    fn around(&self, arch: &S::Arch, rng: &mut ChaCha8Rng) -> Vec<S::Arch> {
        let mut spellings = vec![arch.clone()];
        for _ in 0..self.config.spellings {
            let spelling = self.space.respell(arch, rng);
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
        let mut keys = HashSet::from([self.space.key(arch)]);
        let all = spellings.iter().flat_map(|spelling| self.space.neighbours(spelling));
        let mut neighbours: Vec<S::Arch> =
            all.filter(|neighbour| keys.insert(self.space.key(neighbour))).collect();
        neighbours.shuffle(rng);
        neighbours
    }

    /// Goes to a better place, or starts again where none is near.
    fn move_on(&mut self, best: Option<Measured<S::Arch>>) {
        let state = &mut self.state;
        let merit = state.current.as_ref().map_or(f64::NEG_INFINITY, |current| current.merit);
        if let Some(best) = best.filter(|best| best.merit > merit) {
            (state.current, state.untried, state.start) = (Some(best), None, None);
            return;
        }
        let all_tried = state.untried.as_ref().is_some_and(Vec::is_empty) && state.waiting.is_empty();
        if all_tried {
            (state.current, state.untried) = (state.start.take(), None);
        }
    }
}

impl<S: Space> Strategy<S> for LocalSearch<'_, S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let mut rng = rng_for(self.seed, "local search", self.state.asks);
        self.state.asks += 1;
        let mut asked = Proposals { proposals: Vec::new(), stop: None, warnings: Vec::new() };
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
        check_objective(NAME, &mut self.state.objective, observations)?;
        let mut best = None;
        for observation in observations {
            let key = self.space.key(&observation.arch);
            self.state.known.learn(self.space, &observation.arch);
            self.state.waiting.remove(&key);
            let was_drawn = self.state.drawn.remove(&key);
            let Some(measured) = Measured::of(observation) else { continue };
            if was_drawn {
                self.state.start = better(self.state.start.take(), measured.clone());
            }
            best = better(best, measured);
        }
        self.move_on(best);
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        saved::to_bytes(NAME, &self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StrategyError> {
        let state: State<S::Arch> = saved::from_bytes(NAME, state)?;
        if state.config != self.config {
            let (theirs, ours) = (&state.config, &self.config);
            return Err(saved::refused(NAME, format!("it was made with {theirs:?}, not {ours:?}")));
        }
        self.state = state;
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

    fn search<S: Space>(space: &S, seed: u64) -> LocalSearch<'_, S> {
        LocalSearch::new(space, LocalSearchConfig::default(), seed)
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
        let mut tell = |search: &mut LocalSearch<'_, _>, value: f64| {
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
            let search = LocalSearch::new(&space, LocalSearchConfig { spellings }, 1);
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
        let mut search = LocalSearch::new(&space, LocalSearchConfig { spellings: 3 }, 1);
        assert!(search.restore(&other).unwrap_err().to_string().contains("spellings: 7"));
    }
}
