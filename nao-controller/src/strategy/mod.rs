//! Searches that learn with tensors.

mod candidates;
mod cheap;
#[cfg(test)]
mod cheap_tests;
mod linear;
mod nao;
#[cfg(test)]
mod nao_tests;
mod pnas;
#[cfg(test)]
mod pnas_tests;
mod policy;
#[cfg(test)]
mod policy_tests;
mod report;
mod state;
mod structure;
mod structure_report;
mod structure_state;
#[cfg(test)]
mod structure_tests;

use nao_space::search::{Observation, StrategyError, check_objective};
use serde::Serialize;

pub use cheap::{CheapConfig, CheapLook};
pub use linear::LinearSearch;
pub use nao::{NaoConfig, NaoSearch};
pub use pnas::{PnasConfig, PnasSearch};
pub use policy::{PolicyReport, PolicySearch};
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
    let mut first = told.first().map(|observation| observation.objective.clone());
    check_objective(strategy, &mut first, telling)
}

/// Refuses a state that was saved by another search, with both sides of the difference.
fn same<T: PartialEq + Serialize>(what: &str, saved: &T, ours: &T) -> Result<(), String> {
    if saved == ours {
        return Ok(());
    }
    let told = |value: &T| serde_json::to_string(value).unwrap_or_default();
    Err(format!("it was saved with the {what} {}; this search has {}", told(saved), told(ours)))
}
