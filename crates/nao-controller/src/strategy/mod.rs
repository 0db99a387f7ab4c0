//! Searches that learn with tensors.

mod nao;
#[cfg(test)]
mod nao_tests;
mod report;
mod state;

pub use nao::{NaoConfig, NaoSearch};
pub use report::{ProposalCounts, RoundReport};
pub use state::controller_weights;
