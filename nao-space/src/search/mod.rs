//! Searching: strategies that propose, and the loop that asks and tells them.

mod account;
mod collapse;
mod contest;
mod evolution;
mod known;
#[cfg(any(test, feature = "proptest"))]
pub mod laws;
mod local_search;
mod measured;
mod random;
mod rounds;
mod saved;
mod standing;
mod strategy;

pub use account::Account;
pub use collapse::{COLLAPSED, OperationHistogram};
pub use contest::{Contest, Origins, Race};
pub use evolution::{EvolutionConfig, EvolutionSearch, InvalidEvolution, Removal};
pub use local_search::{LocalSearch, LocalSearchConfig};
pub use measured::check_objective;
pub use random::RandomSearch;
pub use rounds::{FinishedTrial, History, Round, RoundLimits, SearchError, SearchLoop, run_search};
pub use standing::Standing;
pub use strategy::{Asked, Observation, Origin, Proposal, Stop, Strategy, StrategyError};
