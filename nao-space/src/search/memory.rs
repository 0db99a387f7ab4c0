//! What a search has proposed and was told: the memory that every strategy stands on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::saved_state::refused;
use super::strategy::{Observation, Origin, Proposal, Proposals, Stop, StrategyError};
use crate::language::{ArchKey, Space, Token};
use crate::seed::rng_for;
use crate::trial::{Objective, TrialId};

/// Draws in a row that may all be known before the space counts as exhausted, over the number known.
const PATIENCE_PER_KNOWN: usize = 50;
const PATIENCE: usize = 1_000;

/// An architecture with a finite value, as a search remembers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured<A> {
    /// The trial that measured it.
    pub trial: TrialId,
    /// What was tried.
    pub arch: A,
    /// Its sequence, in the spelling in which it was tried.
    pub sequence: Vec<Token>,
    /// Its name, whatever the spelling.
    pub key: ArchKey,
    /// The value.
    pub value: f64,
    /// The value, turned so that larger is better.
    pub merit: f64,
}

/// What a strategy remembers of its search: the space, everything proposed, everything told.
///
/// Each observation is measured, encoded and keyed once, when it is told. A strategy over a memory is a rule that makes
/// proposals of it, and a small state of its own: observations are no part of a saved state, for whoever restores a
/// strategy tells it what was told before.
///
/// ```
/// use nao_space::search::{Memory, MemoryState, Observation};
/// use nao_space::{NasBench201Space, Objective, Space, TrialId};
///
/// let mut memory = Memory::new(NasBench201Space::default(), 1);
/// let drawn = memory.fill(3).proposals;
/// let told: Vec<_> = drawn.iter().zip([0.5, 0.9, 0.7]).zip(1..).map(|((proposal, value), trial)| Observation {
///     trial: TrialId(trial),
///     arch: proposal.arch.clone(),
///     objective: Objective::validation_accuracy(),
///     value: Some(value),
/// }).collect();
/// memory.tell("mine", &told)?;
/// assert_eq!(memory.parents(2)[0].merit, 0.9);
/// assert!(!memory.propose(&drawn[0].arch), "it was proposed before");
///
/// // The neighbours of the best that are new.
/// let neighbours = memory.space().neighbours(&memory.parents(1)[0].arch);
/// let new: Vec<_> = neighbours.into_iter().filter(|arch| memory.propose(arch)).collect();
/// assert!(new.len() >= 20);
///
/// // What is saved holds no observation.
/// let saved: MemoryState = memory.state();
/// let again = memory.restored("mine", saved, &told)?;
/// assert_eq!((again.measured().len(), again.state()), (3, memory.state()));
/// # Ok::<(), nao_space::search::StrategyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Memory<S: Space> {
    space: S,
    seed: u64,
    /// Calls of `fill`.
    draws: u64,
    /// Of everything ever proposed or told. Sorted, like `open`, so that equal memories have equal states.
    known: BTreeSet<ArchKey>,
    /// Of proposals of which nothing was told yet.
    open: BTreeSet<ArchKey>,
    objective: Option<Objective>,
    told: usize,
    measured: Vec<Measured<S::Arch>>,
    /// Where the last measurement of a key stands among them.
    places: HashMap<ArchKey, usize>,
}

/// What is saved of a memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedMemory")]
pub struct MemoryState {
    draws: u64,
    open: BTreeSet<ArchKey>,
    /// How much had been told; unknown of states of version 0.1.
    told: Option<usize>,
}

/// A state as it may stand in a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum SavedMemory {
    /// With the names of version 0.1 as well, where all keys were saved.
    State {
        #[serde(default, alias = "asks")]
        draws: u64,
        #[serde(alias = "known")]
        open: BTreeSet<ArchKey>,
        #[serde(default)]
        told: Option<usize>,
    },
    /// The state of a random search as bytes, as strategies of version 0.1 kept it.
    Bytes(Vec<u8>),
}

impl TryFrom<SavedMemory> for MemoryState {
    type Error = serde_json::Error;

    fn try_from(saved: SavedMemory) -> Result<Self, serde_json::Error> {
        match saved {
            SavedMemory::State { draws, open, told } => Ok(MemoryState { draws, open, told }),
            SavedMemory::Bytes(bytes) => serde_json::from_slice(&bytes),
        }
    }
}

impl<S: Space> Memory<S> {
    /// The memory of a search of `space` that has not begun. Random draws depend on the seed.
    pub fn new(space: S, seed: u64) -> Self {
        Memory {
            space,
            seed,
            draws: 0,
            known: BTreeSet::new(),
            open: BTreeSet::new(),
            objective: None,
            told: 0,
            measured: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// The space that is searched.
    pub fn space(&self) -> &S {
        &self.space
    }

    /// The seed of the search.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What is measured; `None` before something was told.
    pub fn objective(&self) -> Option<&Objective> {
        self.objective.as_ref()
    }

    /// Number of observations, failed trials included.
    pub fn told(&self) -> usize {
        self.told
    }

    /// Observations with a finite value, in order of telling.
    pub fn measured(&self) -> &[Measured<S::Arch>] {
        &self.measured
    }

    /// Their merits.
    pub fn merits(&self) -> Vec<f64> {
        self.measured.iter().map(|measured| measured.merit).collect()
    }

    /// What a trial measured; `None` of a failed or unknown one.
    pub fn of_trial(&self, trial: TrialId) -> Option<&Measured<S::Arch>> {
        self.measured.iter().rev().find(|measured| measured.trial == trial)
    }

    /// What was measured last of the architecture of that key.
    pub fn of_key(&self, key: &ArchKey) -> Option<&Measured<S::Arch>> {
        self.places.get(key).map(|&place| &self.measured[place])
    }

    /// Whether an architecture of that key was ever proposed or told.
    pub fn knows(&self, key: &ArchKey) -> bool {
        self.known.contains(key)
    }

    /// Keys of proposals of which nothing was told yet.
    pub fn open(&self) -> &BTreeSet<ArchKey> {
        &self.open
    }

    /// Remembers an architecture as proposed; `false` if it was known before, in whatever spelling.
    pub fn propose(&mut self, arch: &S::Arch) -> bool {
        let key = self.space.key(arch);
        let is_new = self.known.insert(key.clone());
        if is_new {
            self.open.insert(key);
        }
        is_new
    }

    /// Draws a new architecture from the space and remembers it as proposed. `None` when so many draws in a row were known
    /// that the space counts as exhausted.
    pub fn draw(&mut self, rng: &mut ChaCha8Rng) -> Option<S::Arch> {
        let mut draws = 0..=PATIENCE + PATIENCE_PER_KNOWN * self.known.len();
        draws.find_map(|_| {
            let arch = self.space.sample(rng);
            self.propose(&arch).then_some(arch)
        })
    }

    /// Up to `count` new architectures from the space; fewer only where it is exhausted.
    pub fn fill(&mut self, count: usize) -> Proposals<S::Arch> {
        let mut rng = rng_for(self.seed, "random search", self.draws);
        self.draws += 1;
        let mut filling = Proposals::none();
        while filling.proposals.len() < count {
            let Some(arch) = self.draw(&mut rng) else {
                filling.stop = Some(Stop::SpaceExhausted);
                break;
            };
            filling.proposals.push(Proposal { arch, origin: Origin::Random });
        }
        filling
    }

    /// Adds random architectures to proposals until there are `count`; how many it added.
    pub fn fill_up(&mut self, proposals: &mut Proposals<S::Arch>, count: usize) -> usize {
        let found = proposals.proposals.len();
        if found >= count {
            return 0;
        }
        let filling = self.fill(count - found);
        proposals.stop = filling.stop;
        proposals.proposals.extend(filling.proposals);
        proposals.proposals.len() - found
    }

    /// Everything measured, best first; of equals the earlier trial first.
    pub fn ranked(&self) -> Vec<&Measured<S::Arch>> {
        let mut ranked: Vec<&Measured<S::Arch>> = self.measured.iter().collect();
        ranked.sort_by(|a, b| b.merit.total_cmp(&a.merit).then(a.trial.cmp(&b.trial)));
        ranked
    }

    /// The best `count` measured architectures, each once, in the order of [`ranked`](Memory::ranked).
    pub fn parents(&self, count: usize) -> Vec<&Measured<S::Arch>> {
        let mut seen = HashSet::new();
        self.ranked().into_iter().filter(|measured| seen.insert(&measured.key)).take(count).collect()
    }

    /// Remembers outcomes, and says where those with a finite value stand in [`measured`](Memory::measured).
    ///
    /// # Errors
    /// [`StrategyError::Model`] in the name of `strategy` at the first observation of another objective than the first;
    /// then nothing is remembered.
    pub fn tell(
        &mut self,
        strategy: &str,
        observations: &[Observation<S::Arch>],
    ) -> Result<Range<usize>, StrategyError> {
        let first = self.objective.as_ref().or(observations.first().map(|told| &told.objective)).cloned();
        if let Some(first) = &first
            && let Some(other) = observations.iter().find(|told| told.objective != *first)
        {
            let message =
                format!("told of two objectives, {first:?} and {:?}; a search has one", other.objective);
            return Err(StrategyError::Model { strategy: strategy.to_owned(), message });
        }
        self.objective = first;
        self.told += observations.len();
        let before = self.measured.len();
        for observation in observations {
            self.remember(observation);
        }
        Ok(before..self.measured.len())
    }

    fn remember(&mut self, observation: &Observation<S::Arch>) {
        let key = self.space.key(&observation.arch);
        self.open.remove(&key);
        self.known.insert(key.clone());
        if let (Some(merit), Some(value)) = (observation.merit(), observation.value) {
            self.places.insert(key.clone(), self.measured.len());
            self.measured.push(Measured {
                trial: observation.trial,
                arch: observation.arch.clone(),
                sequence: self.space.encode(&observation.arch),
                key,
                value,
                merit,
            });
        }
    }

    /// What is saved: all but the observations.
    pub fn state(&self) -> MemoryState {
        MemoryState { draws: self.draws, open: self.open.clone(), told: Some(self.told) }
    }

    /// The memory of the same search when `state` was saved, with `told`, everything that it had been told by then.
    ///
    /// # Errors
    /// In the name of `strategy`, when `told` is not as long as it was or has several objectives.
    pub fn restored(
        &self,
        strategy: &str,
        state: MemoryState,
        told: &[Observation<S::Arch>],
    ) -> Result<Self, StrategyError> {
        if let Some(expected) = state.told.filter(|&expected| expected != told.len()) {
            let found = told.len();
            let message = format!(
                "it was saved after {expected} observations; {found} are told with it: tell the same"
            );
            return Err(refused(strategy, message));
        }
        let mut memory = Memory { draws: state.draws, ..Memory::new(self.space.clone(), self.seed) };
        memory.known = state.open.clone();
        memory.open = state.open;
        memory.tell(strategy, told)?;
        Ok(memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::laws::observe;
    use crate::spaces::NasBench201Space;

    fn memory() -> Memory<NasBench201Space> {
        Memory::new(NasBench201Space::default(), 3)
    }

    #[test]
    fn parents_are_the_best_each_once_and_of_equals_the_earlier() {
        let mut memory = memory();
        let asked = memory.fill(5);
        let mut values = [Some(0.5), Some(0.7), None, Some(0.7), Some(f64::NAN)].into_iter();
        let mut told = observe(&asked, 0, |_| values.next().unwrap());
        // Told twice, the second time better.
        told.push(Observation { trial: TrialId(6), value: Some(0.8), ..told[0].clone() });
        assert_eq!(memory.tell("test", &told).unwrap(), 0..4);
        let trials = |found: Vec<&Measured<_>>| found.iter().map(|m| m.trial.0).collect::<Vec<_>>();
        assert_eq!(trials(memory.ranked()), [6, 2, 4, 1]);
        assert_eq!(trials(memory.parents(9)), [6, 2, 4]);
        assert_eq!((memory.told(), memory.open().len()), (6, 0));
        assert!(memory.knows(&memory.space().key(&asked.proposals[2].arch)), "failed trials are known");
        assert!(memory.of_trial(TrialId(3)).is_none() && memory.of_trial(TrialId(4)).is_some());
    }

    #[test]
    fn another_objective_is_refused_and_nothing_of_it_is_remembered() {
        let mut memory = memory();
        let asked = memory.fill(2);
        let mut told = observe(&asked, 0, |_| Some(0.5));
        told[1].objective = Objective { name: "latency".into(), ..Objective::validation_accuracy() };
        let message = memory.tell("test", &told).unwrap_err().to_string();
        assert!(message.contains("`test`") && message.contains("latency"), "{message}");
        assert_eq!((memory.told(), memory.open().len()), (0, 2));
    }

    #[test]
    fn a_state_holds_open_proposals_alone_and_needs_all_that_was_told() {
        let mut memory = memory();
        let told = observe(&memory.fill(20), 0, |_| Some(0.5));
        memory.tell("test", &told).unwrap();
        memory.fill(2);
        let bytes = serde_json::to_vec(&memory.state()).unwrap();
        assert!(bytes.len() < 250, "{}", String::from_utf8_lossy(&bytes));
        let state: MemoryState = serde_json::from_slice(&bytes).unwrap();
        let mut restored = memory.restored("test", state.clone(), &told).unwrap();
        assert_eq!(restored.fill(5), memory.fill(5));
        let message = memory.restored("test", state, &told[1..]).unwrap_err().to_string();
        assert!(message.contains("20 observations; 19"), "{message}");
    }

    #[test]
    fn states_of_version_0_1_are_read() {
        let mut memory = memory();
        let told = observe(&memory.fill(4), 0, |_| Some(0.5));
        memory.tell("test", &told).unwrap();
        memory.fill(2);
        let old = serde_json::json!({ "asks": 2, "known": memory.known });
        let bytes = serde_json::to_vec(&old).unwrap();
        for old in [old, serde_json::to_value(bytes).unwrap()] {
            let state: MemoryState = serde_json::from_value(old).unwrap();
            let restored = memory.restored("test", state, &told).unwrap();
            assert_eq!(restored.state(), memory.state());
        }
        for torn in ["{}", "[1, 2]", "[123, 125]"] {
            assert!(serde_json::from_str::<MemoryState>(torn).is_err(), "{torn}");
        }
    }
}
