//! The machine that carries a search out: run folder, store of trials, and the engines that run trials on this machine,
//! on any machines that share the folder, and in jobs of Slurm. Stands on `nao-space` alone.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod coordinator;
mod error;
pub mod executor;
pub mod files;
mod folder;
mod host;
mod lock;
pub mod memory;
mod store;
mod watcher;

pub use coordinator::{Coordinator, Ending, Patience, SearchSettings};
pub use error::{DatabaseError, Result, RunError};
pub use folder::RunFolder;
pub use store::{Recorded, RoundRecord, Store, StoredTrial, Tally, TrialStatus};
pub use watcher::{RunEvent, Watcher};
