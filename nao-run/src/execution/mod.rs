//! How a run is carried out: where children are trained, how many at a time, what they may take, and the executor that does
//! it so. Nothing of this changes a result.

mod config;
mod construction;
mod engine;

pub use config::{ClusterConfig, ExecutionConfig, SlurmConfig, most_processes, processors};
pub(crate) use construction::slurm_settings;
pub use construction::{check_surroundings, executor};
pub use engine::{Engine, UnknownEngine};
