//! Searches that learn with tensors.

mod candidates;
mod cheap;
#[cfg(test)]
mod cheap_tests;
mod linear;
mod nao;
mod nao_config;
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

pub use cheap::{CheapConfig, CheapLook};
pub use linear::LinearSearch;
pub use nao::NaoSearch;
pub use nao_config::NaoConfig;
pub use pnas::{PnasConfig, PnasSearch};
pub use policy::{PolicyReport, PolicySearch};
pub use report::{ProposalCounts, RoundReport};
pub use state::controller_weights;
pub use structure::{Enumeration, StructureSearch};
pub use structure_report::{OriginCounts, StructureReport};

/// The name of NAO with any of its controllers.
const NAO: &str = "nao";
