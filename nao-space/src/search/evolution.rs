//! Evolution: regularised, in which the oldest of a population dies, whatever its worth (Real, Aggarwal, Huang, Le,
//! AAAI 2019); its rival in which the worst dies; and tournaments in a population that only grows (Liu, Simonyan, Vinyals,
//! Fernando, Kavukcuoglu, ICLR 2018).

use std::cmp::Ordering;
use std::collections::{BTreeSet, VecDeque};

use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::measured::{Measured, check_objective};
use super::saved;
use super::seen::SeenSet;
use super::strategy::{Observation, Origin, Proposal, Proposals, Stop, Strategy, StrategyError};
use crate::language::{ArchKey, Space};
use crate::seed::rng_for;
use crate::trial::Objective;

/// Mutations of one parent before a child may be a mutation of its own failed attempts.
const NEAR_ATTEMPTS: usize = 7;
/// Mutations before a parent counts as surrounded by known architectures.
const ATTEMPTS: usize = 51;

/// Settings of an evolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvolutionConfig {
    /// Living architectures (P in the paper). As many are drawn at random before the first is bred.
    pub population: usize,
    /// How many of them compete to be a parent (S in the paper), at least.
    pub sample: usize,
    /// This share of the living competes, where that is more.
    pub sample_share: f64,
    /// Who leaves when there are more.
    pub removal: Removal,
}

/// Who leaves a population that has become too large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// The oldest, whatever its worth.
    #[default]
    Oldest,
    /// The worst of a sample of the living, drawn as for parents: the variant without aging.
    Worst,
    /// Nobody: the population grows.
    Nobody,
}

impl Default for EvolutionConfig {
    /// 30 and 10: for searches of some hundred trials.
    fn default() -> Self {
        EvolutionConfig { population: 30, sample: 10, sample_share: 0.0, removal: Removal::Oldest }
    }
}

impl EvolutionConfig {
    /// 100 and 25: the paper's, for searches of 20,000 trials.
    pub fn paper() -> Self {
        EvolutionConfig { population: 100, sample: 25, ..EvolutionConfig::default() }
    }

    /// The tournaments of hierarchical evolution: 5 % of the living compete, and nobody leaves. 30 found the population:
    /// for searches of some hundred trials; the paper's 200 are for 7,000.
    pub fn tournaments() -> Self {
        EvolutionConfig {
            sample: 1,
            sample_share: 0.05,
            removal: Removal::Nobody,
            ..EvolutionConfig::default()
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// Where nobody lives, or more compete than live or fewer than one: names the field, its value and what it may be.
    pub fn check(&self) -> Result<(), InvalidEvolution> {
        if self.population == 0 {
            let allowed = "at least 1".to_owned();
            return Err(InvalidEvolution { field: "population", value: "0".to_owned(), allowed });
        }
        if !(0.0..=1.0).contains(&self.sample_share) {
            let (value, allowed) = (self.sample_share.to_string(), "0 to 1".to_owned());
            return Err(InvalidEvolution { field: "sample_share", value, allowed });
        }
        if !(1..=self.population).contains(&self.sample) {
            let allowed = format!("1 to population = {}", self.population);
            return Err(InvalidEvolution { field: "sample", value: self.sample.to_string(), allowed });
        }
        Ok(())
    }

    /// How many of so many living compete.
    fn competitors(&self, living: usize) -> usize {
        let share = (self.sample_share * living as f64).ceil() as usize;
        share.max(self.sample).min(living)
    }
}

/// Settings that no evolution can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` of the evolution is {value}; it must be {allowed}")]
pub struct InvalidEvolution {
    /// The field.
    pub field: &'static str,
    /// What it was.
    pub value: String,
    /// What it may be.
    pub allowed: String,
}

/// Evolution: regularised (aging), without aging, or in growing tournaments, by its [`Removal`].
///
/// The first [`population`](EvolutionConfig::population) architectures are drawn at random. Then each proposal is a child
/// of the best of a [`sample`](EvolutionConfig::sample) of the living; a measured architecture joins the living, and the
/// oldest leaves, or whoever else has to. Failed trials never join.
///
/// A child is one edit of a spelling of its parent that is drawn anew each time, parts without effect included: an edit
/// of a part that lies idle in one spelling may bring it to life in another. Children are canonically new, for a known one
/// would measure nothing; a parent whose surroundings are known has children further away.
///
/// ```
/// use nao_space::CnnSpace;
/// use nao_space::search::{EvolutionConfig, EvolutionSearch, Origin, Strategy};
///
/// let space = CnnSpace::default();
/// let mut search = EvolutionSearch::new(&space, EvolutionConfig::default(), 1)?;
/// let first = search.ask(10)?;
/// assert!(first.proposals.iter().all(|proposal| proposal.origin == Origin::Random));
///
/// let more_than_live = EvolutionConfig { sample: 31, ..EvolutionConfig::default() };
/// let error = EvolutionSearch::new(&space, more_than_live, 1).err().unwrap();
/// assert_eq!(error.to_string(), "`sample` of the evolution is 31; it must be 1 to population = 30");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EvolutionSearch<'a, S: Space> {
    space: &'a S,
    config: EvolutionConfig,
    seed: u64,
    state: State<S::Arch>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State<A> {
    config: EvolutionConfig,
    asks: u64,
    known: SeenSet,
    objective: Option<Objective>,
    /// The living, oldest first.
    population: VecDeque<Measured<A>>,
    /// How many ever lived.
    born: usize,
    /// Proposals of which nothing was told yet.
    waiting: BTreeSet<ArchKey>,
}

/// The name of the strategy.
const NAME: &str = "evolution";

impl<'a, S: Space> EvolutionSearch<'a, S> {
    /// A search of `space` from a seed.
    ///
    /// # Errors
    /// As [`EvolutionConfig::check`].
    pub fn new(space: &'a S, config: EvolutionConfig, seed: u64) -> Result<Self, InvalidEvolution> {
        config.check()?;
        let state = State {
            config: config.clone(),
            asks: 0,
            known: SeenSet::default(),
            objective: None,
            population: VecDeque::new(),
            born: 0,
            waiting: BTreeSet::new(),
        };
        Ok(EvolutionSearch { space, config, seed, state })
    }

    /// The settings.
    pub fn config(&self) -> &EvolutionConfig {
        &self.config
    }

    fn label(&self) -> &'static str {
        match self.config.removal {
            Removal::Oldest => NAME,
            Removal::Worst => "evolution:non-aging",
            Removal::Nobody => "hier-ea",
        }
    }

    /// Makes room for the one that joined last.
    fn remove_one(&mut self) {
        let State { population, born, .. } = &mut self.state;
        match self.config.removal {
            Removal::Nobody => {}
            Removal::Oldest => drop(population.pop_front()),
            Removal::Worst => {
                let mut rng = rng_for(self.seed, "evolution removal", *born as u64);
                let sample =
                    index::sample(&mut rng, population.len(), self.config.competitors(population.len()));
                // Of equals the first drawn.
                let by_merit = |&a: &usize, &b: &usize| {
                    population[a].merit.partial_cmp(&population[b].merit).unwrap_or(Ordering::Equal)
                };
                if let Some(worst) = sample.iter().min_by(by_merit) {
                    population.remove(worst);
                }
            }
        }
    }

    /// Whether the first population is not complete, even if all that is waited for joins it.
    fn is_founding(&self) -> bool {
        let State { population, born, waiting, .. } = &self.state;
        population.is_empty() || born + waiting.len() < self.config.population
    }

    /// A new architecture, bred where there are parents and room around them.
    fn propose(&mut self, rng: &mut ChaCha8Rng) -> Option<Proposal<S::Arch>> {
        let child = if self.is_founding() { None } else { self.child(rng) };
        let proposal = child.or_else(|| {
            let arch = self.state.known.draw(self.space, rng)?;
            Some(Proposal { arch, origin: Origin::Random })
        })?;
        self.state.waiting.insert(self.space.key(&proposal.arch));
        Some(proposal)
    }

    /// A new child of the best of a sample of the living; of equals the first drawn.
    fn child(&mut self, rng: &mut ChaCha8Rng) -> Option<Proposal<S::Arch>> {
        let State { population, known, .. } = &mut self.state;
        let sample = index::sample(rng, population.len(), self.config.competitors(population.len()));
        let rivals = sample.iter().map(|at| &population[at]);
        let parent = rivals.reduce(|best, next| if next.merit > best.merit { next } else { best })?;
        let mut arch = parent.arch.clone();
        for attempt in 0..ATTEMPTS {
            let from = if attempt < NEAR_ATTEMPTS { &parent.arch } else { &arch };
            arch = self.space.mutate(&self.space.respell(from, rng), rng);
            if known.learn(self.space, &arch) {
                return Some(Proposal { arch, origin: Origin::Mutation { parent: parent.trial } });
            }
        }
        None
    }
}

impl<S: Space> Strategy<S> for EvolutionSearch<'_, S> {
    fn name(&self) -> &str {
        self.label()
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let mut rng = rng_for(self.seed, NAME, self.state.asks);
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
        check_objective(self.label(), &mut self.state.objective, observations)?;
        for observation in observations {
            let state = &mut self.state;
            state.known.learn(self.space, &observation.arch);
            state.waiting.remove(&self.space.key(&observation.arch));
            let Some(measured) = Measured::of(observation) else { continue };
            state.population.push_back(measured);
            state.born += 1;
            if state.population.len() > self.config.population {
                self.remove_one();
            }
        }
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        saved::to_bytes(self.label(), &self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StrategyError> {
        let state: State<S::Arch> = saved::from_bytes(self.label(), state)?;
        if state.config != self.config {
            let (theirs, ours) = (&state.config, &self.config);
            return Err(saved::refused(self.label(), format!("it was made with {theirs:?}, not {ours:?}")));
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

    fn small(population: usize, sample: usize) -> EvolutionConfig {
        EvolutionConfig { population, sample, ..EvolutionConfig::default() }
    }

    /// Edges with a 3x3 convolution: nothing has more than six.
    fn convolutions(arch: &NasBench201Arch) -> Option<f64> {
        Some(arch.edges.iter().filter(|&&op| op == EdgeOp::NorConv3x3).count() as f64)
    }

    #[test]
    fn it_obeys_the_laws() {
        let space = CnnSpace::default();
        laws::hold(&space, |seed| EvolutionSearch::new(&space, small(8, 3), seed).unwrap());
        let space = NasBench201Space::default();
        laws::hold(&space, |seed| EvolutionSearch::new(&space, small(8, 3), seed).unwrap());
        for removal in [Removal::Worst, Removal::Nobody] {
            let config = EvolutionConfig { removal, sample_share: 0.2, ..small(8, 3) };
            laws::hold(&space, |seed| EvolutionSearch::new(&space, config.clone(), seed).unwrap());
        }
    }

    /// The living after trials with these values, one at a time.
    fn living(config: EvolutionConfig, values: &[f64]) -> Vec<u64> {
        let space = NasBench201Space::default();
        let mut search = EvolutionSearch::new(&space, config, 1).unwrap();
        for (told, value) in values.iter().enumerate() {
            let asked = search.ask(1).unwrap();
            search.tell(&observe(&asked, told, |_| Some(*value))).unwrap();
        }
        search.state.population.iter().map(|measured| measured.trial.0).collect()
    }

    #[test]
    fn the_oldest_the_worst_or_nobody_leaves() {
        let values = [0.5, 0.1, 0.9, 0.3, 0.7];
        assert_eq!(living(small(3, 3), &values), [3, 4, 5]);
        // All of four compete: 0.1 leaves first, then 0.3.
        let worst = EvolutionConfig { sample_share: 1.0, removal: Removal::Worst, ..small(3, 3) };
        assert_eq!(living(worst, &values), [1, 3, 5]);
        let nobody = EvolutionConfig { removal: Removal::Nobody, ..small(3, 3) };
        assert_eq!(living(nobody, &values), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn tournaments_grow_with_the_population() {
        let config = EvolutionConfig::tournaments();
        assert_eq!(
            [1, 20, 21, 30, 200, 7000].map(|living| config.competitors(living)),
            [1, 1, 2, 2, 10, 350]
        );
        assert_eq!(EvolutionConfig::default().competitors(7), 7);
    }

    #[test]
    fn the_first_population_is_random_and_then_children_are_edits_of_the_living() {
        let space = NasBench201Space::default();
        let mut search = EvolutionSearch::new(&space, small(12, 4), 3).unwrap();
        let mut told = Vec::new();
        let mut origins = Vec::new();
        for _ in 0..10 {
            let asked = search.ask(5).unwrap();
            origins.extend(asked.proposals.iter().map(|proposal| proposal.origin));
            let observations = observe(&asked, told.len(), convolutions);
            search.tell(&observations).unwrap();
            told.extend(observations);
        }
        assert!(origins[..12].iter().all(|origin| *origin == Origin::Random));
        for (index, origin) in origins.iter().enumerate().skip(12) {
            let Origin::Mutation { parent } = origin else { panic!("{origin:?} at {index}") };
            // The living at this ask are the last twelve of those told.
            let told = index as u64 / 5 * 5;
            let oldest = told.saturating_sub(11).max(1);
            assert!((oldest..=told).contains(&parent.0), "{parent} of trial {}", index + 1);
        }
    }

    #[test]
    fn where_all_compete_the_best_of_the_living_is_the_parent() {
        let space = CnnSpace::default();
        let mut search = EvolutionSearch::new(&space, small(4, 4), 1).unwrap();
        let asked = search.ask(4).unwrap();
        let mut values = [0.3, 0.9, 0.1, 0.5].into_iter();
        search.tell(&observe(&asked, 0, |_| values.next())).unwrap();
        let parent = |asked: &Proposals<_>| asked.proposals[0].origin;
        let asked = search.ask(1).unwrap();
        assert_eq!(parent(&asked), Origin::Mutation { parent: TrialId(2) });
        // One joins and the oldest leaves, then the best itself is the oldest and leaves.
        search.tell(&observe(&asked, 4, |_| Some(0.2))).unwrap();
        let asked = search.ask(1).unwrap();
        assert_eq!(parent(&asked), Origin::Mutation { parent: TrialId(2) });
        search.tell(&observe(&asked, 5, |_| Some(0.4))).unwrap();
        assert_eq!(parent(&search.ask(1).unwrap()), Origin::Mutation { parent: TrialId(4) });
    }

    #[test]
    fn it_finds_a_planted_optimum_among_15625_cells() {
        let space = NasBench201Space::default();
        let found = (0..10).filter(|&seed| {
            let mut search = EvolutionSearch::new(&space, EvolutionConfig::default(), seed).unwrap();
            laws::best_of(&mut search, 40, 5, convolutions) == 6.0
        });
        // 200 random cells hold the one optimum in one of 30 searches or so.
        assert!(found.count() >= 9);
        let worst = EvolutionConfig { removal: Removal::Worst, ..EvolutionConfig::default() };
        for config in [worst, EvolutionConfig::tournaments()] {
            let found = (0..10).filter(|&seed| {
                let mut search = EvolutionSearch::new(&space, config.clone(), seed).unwrap();
                laws::best_of(&mut search, 60, 5, convolutions) == 6.0
            });
            assert!(found.count() >= 9, "{config:?}");
        }
    }

    #[test]
    fn a_small_space_is_found_whole_and_then_exhausted() {
        let space = CnnSpace::new(1, OpSet::new("two", [Op::Identity, Op::Zero])).unwrap();
        let mut search = EvolutionSearch::new(&space, small(10, 3), 1).unwrap();
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
    fn settings_that_cannot_be_are_refused() {
        let refused = |config: EvolutionConfig| config.check().unwrap_err().to_string();
        assert!(refused(small(0, 1)).contains("`population` of the evolution is 0; it must be at least 1"));
        assert!(
            refused(small(5, 0)).contains("`sample` of the evolution is 0; it must be 1 to population = 5")
        );
        let share = EvolutionConfig { sample_share: f64::NAN, ..small(5, 2) };
        assert!(refused(share).contains("`sample_share` of the evolution is NaN; it must be 0 to 1"));
        assert_eq!(EvolutionConfig::paper().check(), Ok(()));
        assert_eq!(EvolutionConfig::tournaments().check(), Ok(()));
        assert!(serde_json::from_str::<EvolutionConfig>(r#"{"popluation": 3}"#).is_err());
        let space = CnnSpace::default();
        let other = EvolutionSearch::new(&space, small(4, 2), 1).unwrap().save().unwrap();
        let error = EvolutionSearch::new(&space, small(5, 2), 1).unwrap().restore(&other).unwrap_err();
        assert!(error.to_string().contains("population: 4"), "{error}");
    }
}
