//! A strategy of your own: it climbs from the best architecture, and now and then looks elsewhere.

use std::collections::BTreeSet;
use std::error::Error;

use nao_controller::registry::OwnStrategy;
use nao_space::search::{Observation, Origin, Proposal, Proposals, Stop, Strategy, StrategyError};
use nao_space::seed::rng_for;
use nao_space::{ArchKey, Space};
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

    fn build<'a, S: Space + Clone>(
        &self,
        settings: ClimbSettings,
        space: &'a S,
        seed: u64,
    ) -> Result<Box<dyn Strategy<S> + 'a>, Box<dyn Error + Send + Sync>> {
        if settings.elsewhere == 0 {
            return Err("elsewhere is 0; it must be at least 1".into());
        }
        let state = State { proposed: 0, known: BTreeSet::new(), best: None };
        Ok(Box::new(ClimbSearch { space, settings, seed, state }))
    }
}

struct ClimbSearch<'a, S: Space> {
    space: &'a S,
    settings: ClimbSettings,
    seed: u64,
    state: State<S::Arch>,
}

/// What it remembers.
#[derive(Serialize, Deserialize)]
struct State<A> {
    proposed: u64,
    known: BTreeSet<ArchKey>,
    best: Option<(f64, Observation<A>)>,
}

impl<S: Space> ClimbSearch<'_, S> {
    /// A new architecture, if one is found.
    fn next(&mut self) -> Option<Proposal<S::Arch>> {
        let number = self.state.proposed;
        self.state.proposed += 1;
        let mut rng = rng_for(self.seed, Climb::NAME, number);
        let best = self.state.best.as_ref().filter(|_| !number.is_multiple_of(self.settings.elsewhere));
        let mut arch = best.map_or_else(|| self.space.sample(&mut rng), |(_, best)| best.arch.clone());
        let origin = best.map_or(Origin::Random, |(_, best)| Origin::Mutation { parent: best.trial });
        for _ in 0..ATTEMPTS {
            if best.is_some() || self.state.known.contains(&self.space.key(&arch)) {
                arch = self.space.mutate(&arch, &mut rng);
            }
            if self.state.known.insert(self.space.key(&arch)) {
                return Some(Proposal { arch, origin });
            }
        }
        None
    }
}

impl<S: Space> Strategy<S> for ClimbSearch<'_, S> {
    fn name(&self) -> &str {
        Climb::NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let proposals: Vec<_> = (0..count).map_while(|_| self.next()).collect();
        let stop = (proposals.len() < count).then_some(Stop::SpaceExhausted);
        Ok(Proposals { proposals, stop, warnings: Vec::new() })
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        for observation in observations {
            self.state.known.insert(self.space.key(&observation.arch));
            let Some(merit) = observation.merit() else { continue };
            if self.state.best.as_ref().is_none_or(|(best, _)| merit > *best) {
                self.state.best = Some((merit, observation.clone()));
            }
        }
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        serde_json::to_vec(&self.state).map_err(state_error)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StrategyError> {
        self.state = serde_json::from_slice(state).map_err(state_error)?;
        Ok(())
    }
}

fn state_error(error: serde_json::Error) -> StrategyError {
    StrategyError::State { strategy: Climb::NAME.to_owned(), message: error.to_string() }
}
