//! Searching: strategies that propose, and the loop that asks and tells them.

mod random;
mod rounds;
mod strategy;

pub use random::RandomSearch;
pub use rounds::{History, Round, RoundLimits, SearchError, SearchLoop, run_search};
pub use strategy::{Asked, Observation, Origin, Proposal, Stop, Strategy, StrategyError};
