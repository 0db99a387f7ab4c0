//! The run folder: what a search is (configuration), what it did (store), what it ran on (manifest).

mod config;
mod contents;
mod execution;
mod manifest;
mod relaxed;
mod resolve;
mod shared;
mod training;
mod typed;

pub use config::{RunConfig, STRUCTURE, StrategyConfig, controller_preset};
pub use contents::{RunContents, create_run, free_name};
pub use execution::{Engine, ExecutionConfig};
pub use manifest::Manifest;
pub use relaxed::{DerivedOutcome, RelaxedReport, check_relaxed, search_relaxed_network};
pub use resolve::{NO_TEXT, Resolved, kind_of_recipe, kind_of_search, overlay_recipe, resolve};
pub use shared::{
    Finalists, SharedOutcome, SharedReport, SharedRun, check_sharing, latest_weights, search_shared,
};
pub use training::{TrainConfig, TrainFolder};
