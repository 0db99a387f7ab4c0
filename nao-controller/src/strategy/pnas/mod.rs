//! Progressive search: simple architectures first, and of larger ones those that a surrogate expects most of (Liu et al.,
//! ECCV 2018).

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet, VecDeque};

use burn::tensor::Device;
use nao_space::search::saved_state::{check_same, refused};
use nao_space::search::{
    Memory, MemoryState, Observation, Origin, Proposal, Proposals, Strategy, StrategyError,
};
use nao_space::seed::rng_for;
use nao_space::{ArchKey, Growth, Levels, Token, TrialId};
use rand::RngExt;
use rand::seq::SliceRandom;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bundle;
use crate::error::ControllerError;
use crate::language::Language;
use crate::surrogate::{Example, Surrogate, SurrogateConfig};

/// Settings of a progressive search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PnasConfig {
    /// How many architectures are tried per level (K in the paper), and the next level grows from as many.
    pub beam: usize,
    /// At most so many architectures of a level are scored; of more, random ones.
    pub candidates: usize,
    /// What scores them.
    pub surrogate: SurrogateConfig,
}

impl Default for PnasConfig {
    /// A beam of 32: for searches of some hundred trials.
    fn default() -> Self {
        PnasConfig { beam: 32, candidates: 5_000, surrogate: SurrogateConfig::default() }
    }
}

impl PnasConfig {
    /// A beam of 256: the paper's, for searches of 1,160 trials.
    pub fn paper() -> Self {
        PnasConfig { beam: 256, candidates: 1_000_000, ..PnasConfig::default() }
    }

    /// Checks every field; `space` names the space in messages.
    ///
    /// # Errors
    /// Names the first field that cannot be, its value and what it may be.
    pub fn check(&self, space: &str) -> Result<(), ControllerError> {
        for (field, count) in [("beam", self.beam), ("candidates", self.candidates)] {
            if count == 0 {
                let problem = "is 0; it must be at least 1".to_owned();
                return Err(ControllerError::Config { field, problem, space: space.to_owned() });
            }
        }
        self.surrogate.check(space)
    }
}

/// Progressive neural architecture search, over the levels that the space's [`Growth`] says: cells of one node, then of
/// two. An architecture of an early level is a sequence like all others, with placeholders where nothing has been chosen.
///
/// All of the first level are tried, or as many random ones as the beam holds. Then, level by level, whatever grows from
/// the best tried so far is scored by the surrogate, and the best of it are tried. No architecture is proposed before all
/// of the level below were tried: where a level ends within a round, the round has fewer proposals than asked for.
/// The paper ends with the last level; here, as long as more is asked for, further beams of it follow, each chosen by a
/// surrogate that has learned from the one before; where nothing new grows there any more, the levels are gone through
/// again; and in the end random architectures follow.
///
/// Targets of the surrogate are ranks among all measured, from 0 to 1, so that they mean the same for every objective;
/// the paper's are accuracies. Failed trials are left out.
///
/// ```
/// use burn::tensor::Device;
/// use nao_controller::{PnasConfig, PnasSearch};
/// use nao_space::NasBench201Space;
/// use nao_space::search::Strategy;
///
/// let space = NasBench201Space::default();
/// let mut search = PnasSearch::new(space, PnasConfig::default(), 1, Device::flex())?;
/// // Cells with one node of their own: five operations on its one edge.
/// assert_eq!(search.ask(10)?.proposals.len(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PnasSearch<S: Levels> {
    language: Language,
    growth: Growth,
    config: PnasConfig,
    device: Device,
    surrogate: Option<Surrogate>,
    memory: Memory<S>,
    progress: Progress<S::Arch>,
}

/// Where the search stands. What states of version 0.1 have besides, their observations, is skipped.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "A: Serialize", deserialize = "A: DeserializeOwned"))]
struct Progress<A> {
    /// The level of the queue; `None` before the first.
    level: Option<usize>,
    /// Beams begun.
    beams: u64,
    /// What is to be proposed of this beam, in order.
    queue: VecDeque<PendingProposal<A>>,
    /// Proposals of which nothing was told yet.
    waiting: BTreeMap<ArchKey, OpenProposal>,
    /// How what the trials with a finite merit tried had grown.
    #[serde(rename = "tried", serialize_with = "as_list", deserialize_with = "grown_of_any_version")]
    grown: BTreeMap<TrialId, OpenProposal>,
}

/// How trials had grown, as a list.
fn as_list<S: Serializer>(grown: &BTreeMap<TrialId, OpenProposal>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(grown)
}

/// How trials had grown or, as version 0.1 wrote it, that with what they measured.
fn grown_of_any_version<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<TrialId, OpenProposal>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Saved {
        Grown(Vec<(TrialId, OpenProposal)>),
        Tried(Vec<(OpenProposal, TrialId, f64)>),
    }
    Ok(match Saved::deserialize(deserializer)? {
        Saved::Grown(grown) => grown.into_iter().collect(),
        Saved::Tried(tried) => tried.into_iter().map(|(grown, trial, _)| (trial, grown)).collect(),
    })
}

/// An architecture that grew from another.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PendingProposal<A> {
    arch: A,
    /// Earlier states call it a sentence.
    #[serde(alias = "sentence")]
    sequence: Vec<Token>,
    origin: Origin,
}

/// A sequence as it grew.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct OpenProposal {
    /// Earlier states call it a sentence.
    #[serde(alias = "sentence")]
    sequence: Vec<Token>,
    level: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(serialize = "A: Serialize", deserialize = "A: DeserializeOwned"))]
struct State<A> {
    language: Language,
    config: PnasConfig,
    seed: u64,
    progress: Progress<A>,
    fits: Option<u64>,
    #[serde(alias = "random")]
    memory: MemoryState,
}

/// The name of the strategy.
const NAME: &str = "pnas";
/// The header's entry; its number changes with the form of the state.
const ENTRY: &str = "nao-pnas-1";

impl<S: Levels> PnasSearch<S> {
    /// A search of `space` from a seed; the surrogate computes on `device`.
    ///
    /// # Errors
    /// As [`PnasConfig::check`].
    pub fn new(space: S, config: PnasConfig, seed: u64, device: Device) -> Result<Self, ControllerError> {
        config.check(&space.name())?;
        let progress = Progress {
            level: None,
            beams: 0,
            queue: VecDeque::new(),
            waiting: BTreeMap::new(),
            grown: BTreeMap::new(),
        };
        Ok(PnasSearch {
            language: Language::of(&space),
            growth: space.growth(),
            config,
            device,
            surrogate: None,
            memory: Memory::new(space, seed),
            progress,
        })
    }

    /// The level whose architectures are proposed, counted from 0; `None` before the first.
    pub fn level(&self) -> Option<usize> {
        self.progress.level
    }

    /// The next of the beam, unless it became known from elsewhere.
    fn next_of_beam(&mut self) -> Option<Proposal<S::Arch>> {
        let level = self.progress.level?;
        while let Some(PendingProposal { arch, sequence, origin }) = self.progress.queue.pop_front() {
            if self.memory.propose(&arch) {
                self.progress
                    .waiting
                    .insert(self.memory.space().key(&arch), OpenProposal { sequence, level });
                return Some(Proposal { arch, origin });
            }
        }
        None
    }

    /// Begins the next beam: of the next level, or of the last one again, or where nothing new grows there of the first
    /// level at which something does. `false` where there is none.
    fn begin_beam(&mut self) -> Result<bool, StrategyError> {
        let levels = self.growth.levels();
        let next = match self.progress.level {
            None => 0,
            Some(level) => {
                self.learn();
                (level + 1).min(levels.saturating_sub(1))
            }
        };
        for level in (next..levels).chain(0..levels) {
            let beam = self.beam(level)?;
            if !beam.is_empty() {
                self.progress.level = Some(level);
                self.progress.queue = beam.into();
                self.progress.beams += 1;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The surrogate learns from everything tried.
    fn learn(&mut self) {
        let tried: Vec<(&OpenProposal, f64)> = self
            .memory
            .measured()
            .iter()
            .filter_map(|measured| Some((self.progress.grown.get(&measured.trial)?, measured.merit)))
            .collect();
        if tried.is_empty() {
            return;
        }
        let rank = |merit: f64| {
            let worse = tried.iter().filter(|&&(_, other)| other < merit).count() as f64;
            let equal = tried.iter().filter(|&&(_, other)| other == merit).count() as f64;
            (worse + equal / 2.0) / tried.len() as f64
        };
        let examples = tried.iter().map(|&(grown, merit)| Example {
            tokens: self.growth.chosen(&grown.sequence, grown.level + 1),
            target: rank(merit) as f32,
        });
        let examples: Vec<Example> = examples.collect();
        let mut surrogate = self.surrogate.take().unwrap_or_else(|| self.fresh_surrogate());
        surrogate.fit(&examples, &mut rng_for(self.memory.seed(), "pnas fit", self.progress.beams));
        self.surrogate = Some(surrogate);
    }

    fn fresh_surrogate(&self) -> Surrogate {
        let mut rng = rng_for(self.memory.seed(), "pnas weights", 0);
        Surrogate::new(&self.config.surrogate, self.language.vocabulary_len(), &mut rng, &self.device)
    }

    /// What is to be tried of a level, best first.
    fn beam(&self, level: usize) -> Result<Vec<PendingProposal<S::Arch>>, StrategyError> {
        let mut rng = rng_for(self.memory.seed(), "pnas beam", self.progress.beams);
        let mut candidates = self.candidates(level)?;
        // So that equals, as before the first fit, come in random order.
        candidates.shuffle(&mut rng);
        if let Some(surrogate) = self.surrogate.as_ref().filter(|_| !candidates.is_empty()) {
            let sequences: Vec<Vec<Token>> = candidates
                .iter()
                .map(|candidate| self.growth.chosen(&candidate.sequence, level + 1))
                .collect();
            let mut scored: Vec<(f64, PendingProposal<S::Arch>)> =
                surrogate.predict(&sequences).into_iter().zip(candidates).collect();
            scored.sort_by(|a, b| b.0.total_cmp(&a.0));
            candidates = scored.into_iter().map(|(_, candidate)| candidate).collect();
        }
        candidates.truncate(self.config.beam);
        Ok(candidates)
    }

    /// New architectures that grow from the best tried so far.
    fn candidates(&self, level: usize) -> Result<Vec<PendingProposal<S::Arch>>, StrategyError> {
        let parents = self.parents(level);
        let limit = self.config.candidates;
        let Some((first, _)) = parents.first() else { return Ok(Vec::new()) };
        let space = self.memory.space();
        let allowed = |prefix: &[Token]| space.allowed(prefix);
        let mut grown = Vec::new();
        if self.growth.grow(allowed, first, level).len().saturating_mul(parents.len()) <= limit {
            for (sequence, origin) in &parents {
                let all = self.growth.grow(allowed, sequence, level).into_iter();
                grown.extend(all.map(|sequence| (sequence, *origin)));
            }
        } else {
            let mut rng = rng_for(self.memory.seed(), "pnas candidates", self.progress.beams);
            for _ in 0..limit {
                let (sequence, origin) = &parents[rng.random_range(0..parents.len())];
                let one = self.growth.grow_one(allowed, sequence, level, &mut rng);
                grown.extend(one.map(|sequence| (sequence, *origin)));
            }
        }
        let mut seen = HashSet::new();
        let mut candidates = Vec::new();
        for (sequence, origin) in grown {
            let arch = space.decode(&sequence).map_err(|error| StrategyError::Model {
                strategy: NAME.into(),
                message: error.to_string(),
            })?;
            let key = space.key(&arch);
            if !self.memory.knows(&key) && seen.insert(key) {
                candidates.push(PendingProposal { arch, sequence, origin });
            }
        }
        Ok(candidates)
    }

    /// What a level grows from: the best tried so far that differ in earlier levels.
    fn parents(&self, level: usize) -> Vec<(Vec<Token>, Origin)> {
        if level == 0 {
            return vec![(self.growth.placeholder().to_vec(), Origin::Random)];
        }
        let mut seen = HashSet::new();
        let distinct = self.memory.ranked().into_iter().filter_map(|measured| {
            let grown = self.progress.grown.get(&measured.trial)?;
            let is_new = seen.insert(self.growth.chosen(&grown.sequence, level));
            is_new.then(|| (grown.sequence.clone(), Origin::Mutation { parent: measured.trial }))
        });
        distinct.take(self.config.beam).collect()
    }
}

impl<S: Levels> Strategy<S> for PnasSearch<S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let mut asked = Proposals::none();
        while asked.proposals.len() < count {
            if let Some(proposal) = self.next_of_beam() {
                asked.proposals.push(proposal);
            } else if !self.progress.waiting.is_empty() {
                // What comes next depends on what these measure.
                break;
            } else if !self.begin_beam()? {
                self.memory.fill_up(&mut asked, count);
                break;
            }
        }
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let new = self.memory.tell(NAME, observations)?;
        for measured in &self.memory.measured()[new] {
            let grown = self.progress.waiting.remove(&measured.key);
            self.progress.grown.extend(grown.map(|grown| (measured.trial, grown)));
        }
        let open = self.memory.open();
        self.progress.waiting.retain(|key, _| open.contains(key));
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        let state = State {
            language: self.language.clone(),
            config: self.config.clone(),
            seed: self.memory.seed(),
            progress: self.progress.clone(),
            fits: self.surrogate.as_ref().map(Surrogate::fits),
            memory: self.memory.state(),
        };
        let floats = self.surrogate.as_ref().map(Surrogate::save).unwrap_or_default();
        bundle::to_bytes(ENTRY, &state, &floats).map_err(unreadable)
    }

    fn restore(&mut self, bytes: &[u8], told: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let saved: bundle::Bundle<State<S::Arch>> = bundle::from_bytes(ENTRY, bytes).map_err(unreadable)?;
        let state = saved.header;
        check_same(NAME, "space", &state.language.space, &self.language.space)?;
        check_same(NAME, "language", &state.language, &self.language)?;
        check_same(NAME, "settings", &state.config, &self.config)?;
        check_same(NAME, "seed", &state.seed, &self.memory.seed())?;
        let memory = self.memory.restored(NAME, state.memory, told)?;
        let surrogate = match state.fits {
            None => None,
            Some(fits) => {
                let mut surrogate = self.fresh_surrogate();
                let restored = surrogate.restore(fits, &saved.floats);
                restored.map_err(|error| unreadable(error.to_string()))?;
                Some(surrogate)
            }
        };
        self.memory = memory;
        self.surrogate = surrogate;
        self.progress = state.progress;
        Ok(())
    }
}

fn unreadable(message: String) -> StrategyError {
    refused(NAME, message)
}
