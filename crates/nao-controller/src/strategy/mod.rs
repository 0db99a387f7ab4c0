//! Searches that learn with tensors.

mod nao;
mod report;
mod state;

pub use nao::{NaoConfig, NaoSearch};
pub use report::{ProposalCounts, RoundReport};
