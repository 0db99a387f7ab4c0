//! Searching: strategies that propose, and the loop that asks and tells them.

mod account;
mod collapse;
mod contest;
mod evolution;
#[cfg(any(test, feature = "testing"))]
pub mod laws;
mod local_search;
mod memory;
mod random;
mod rounds;
pub mod saved_state;
mod standing;
mod starting;
mod strategy;

pub use account::Account;
pub use collapse::{COLLAPSED, OperationHistogram};
pub use contest::{Contest, Origins, Race};
pub use evolution::{EvolutionConfig, EvolutionSearch, InvalidEvolution, Removal};
pub use local_search::{LocalSearch, LocalSearchConfig};
pub use memory::{Measured, Memory, MemoryState};
pub use random::RandomSearch;
pub use rounds::{FinishedTrial, History, Round, RoundLimits, SearchError, SearchLoop, run_search};
pub use standing::Standing;
pub use starting::StartingWith;
pub use strategy::{Observation, Origin, Proposal, Proposals, Stop, Strategy, StrategyError};
