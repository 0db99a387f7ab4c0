//! Search by reinforcement: a policy draws architectures and learns from what they measured.

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;

use burn::tensor::Device;
use nao_space::search::saved_state::{check_same, refused};
use nao_space::search::{
    Memory, MemoryState, Observation, Origin, Proposal, Proposals, Strategy, StrategyError,
};
use nao_space::seed::rng_for;
use nao_space::{ArchKey, Space};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::bundle;
use crate::error::ControllerError;
use crate::language::Language;
use crate::policy::{
    Draw, Experience, PolicyConfig, PolicyLearner, PolicyMemory, PolicyRule, PolicyUpdate, RewardScale,
};

/// Search by policy gradient: the controllers of Zoph and Le (ICLR 2017, [`PolicyConfig::reinforce`]) and of Zoph et al.
/// (CVPR 2018, [`PolicyConfig::nasnet_ppo`]).
///
/// The policy writes sequences of the space token by token under its grammar. Rewards of
/// [`batch`](PolicyConfig::batch) sequences make an update, so that one may take several rounds. Values of unbounded
/// objectives become bounded rewards, see [`RewardScale`]. Failed trials earn nothing, not even zero: they are left out.
///
/// No architecture is proposed twice. One that the policy draws again is an experience all the same, with the reward
/// that is known of it, and is charged to nobody; so updates may happen while proposals are looked for. Where
/// [`redraws`](PolicyConfig::redraws) draws per proposal bring too few new architectures, the rest of a round is drawn
/// from the space. These, and whatever else was not drawn by the policy, are learned from only once it draws them too.
///
/// ```
/// use burn::tensor::Device;
/// use nao_controller::{PolicyConfig, PolicySearch};
/// use nao_space::CnnSpace;
/// use nao_space::search::{Origin, Strategy};
///
/// let space = CnnSpace::default();
/// let mut search = PolicySearch::new(space, PolicyConfig::nasnet_ppo(), 1, Device::flex())?;
/// assert_eq!(Strategy::<CnnSpace>::name(&search), "ppo");
/// let asked = search.ask(20)?;
/// assert!(asked.proposals.iter().all(|proposal| proposal.origin == Origin::Policy));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PolicySearch<S: Space> {
    language: Language,
    policy: PolicyLearner,
    memory: Memory<S>,
    draws: PolicyDraws,
    report: Option<PolicyReport>,
}

/// What the last ask did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyReport {
    /// Sequences drawn.
    pub drawn: usize,
    /// Of these, known ones that were learned from again.
    pub known: usize,
    /// Proposals that the policy did not find and that were drawn from the space.
    pub random: usize,
    /// Updates since the ask before, this one included.
    pub updates: Vec<PolicyUpdate>,
}

/// What the policy drew. What states of version 0.1 have besides, their observations, is skipped.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct PolicyDraws {
    asks: u64,
    /// Proposals of which nothing was told yet.
    waiting: BTreeMap<ArchKey, Draw>,
    /// Drawn and measured, but not learned from yet.
    unlearned: Vec<(Draw, f64)>,
    /// Updates that no ask has reported.
    updates: Vec<PolicyUpdate>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    language: Language,
    config: PolicyConfig,
    seed: u64,
    #[serde(rename = "memory")]
    draws: PolicyDraws,
    policy: PolicyMemory,
    #[serde(rename = "random")]
    memory: MemoryState,
}

/// Sequences drawn at once, at least: one costs hardly less than so many.
const DRAWN_AT_ONCE: usize = 20;

/// The header's entry; its number changes with the form of the state.
const ENTRY: &str = "nao-policy-1";

impl<S: Space> PolicySearch<S> {
    /// A search of `space` from a seed; the policy computes on `device`.
    ///
    /// # Errors
    /// As [`PolicyConfig::check`].
    pub fn new(space: S, config: PolicyConfig, seed: u64, device: Device) -> Result<Self, ControllerError> {
        let language = Language::of(&space);
        let mut rng = rng_for(seed, "policy weights", 0);
        let policy = PolicyLearner::new(config, language.clone(), &device, &mut rng)?;
        let (memory, draws) = (Memory::new(space, seed), PolicyDraws::default());
        Ok(PolicySearch { language, policy, memory, draws, report: None })
    }

    /// The policy as it has learned so far.
    pub fn policy(&self) -> &PolicyLearner {
        &self.policy
    }

    fn label(&self) -> &'static str {
        match self.policy.config().rule {
            PolicyRule::Reinforce => "reinforce",
            PolicyRule::Ppo { .. } => "ppo",
        }
    }

    fn failed(&self, error: impl Display) -> StrategyError {
        StrategyError::Model { strategy: self.label().into(), message: error.to_string() }
    }

    fn unreadable(&self, message: impl Display) -> StrategyError {
        refused(self.label(), message)
    }

    /// Draws up to `most` sequences and keeps what is new, until that is enough; known ones are experiences at once.
    fn draw(
        &mut self,
        enough: usize,
        most: usize,
        report: &mut PolicyReport,
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<S::Arch>, StrategyError> {
        let count = enough.max(DRAWN_AT_ONCE).min(most);
        let draws = self.policy.draw(count, self.memory.space(), rng).map_err(|error| self.failed(error))?;
        let mut new = Vec::new();
        for draw in draws {
            if new.len() == enough {
                // As if never drawn.
                break;
            }
            report.drawn += 1;
            let arch = self.memory.space().decode(&draw.sequence).map_err(|error| self.failed(error))?;
            let key = self.memory.space().key(&arch);
            if self.memory.propose(&arch) {
                self.draws.waiting.insert(key, draw);
                new.push(arch);
            } else if let Some(measured) = self.memory.of_key(&key) {
                self.draws.unlearned.push((draw, measured.value));
                report.known += 1;
            }
        }
        self.learn()?;
        Ok(new)
    }

    /// Learns from whole batches of what has not been learned from.
    fn learn(&mut self) -> Result<(), StrategyError> {
        let batch = self.policy.config().batch;
        if self.draws.unlearned.len() < batch {
            return Ok(());
        }
        let mut merits = self.memory.merits();
        merits.sort_by(f64::total_cmp);
        while self.draws.unlearned.len() >= batch {
            let examples: Vec<(Draw, f64)> = self.draws.unlearned.drain(..batch).collect();
            let Some(objective) = self.memory.objective() else { continue };
            let scale = RewardScale::of(objective);
            let experiences = examples.into_iter().filter_map(|(draw, value)| {
                Some(Experience { draw, reward: scale.reward(objective, value, &merits)? })
            });
            let experiences: Vec<Experience> = experiences.collect();
            if experiences.is_empty() {
                continue;
            }
            let update = self.policy.learn(&experiences, self.memory.space());
            self.draws.updates.push(update.map_err(|error| self.failed(error))?);
        }
        Ok(())
    }
}

impl<S: Space> Strategy<S> for PolicySearch<S> {
    fn name(&self) -> &str {
        self.label()
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let mut rng = rng_for(self.memory.seed(), "policy draws", self.draws.asks);
        self.draws.asks += 1;
        let mut report = PolicyReport::default();
        let mut asked = Proposals::none();
        let limit = count.saturating_mul(self.policy.config().redraws);
        while asked.proposals.len() < count && report.drawn < limit {
            let most = limit - report.drawn;
            let new = self.draw(count - asked.proposals.len(), most, &mut report, &mut rng)?;
            asked.proposals.extend(new.into_iter().map(|arch| Proposal { arch, origin: Origin::Policy }));
        }
        if asked.proposals.len() < count {
            let found = asked.proposals.len();
            report.random = self.memory.fill_up(&mut asked, count);
            asked.warnings.push(format!(
                "{} draws of the policy gave {found} of the {count} new architectures asked for; drawn at random: {}",
                report.drawn, report.random
            ));
        }
        report.updates = std::mem::take(&mut self.draws.updates);
        if report.updates.iter().any(|update| update.steps == 0) {
            let warning =
                "an update of the policy gave no finite numbers and was left out: lower its learning rate";
            asked.warnings.push(warning.to_owned());
        }
        self.report = Some(report);
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let new = self.memory.tell(self.label(), observations)?;
        for measured in &self.memory.measured()[new] {
            let drawn = self.draws.waiting.remove(&measured.key);
            self.draws.unlearned.extend(drawn.map(|draw| (draw, measured.value)));
        }
        let open = self.memory.open();
        self.draws.waiting.retain(|key, _| open.contains(key));
        self.learn()
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        let (policy, floats) = self.policy.save();
        let state = State {
            language: self.language.clone(),
            config: self.policy.config().clone(),
            seed: self.memory.seed(),
            draws: self.draws.clone(),
            policy,
            memory: self.memory.state(),
        };
        bundle::to_bytes(ENTRY, &state, &floats).map_err(|message| self.unreadable(message))
    }

    fn report(&self) -> Option<serde_json::Value> {
        serde_json::to_value(self.report.as_ref()?).ok()
    }

    fn restore(&mut self, bytes: &[u8], told: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let saved: bundle::Bundle<State> =
            bundle::from_bytes(ENTRY, bytes).map_err(|message| self.unreadable(message))?;
        let state = saved.header;
        let label = self.label();
        check_same(label, "space", &state.language.space, &self.language.space)?;
        check_same(label, "language", &state.language, &self.language)?;
        check_same(label, "settings", &state.config, self.policy.config())?;
        check_same(label, "seed", &state.seed, &self.memory.seed())?;
        let memory = self.memory.restored(label, state.memory, told)?;
        let restored = self.policy.restore(&state.policy, &saved.floats);
        restored.map_err(|error| self.unreadable(error))?;
        self.memory = memory;
        self.draws = state.draws;
        self.report = None;
        Ok(())
    }
}
