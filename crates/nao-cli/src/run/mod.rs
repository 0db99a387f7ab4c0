//! The run folder: what a search is (configuration), what it did (store), what it ran on (manifest).

mod config;
mod coordinator;
mod folder;
mod manifest;
mod relaxed;
mod shared;
mod store;
mod training;

pub use config::{
    NO_TEXT, Resolved, RunConfig, STRUCTURE, StrategyConfig, controller_preset, kind_of_recipe,
    kind_of_search, overlay_recipe, resolve,
};
pub use coordinator::{Coordinator, Ending};
pub use folder::{RunFolder, free_name};
pub use manifest::Manifest;
pub use relaxed::{DerivedOutcome, RelaxedReport, check_relaxed, search_relaxed_network};
pub use shared::{
    Finalists, SharedOutcome, SharedReport, SharedRun, check_sharing, latest_weights, search_shared,
};
pub use store::{StoredTrial, TrialStatus};
pub use training::{TrainConfig, TrainFolder};
