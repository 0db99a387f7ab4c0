//! Searches that learn with tensors.

mod linear;
mod nao;
#[cfg(test)]
mod nao_tests;
mod report;
mod state;
mod structure;
mod structure_report;
mod structure_state;
#[cfg(test)]
mod structure_tests;

use nao_space::search::{Observation, StrategyError};

pub use linear::LinearSearch;
pub use nao::{NaoConfig, NaoSearch};
pub use report::{ProposalCounts, RoundReport};
pub use state::controller_weights;
pub use structure::{Enumeration, StructureSearch};
pub use structure_report::{OriginCounts, StructureReport};

/// Refuses observations of several objectives.
fn check_objectives<A>(
    strategy: &str,
    told: &[Observation<A>],
    telling: &[Observation<A>],
) -> Result<(), StrategyError> {
    let mut all = told.iter().chain(telling).map(|observation| &observation.objective);
    if let Some(first) = all.next()
        && let Some(other) = all.find(|&objective| objective != first)
    {
        let message = format!("told of two objectives, {first:?} and {other:?}; a search has one");
        return Err(StrategyError::Model { strategy: strategy.into(), message });
    }
    Ok(())
}
