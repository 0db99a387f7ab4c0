//! The run folder: what a search is (configuration), what it did (store), what it ran on (manifest).

mod adoption;
mod budget;
mod config;
mod contents;
mod definition;
mod execution;
mod idle;
mod manifest;
mod relaxed;
mod resolve;
mod settings_file;
mod shared;
mod starting;
mod toml_error;
mod training;
mod typed;

pub use adoption::adopted;
pub use budget::check_budget;
pub use config::RunConfig;
pub use contents::{RunContents, create_run, free_name};
pub use definition::{all_words, fields};
pub use execution::{Engine, ExecutionConfig, most_processes};
pub use idle::{refuse_flags_of_other_cells, refuse_idle_flags};
pub use manifest::Manifest;
pub use relaxed::{DerivedOutcome, RelaxedReport, check_relaxed, search_relaxed_network};
pub use resolve::{NO_TEXT, Resolved, kind_of_search, overlay_recipe, resolve};
pub use shared::{
    Finalists, SharedOutcome, SharedReport, SharedRun, check_sharing, latest_weights, search_shared,
};
pub use starting::starting;
pub use toml_error::in_text;
pub use training::{TrainConfig, TrainFolder};
pub use typed::typed_table;
