//! Local search: from a random architecture to better neighbours until there is none, then from another one.

use std::collections::VecDeque;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::known::Known;
use super::measured::{Measured, check_objective};
use super::saved;
use super::strategy::{Asked, Observation, Origin, Proposal, Stop, Strategy, StrategyError};
use crate::seed::rng_for;
use crate::space::Space;
use crate::trial::Objective;

/// The name of the strategy.
const NAME: &str = "local";

/// Spellings of an architecture whose neighbours are looked at: a part that does nothing in one of them may be a
/// neighbour's way to something in another.
const SPELLINGS: usize = 8;

/// Hill climbing: neighbours are tried in random order, the first better one is moved to. Where several are asked for at
/// once, the best of those that are better.
///
/// ```
/// use nao_space::search::{LocalSearch, Strategy};
/// use nao_space::CnnSpace;
/// let space = CnnSpace::default();
/// let mut search = LocalSearch::new(&space, 1);
/// assert_eq!(Strategy::<CnnSpace>::ask(&mut search, 1)?.proposals.len(), 1);
/// # Ok::<(), nao_space::search::StrategyError>(())
/// ```
pub struct LocalSearch<'a, S: Space> {
    space: &'a S,
    seed: u64,
    state: State<S::Arch>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "A: Serialize", deserialize = "A: serde::de::DeserializeOwned"))]
struct State<A> {
    asks: u64,
    known: Known,
    objective: Option<Objective>,
    /// Where the search stands; `None` before the first measurement and behind a summit.
    at: Option<Measured<A>>,
    /// Neighbours that are still to be tried.
    open: VecDeque<A>,
}

impl<'a, S: Space> LocalSearch<'a, S> {
    /// A search of `space` from a seed.
    pub fn new(space: &'a S, seed: u64) -> Self {
        let (known, open) = (Known::default(), VecDeque::new());
        LocalSearch { space, seed, state: State { asks: 0, known, objective: None, at: None, open } }
    }

    /// Stands at an architecture, with its neighbours in random order.
    fn stand_at(&mut self, at: Measured<S::Arch>, rng: &mut ChaCha8Rng) {
        let mut neighbours = self.space.neighbours(&at.arch);
        for _ in 1..SPELLINGS {
            let spelled = self.space.respell(&at.arch, rng);
            if spelled != at.arch {
                neighbours.extend(self.space.neighbours(&spelled));
            }
        }
        neighbours.shuffle(rng);
        self.state.open = neighbours.into();
        self.state.at = Some(at);
    }

    /// The next neighbour that is not known.
    fn neighbour(&mut self) -> Option<Proposal<S::Arch>> {
        let parent = self.state.at.as_ref()?.trial;
        while let Some(arch) = self.state.open.pop_front() {
            if self.state.known.learn(self.space, &arch) {
                return Some(Proposal { arch, origin: Origin::Mutation { parent } });
            }
        }
        None
    }
}

impl<S: Space> Strategy<S> for LocalSearch<'_, S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Asked<S::Arch>, StrategyError> {
        let mut rng = rng_for(self.seed, "local search", self.state.asks);
        self.state.asks += 1;
        let mut asked = Asked { proposals: Vec::new(), stop: None, warnings: Vec::new() };
        while asked.proposals.len() < count {
            if let Some(proposal) = self.neighbour() {
                asked.proposals.push(proposal);
                continue;
            }
            // A summit, or nowhere yet: another start, once its neighbours so far are told.
            if self.state.at.is_some() && !asked.proposals.is_empty() {
                break;
            }
            self.state.at = None;
            let Some(arch) = self.state.known.draw(self.space, &mut rng) else {
                asked.stop = Some(Stop::SpaceExhausted);
                break;
            };
            asked.proposals.push(Proposal { arch, origin: Origin::Random });
        }
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        check_objective(NAME, &mut self.state.objective, observations)?;
        let mut rng = rng_for(self.seed, "local search neighbours", self.state.asks);
        for observation in observations {
            self.state.known.learn(self.space, &observation.arch);
        }
        let measured = observations.iter().filter_map(Measured::of);
        // Of equals the earlier.
        let best = measured.reduce(|best, next| if next.merit > best.merit { next } else { best });
        if let Some(best) = best
            && self.state.at.as_ref().is_none_or(|at| best.merit > at.merit)
        {
            self.stand_at(best, &mut rng);
        }
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        saved::to_bytes(NAME, &self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StrategyError> {
        self.state = saved::from_bytes(NAME, state)?;
        Ok(())
    }
}
