//! Random search: every architecture drawn from the space, none twice.

use super::memory::{Memory, MemoryState};
use super::saved_state;
use super::strategy::{Observation, Proposals, Strategy, StrategyError};
use crate::language::Space;

/// Draws architectures that are canonically new.
pub struct RandomSearch<S: Space> {
    memory: Memory<S>,
}

/// The name of the strategy.
const NAME: &str = "random";

impl<S: Space> RandomSearch<S> {
    /// A search of `space` from a seed.
    pub fn new(space: S, seed: u64) -> Self {
        RandomSearch { memory: Memory::new(space, seed) }
    }
}

impl<S: Space> Strategy<S> for RandomSearch<S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        Ok(self.memory.fill(count))
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        self.memory.tell(NAME, observations).map(drop)
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        saved_state::to_bytes(NAME, &self.memory.state())
    }

    fn restore(&mut self, state: &[u8], told: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let state: MemoryState = saved_state::from_bytes(NAME, state)?;
        self.memory = self.memory.restored(NAME, state, told)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws;
    use super::super::strategy::Stop;
    use super::*;
    use crate::image::{Op, OpSet};
    use crate::spaces::CnnSpace;

    #[test]
    fn a_small_space_is_found_whole_and_then_exhausted() {
        let space = CnnSpace::new(1, OpSet::new("two", [Op::Identity, Op::Zero])).unwrap();
        let mut search = RandomSearch::new(space.clone(), 1);
        let asked = search.ask(1_000).unwrap();
        // 4 edges per branch, unordered pairs of them: 10 per cell.
        assert_eq!(asked.proposals.len(), 100);
        assert_eq!(asked.stop, Some(Stop::SpaceExhausted));
    }

    #[test]
    fn a_restored_search_goes_on_alike() {
        let space = CnnSpace::default();
        let mut whole = RandomSearch::new(space.clone(), 5);
        whole.ask(7).unwrap();
        let mut resumed = RandomSearch::new(space.clone(), 5);
        resumed.restore(&whole.save().unwrap(), &[]).unwrap();
        assert_eq!(whole.ask(9).unwrap(), resumed.ask(9).unwrap());
        assert!(resumed.restore(b"{", &[]).is_err());
    }

    #[test]
    fn it_obeys_the_laws() {
        let space = CnnSpace::default();
        laws::hold(&space, |seed| RandomSearch::new(space.clone(), seed));
    }
}
