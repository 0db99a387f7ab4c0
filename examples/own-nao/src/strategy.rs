//! A strategy of your own: it climbs from the best architecture, and now and then looks elsewhere.

use std::error::Error;

use nao_controller::registry::OwnStrategy;
use nao_space::search::{
    Memory, MemoryState, Observation, Origin, Proposal, Proposals, Stop, Strategy, StrategyError,
};
use nao_space::seed::rng_for;
use nao_space::{Graphs, Levels, Space};
use serde::{Deserialize, Serialize};

/// Mutations before a place counts as known.
const ATTEMPTS: usize = 100;

/// The strategy, as it is registered.
pub struct Climb;

/// Its settings: `[strategy]` in a configuration, `--set strategy.elsewhere=5` on the command line.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClimbSettings {
    /// Every so many proposals one is drawn at random.
    pub elsewhere: u64,
}

impl Default for ClimbSettings {
    fn default() -> Self {
        ClimbSettings { elsewhere: 4 }
    }
}

impl OwnStrategy for Climb {
    const NAME: &'static str = "climb";
    const ABOUT: &'static str = "mutations of the best architecture so far";
    type Settings = ClimbSettings;

    fn build<S: Graphs + Levels>(
        &self,
        settings: ClimbSettings,
        space: S,
        seed: u64,
    ) -> Result<Box<dyn Strategy<S>>, Box<dyn Error + Send + Sync>> {
        if settings.elsewhere == 0 {
            return Err("elsewhere is 0; it must be at least 1".into());
        }
        Ok(Box::new(ClimbSearch { settings, proposed: 0, memory: Memory::new(space, seed) }))
    }
}

struct ClimbSearch<S: Space> {
    settings: ClimbSettings,
    /// Proposals so far.
    proposed: u64,
    memory: Memory<S>,
}

/// What is saved of a search: what it was told, the run folder knows.
#[derive(Serialize, Deserialize)]
struct State {
    proposed: u64,
    memory: MemoryState,
}

impl<S: Space> ClimbSearch<S> {
    /// A new architecture, if one is found.
    fn next(&mut self) -> Option<Proposal<S::Arch>> {
        let number = self.proposed;
        self.proposed += 1;
        let mut rng = rng_for(self.memory.seed(), Climb::NAME, number);
        let best = self.memory.parents(1).first().map(|best| (best.trial, best.arch.clone()));
        let Some((parent, best)) = best.filter(|_| !number.is_multiple_of(self.settings.elsewhere)) else {
            let arch = self.memory.draw(&mut rng)?;
            return Some(Proposal { arch, origin: Origin::Random });
        };
        let mut arch = best;
        for _ in 0..ATTEMPTS {
            arch = self.memory.space().mutate(&arch, &mut rng);
            if self.memory.propose(&arch) {
                return Some(Proposal { arch, origin: Origin::Mutation { parent } });
            }
        }
        None
    }
}

impl<S: Space> Strategy<S> for ClimbSearch<S> {
    fn name(&self) -> &str {
        Climb::NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let proposals: Vec<_> = (0..count).map_while(|_| self.next()).collect();
        let stop = (proposals.len() < count).then_some(Stop::SpaceExhausted);
        Ok(Proposals { proposals, stop, warnings: Vec::new() })
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        self.memory.tell(Climb::NAME, observations).map(drop)
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        let state = State { proposed: self.proposed, memory: self.memory.state() };
        serde_json::to_vec(&state).map_err(state_error)
    }

    fn restore(&mut self, state: &[u8], told: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let State { proposed, memory } = serde_json::from_slice(state).map_err(state_error)?;
        self.memory = self.memory.restored(Climb::NAME, memory, told)?;
        self.proposed = proposed;
        Ok(())
    }
}

fn state_error(error: serde_json::Error) -> StrategyError {
    StrategyError::State { strategy: Climb::NAME.to_owned(), message: error.to_string() }
}
