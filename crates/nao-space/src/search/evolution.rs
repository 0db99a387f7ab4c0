//! Regularised evolution: a population in which the oldest dies, whatever its worth (Real, Aggarwal, Huang, Le,
//! AAAI 2019).

use std::collections::VecDeque;

use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::known::Known;
use super::measured::{Measured, check_objective};
use super::saved;
use super::strategy::{Asked, Observation, Origin, Proposal, Stop, Strategy, StrategyError};
use crate::seed::rng_for;
use crate::space::Space;
use crate::trial::Objective;

/// Mutations of one parent before a child may be a mutation of its own failed attempts.
const NEAR_ATTEMPTS: usize = 7;
/// Mutations before a parent counts as surrounded by known architectures.
const ATTEMPTS: usize = 51;

/// Settings of an evolution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvolutionConfig {
    /// Living architectures (P in the paper). As many are drawn at random before the first is bred.
    pub population: usize,
    /// How many of them compete to be a parent (S in the paper).
    pub sample: usize,
}

impl Default for EvolutionConfig {
    /// 30 and 10: for searches of some hundred trials.
    fn default() -> Self {
        EvolutionConfig { population: 30, sample: 10 }
    }
}

impl EvolutionConfig {
    /// 100 and 25: the paper's, for searches of 20,000 trials.
    pub fn paper() -> Self {
        EvolutionConfig { population: 100, sample: 25 }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// Where nobody lives, or more compete than live or fewer than one: names the field, its value and what it may be.
    pub fn check(&self) -> Result<(), InvalidEvolution> {
        let refuse =
            |field, value, least, most| Err(InvalidEvolution { field, value, allowed: (least, most) });
        match self {
            EvolutionConfig { population: 0, .. } => refuse("population", 0, 1, usize::MAX),
            EvolutionConfig { population, sample } if !(1..=*population).contains(sample) => {
                refuse("sample", *sample, 1, *population)
            }
            _ => Ok(()),
        }
    }
}

/// A population that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("evolution: `{field}` is {value}; it must be at least {} and at most {}", .allowed.0, .allowed.1)]
pub struct InvalidEvolution {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: usize,
    /// The least and the largest value it may have.
    pub allowed: (usize, usize),
}

/// The name of the strategy.
const NAME: &str = "evolution";

/// Regularised evolution: each proposal is a mutation of the best of a random sample of the population; each
/// measurement joins the population, and the oldest leaves.
///
/// ```
/// use nao_space::search::{EvolutionConfig, EvolutionSearch, Strategy};
/// use nao_space::CnnSpace;
/// let space = CnnSpace::default();
/// let mut search = EvolutionSearch::new(&space, EvolutionConfig::default(), 1)?;
/// assert_eq!(Strategy::<CnnSpace>::ask(&mut search, 30)?.proposals.len(), 30);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EvolutionSearch<'a, S: Space> {
    space: &'a S,
    config: EvolutionConfig,
    seed: u64,
    state: State<S::Arch>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "A: Serialize", deserialize = "A: serde::de::DeserializeOwned"))]
struct State<A> {
    asks: u64,
    /// Architectures drawn at random so far.
    drawn: usize,
    known: Known,
    objective: Option<Objective>,
    /// The oldest first.
    population: VecDeque<Measured<A>>,
}

impl<A> Default for State<A> {
    fn default() -> Self {
        let (known, population) = (Known::default(), VecDeque::new());
        State { asks: 0, drawn: 0, known, objective: None, population }
    }
}

impl<'a, S: Space> EvolutionSearch<'a, S> {
    /// A search of `space` from a seed.
    ///
    /// # Errors
    /// When the configuration cannot be.
    pub fn new(space: &'a S, config: EvolutionConfig, seed: u64) -> Result<Self, InvalidEvolution> {
        config.check()?;
        Ok(EvolutionSearch { space, config, seed, state: State::default() })
    }

    /// A mutation of the best of a sample that is not known, if one is found.
    fn child(&mut self, rng: &mut ChaCha8Rng) -> Option<Proposal<S::Arch>> {
        let living = self.state.population.len();
        if living == 0 {
            return None;
        }
        let sample = index::sample(rng, living, self.config.sample.min(living));
        let mut sample: Vec<usize> = sample.into_iter().collect();
        sample.sort_unstable();
        // Of equals the older.
        let better = |best: usize, next: usize| {
            if self.state.population[next].merit > self.state.population[best].merit { next } else { best }
        };
        let parent = self.state.population[sample.into_iter().reduce(better)?].clone();
        let mut last = parent.arch.clone();
        for attempt in 0..ATTEMPTS {
            // Where all neighbours seem to be known, further away.
            let from = if attempt < NEAR_ATTEMPTS { &parent.arch } else { &last };
            let child = self.space.mutate(from, rng);
            if self.state.known.learn(self.space, &child) {
                return Some(Proposal { arch: child, origin: Origin::Mutation { parent: parent.trial } });
            }
            last = child;
        }
        None
    }
}

impl<S: Space> Strategy<S> for EvolutionSearch<'_, S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Asked<S::Arch>, StrategyError> {
        let mut rng = rng_for(self.seed, "evolution", self.state.asks);
        self.state.asks += 1;
        let mut asked = Asked { proposals: Vec::new(), stop: None, warnings: Vec::new() };
        while asked.proposals.len() < count {
            let bred = match self.state.drawn < self.config.population {
                true => None,
                false => self.child(&mut rng),
            };
            let proposal = match bred {
                Some(proposal) => Some(proposal),
                None => {
                    self.state.drawn += 1;
                    let drawn = self.state.known.draw(self.space, &mut rng);
                    drawn.map(|arch| Proposal { arch, origin: Origin::Random })
                }
            };
            let Some(proposal) = proposal else {
                asked.stop = Some(Stop::SpaceExhausted);
                break;
            };
            asked.proposals.push(proposal);
        }
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        check_objective(NAME, &mut self.state.objective, observations)?;
        for observation in observations {
            self.state.known.learn(self.space, &observation.arch);
            // The failed are known, and never parents.
            self.state.population.extend(Measured::of(observation));
            while self.state.population.len() > self.config.population {
                self.state.population.pop_front();
            }
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
