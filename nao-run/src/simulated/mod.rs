//! Searches on a cluster that is not there: coordinator, store, files and questions to the scheduler are the real ones; time,
//! machines and trainings are not.

mod cluster;
mod search;

pub use cluster::{Cluster, SimulatedClock, SimulatedScheduler};
pub use search::{SimulatedSearch, SimulationCost};
