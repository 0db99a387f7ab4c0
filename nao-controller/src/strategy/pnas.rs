//! Progressive search: simple architectures first, and of larger ones those that a surrogate expects most of (Liu et al.,
//! ECCV 2018).

use std::collections::{BTreeMap, HashSet, VecDeque};

use burn::tensor::Device;
use nao_space::search::{
    Observation, Origin, Proposal, Proposals, RandomSearch, Strategy, StrategyError, check_objective,
};
use nao_space::seed::rng_for;
use nao_space::{ArchKey, Growth, Objective, Space, Token, TrialId};
use rand::RngExt;
use rand::seq::SliceRandom;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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
/// let mut search = PnasSearch::new(&space, PnasConfig::default(), 1, Device::flex())?;
/// // Cells with one node of their own: five operations on its one edge.
/// assert_eq!(search.ask(10)?.proposals.len(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PnasSearch<'a, S: Space> {
    space: &'a S,
    language: Language,
    growth: Growth,
    config: PnasConfig,
    seed: u64,
    device: Device,
    surrogate: Option<Surrogate>,
    /// Draws architectures, and knows every one ever proposed or told.
    random: RandomSearch<'a, S>,
    progress: Progress<S::Arch>,
}

/// Where the search stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Proposals with a finite merit, in order of telling.
    tried: Vec<(OpenProposal, TrialId, f64)>,
    objective: Option<Objective>,
}

/// An architecture that grew from another.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PendingProposal<A> {
    arch: A,
    sequence: Vec<Token>,
    origin: Origin,
}

/// A sequence as it grew.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct OpenProposal {
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
    random: Vec<u8>,
}

/// The name of the strategy.
const NAME: &str = "pnas";
/// The header's entry; its number changes with the form of the state.
const ENTRY: &str = "nao-pnas-1";

impl<'a, S: Space> PnasSearch<'a, S> {
    /// A search of `space` from a seed; the surrogate computes on `device`.
    ///
    /// # Errors
    /// As [`PnasConfig::check`].
    pub fn new(space: &'a S, config: PnasConfig, seed: u64, device: Device) -> Result<Self, ControllerError> {
        config.check(&space.name())?;
        Ok(PnasSearch {
            space,
            language: Language::of(space),
            growth: space.growth(),
            config,
            seed,
            device,
            surrogate: None,
            random: RandomSearch::new(space, seed),
            progress: Progress {
                level: None,
                beams: 0,
                queue: VecDeque::new(),
                waiting: BTreeMap::new(),
                tried: Vec::new(),
                objective: None,
            },
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
            if self.random.learn(&arch) {
                self.progress.waiting.insert(self.space.key(&arch), OpenProposal { sequence, level });
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
        let tried = &self.progress.tried;
        if tried.is_empty() {
            return;
        }
        let merits: Vec<f64> = tried.iter().map(|(_, _, merit)| *merit).collect();
        let rank = |merit: f64| {
            let worse = merits.iter().filter(|&&other| other < merit).count() as f64;
            let equal = merits.iter().filter(|&&other| other == merit).count() as f64;
            (worse + equal / 2.0) / merits.len() as f64
        };
        let examples = tried.iter().map(|(tried, _, merit)| Example {
            tokens: self.growth.chosen(&tried.sequence, tried.level + 1),
            target: rank(*merit) as f32,
        });
        let examples: Vec<Example> = examples.collect();
        let mut surrogate = self.surrogate.take().unwrap_or_else(|| self.fresh_surrogate());
        surrogate.fit(&examples, &mut rng_for(self.seed, "pnas fit", self.progress.beams));
        self.surrogate = Some(surrogate);
    }

    fn fresh_surrogate(&self) -> Surrogate {
        let mut rng = rng_for(self.seed, "pnas weights", 0);
        Surrogate::new(&self.config.surrogate, self.language.vocabulary_len(), &mut rng, &self.device)
    }

    /// What is to be tried of a level, best first.
    fn beam(&self, level: usize) -> Result<Vec<PendingProposal<S::Arch>>, StrategyError> {
        let mut rng = rng_for(self.seed, "pnas beam", self.progress.beams);
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
        let allowed = |prefix: &[Token]| self.space.allowed(prefix);
        let mut grown = Vec::new();
        if self.growth.grow(allowed, first, level).len().saturating_mul(parents.len()) <= limit {
            for (sequence, origin) in &parents {
                let all = self.growth.grow(allowed, sequence, level).into_iter();
                grown.extend(all.map(|sequence| (sequence, *origin)));
            }
        } else {
            let mut rng = rng_for(self.seed, "pnas candidates", self.progress.beams);
            for _ in 0..limit {
                let (sequence, origin) = &parents[rng.random_range(0..parents.len())];
                let one = self.growth.grow_one(allowed, sequence, level, &mut rng);
                grown.extend(one.map(|sequence| (sequence, *origin)));
            }
        }
        let mut seen = HashSet::new();
        let mut candidates = Vec::new();
        for (sequence, origin) in grown {
            let arch = self.space.decode(&sequence).map_err(|error| StrategyError::Model {
                strategy: NAME.into(),
                message: error.to_string(),
            })?;
            let key = self.space.key(&arch);
            if !self.random.knows(&key) && seen.insert(key) {
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
        let mut ranked: Vec<&(OpenProposal, TrialId, f64)> = self.progress.tried.iter().collect();
        ranked.sort_by(|(_, one, a), (_, other, b)| b.total_cmp(a).then(one.cmp(other)));
        let mut seen = HashSet::new();
        let distinct = ranked
            .into_iter()
            .filter(|(tried, _, _)| seen.insert(self.growth.chosen(&tried.sequence, level)))
            .map(|(tried, trial, _)| (tried.sequence.clone(), Origin::Mutation { parent: *trial }));
        distinct.take(self.config.beam).collect()
    }
}

impl<S: Space> Strategy<S> for PnasSearch<'_, S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let mut asked = Proposals { proposals: Vec::new(), stop: None, warnings: Vec::new() };
        while asked.proposals.len() < count {
            if let Some(proposal) = self.next_of_beam() {
                asked.proposals.push(proposal);
            } else if !self.progress.waiting.is_empty() {
                // What comes next depends on what these measure.
                break;
            } else if !self.begin_beam()? {
                let filling = self.random.ask(count - asked.proposals.len())?;
                asked.proposals.extend(filling.proposals);
                asked.stop = filling.stop;
                break;
            }
        }
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        check_objective(NAME, &mut self.progress.objective, observations)?;
        self.random.tell(observations)?;
        for observation in observations {
            let tried = self.progress.waiting.remove(&self.space.key(&observation.arch));
            if let (Some(tried), Some(merit)) = (tried, observation.merit()) {
                self.progress.tried.push((tried, observation.trial, merit));
            }
        }
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        let state = State {
            language: self.language.clone(),
            config: self.config.clone(),
            seed: self.seed,
            progress: self.progress.clone(),
            fits: self.surrogate.as_ref().map(Surrogate::fits),
            random: self.random.save()?,
        };
        let floats = self.surrogate.as_ref().map(Surrogate::save).unwrap_or_default();
        bundle::to_bytes(ENTRY, &state, &floats).map_err(unreadable)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), StrategyError> {
        let saved: bundle::Bundle<State<S::Arch>> = bundle::from_bytes(ENTRY, bytes).map_err(unreadable)?;
        let state = saved.header;
        super::same("space", &state.language.space, &self.language.space).map_err(unreadable)?;
        super::same("language", &state.language, &self.language).map_err(unreadable)?;
        super::same("settings", &state.config, &self.config).map_err(unreadable)?;
        super::same("seed", &state.seed, &self.seed).map_err(unreadable)?;
        let surrogate = match state.fits {
            None => None,
            Some(fits) => {
                let mut surrogate = self.fresh_surrogate();
                let restored = surrogate.restore(fits, &saved.floats);
                restored.map_err(|error| unreadable(error.to_string()))?;
                Some(surrogate)
            }
        };
        let mut random = RandomSearch::new(self.space, self.seed);
        random.restore(&state.random)?;
        self.random = random;
        self.surrogate = surrogate;
        self.progress = state.progress;
        Ok(())
    }
}

fn unreadable(message: String) -> StrategyError {
    StrategyError::State { strategy: NAME.into(), message }
}
