//! Random search: every architecture drawn from the space, none twice.

use serde::{Deserialize, Serialize};

use super::saved;
use super::seen::SeenSet;
use super::strategy::{Observation, Origin, Proposal, Proposals, Stop, Strategy, StrategyError};
use crate::language::{ArchKey, Space};
use crate::seed::rng_for;

/// Draws architectures that are canonically new.
pub struct RandomSearch<'a, S: Space> {
    space: &'a S,
    seed: u64,
    state: State,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    asks: u64,
    known: SeenSet,
}

/// The name of the strategy.
const NAME: &str = "random";

impl<'a, S: Space> RandomSearch<'a, S> {
    /// A search of `space` from a seed.
    pub fn new(space: &'a S, seed: u64) -> Self {
        RandomSearch { space, seed, state: State::default() }
    }

    /// Marks an architecture as known without proposing it; `false` if it was known before.
    pub fn learn(&mut self, arch: &S::Arch) -> bool {
        self.state.known.learn(self.space, arch)
    }

    /// Whether an architecture of that key was ever proposed, told or learned.
    pub fn knows(&self, key: &ArchKey) -> bool {
        self.state.known.contains(key)
    }
}

impl<S: Space> Strategy<S> for RandomSearch<'_, S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let mut rng = rng_for(self.seed, "random search", self.state.asks);
        self.state.asks += 1;
        let mut asked = Proposals { proposals: Vec::new(), stop: None, warnings: Vec::new() };
        while asked.proposals.len() < count {
            let Some(arch) = self.state.known.draw(self.space, &mut rng) else {
                asked.stop = Some(Stop::SpaceExhausted);
                break;
            };
            asked.proposals.push(Proposal { arch, origin: Origin::Random });
        }
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        for observation in observations {
            self.learn(&observation.arch);
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

#[cfg(test)]
mod tests {
    use super::super::laws;
    use super::*;
    use crate::image::{Op, OpSet};
    use crate::spaces::CnnSpace;

    #[test]
    fn a_small_space_is_found_whole_and_then_exhausted() {
        let space = CnnSpace::new(1, OpSet::new("two", [Op::Identity, Op::Zero])).unwrap();
        let mut search = RandomSearch::new(&space, 1);
        let asked = search.ask(1_000).unwrap();
        // 4 edges per branch, unordered pairs of them: 10 per cell.
        assert_eq!(asked.proposals.len(), 100);
        assert_eq!(asked.stop, Some(Stop::SpaceExhausted));
    }

    #[test]
    fn a_restored_search_goes_on_alike() {
        let space = CnnSpace::default();
        let mut whole = RandomSearch::new(&space, 5);
        whole.ask(7).unwrap();
        let mut resumed = RandomSearch::new(&space, 5);
        resumed.restore(&whole.save().unwrap()).unwrap();
        assert_eq!(whole.ask(9).unwrap(), resumed.ask(9).unwrap());
        assert!(resumed.restore(b"{").is_err());
    }

    #[test]
    fn it_obeys_the_laws() {
        let space = CnnSpace::default();
        laws::hold(&space, |seed| RandomSearch::new(&space, seed));
    }
}
