//! The cells that were chosen with shared weights, as a strategy: they are proposed once, in order.

use nao_space::Space;
use nao_space::search::{Observation, Proposal, Proposals, Strategy, StrategyError};

/// Proposes given cells.
pub struct Finalists<A> {
    cells: Vec<Proposal<A>>,
    asked: usize,
}

impl<A> Finalists<A> {
    /// These cells, none of which was asked for.
    pub fn new(cells: Vec<Proposal<A>>) -> Self {
        Finalists { cells, asked: 0 }
    }
}

const NAME: &str = "finalists";

impl<S: Space> Strategy<S> for Finalists<S::Arch> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let proposals: Vec<_> = self.cells.iter().skip(self.asked).take(count).cloned().collect();
        self.asked += proposals.len();
        Ok(Proposals { proposals, stop: None, warnings: Vec::new() })
    }

    fn tell(&mut self, _: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        Ok(self.asked.to_string().into_bytes())
    }

    fn restore(&mut self, state: &[u8], _: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let number = std::str::from_utf8(state).ok().and_then(|text| text.parse().ok());
        let refused = || StrategyError::State { strategy: NAME.into(), message: "it is no number".into() };
        self.asked = number.ok_or_else(refused)?;
        Ok(())
    }
}
