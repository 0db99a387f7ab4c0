//! What a run is: its configuration, and the searches that come before its trials.

mod adoption;
mod before_trials;
mod config;
mod contents;
mod idle;
mod in_folder;
mod manifest;
mod relaxed;
mod resolve;
mod shared;
mod starting;
mod training;
mod typed;

pub use adoption::adopted;
pub use before_trials::SearchedRecipe;
pub use config::RunConfig;
pub use contents::{RunContents, kind_of};
pub use idle::{refuse_flags_of_other_cells, refuse_idle_flags};
pub use in_folder::RunInFolder;
pub use manifest::{data_summary, new_manifest};
pub use relaxed::{DerivedOutcome, RelaxedReport};
pub use resolve::{NO_TEXT, Resolved, kind_of_search, overlay_recipe, resolve};
pub use shared::{Finalists, SharedOutcome, SharedReport, latest_weights};
pub use starting::starting;
pub use training::TrainConfig;
pub use typed::typed_table;
