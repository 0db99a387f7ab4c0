//! The machine that carries a search out: run folder, store of trials, and the engines that run trials on threads of this
//! process, in processes of this machine, on any machines that share the folder, and in jobs of Slurm.
//!
//! A search over any [`Space`](nao_space::Space), by any [`Strategy`](nao_space::search::Strategy), with any
//! [`Evaluator`](nao_space::Evaluator). Each trial is kept on disk when it is over; after a stop or `kill -9` the same
//! lines go on where they were, to the same history:
//!
//! ```
//! # let place = tempfile::tempdir()?;
//! # std::env::set_current_dir(place.path())?;
//! use nao_run::{RunEvent, ScoreFunction, Search};
//! use nao_space::search::{EvolutionConfig, EvolutionSearch};
//! use nao_space::{CnnArch, CnnSpace, Space, Trial};
//!
//! let space = CnnSpace::default();
//! let strategy = EvolutionSearch::new(space.clone(), EvolutionConfig::default(), 1)?;
//! let loose_ends = |trial: &Trial<CnnArch>| trial.arch.normal.loose_ends().len() as f64;
//! let history = Search::new(space.clone(), strategy, ScoreFunction::maximize("loose ends", loose_ends))
//!     .budget(200).initial(20).per_round(10).folder("runs/mine").workers(4)
//!     .watch(|event| if let RunEvent::Finished { trial, .. } = event { println!("trial {trial} is over") })
//!     .run()?;
//! let (best, measured) = history.best().expect("a trial was measured");
//! println!("{}: {} loose ends", space.format(&best.trial.arch), measured.value);
//! # assert_eq!((history.trials.len(), measured.value), (200, 5.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Search`] is the short way. [`Coordinator`] is what it stands on: it runs trials on any [`executor`] and reports to a
//! [`Watcher`]. What a program around it needs is here as well: [`settings`] from files and flags, the [`execution`] that
//! they ask for, a [`Manifest`], the [`Ranking`] of a run and its [`status`]. Neighbours: `nao-space` (spaces, strategies,
//! evaluators of tables), `nao-controller` (strategies that learn), `nao-child` (evaluators that train networks), `nao-cli`
//! (all of it from the shell).
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod adoption;
mod budget;
mod coordinator;
mod end;
mod error;
pub mod execution;
pub mod executor;
pub mod files;
mod folder;
mod host;
mod interruption;
mod lock;
mod manifest;
pub mod memory;
mod ranking;
mod score;
mod search;
pub mod settings;
mod shell;
pub mod simulated;
pub mod status;
mod store;
mod stored_arch;
mod training_folder;
mod watcher;
pub mod worker;

pub use adoption::{ExpectedMeasurements, adopted};
pub use budget::{check_budget, check_rounds};
pub use coordinator::{Coordinator, Ending, Patience, SearchSettings};
pub use end::End;
pub use error::{DatabaseError, Result, RunError};
pub use folder::{RunFolder, free_name};
pub use interruption::Interruption;
pub use manifest::{DataSummary, Manifest, PartFiles, ProgramVersion};
pub use ranking::{MeasuredObjective, RankedTrial, Ranking, TrialOrigin};
pub use score::ScoreFunction;
pub use search::Search;
pub use shell::quoted;
pub use store::{Recorded, RoundRecord, Store, StoredTrial, Tally, TrialStatus};
pub use stored_arch::parse_stored;
pub use training_folder::TrainFolder;
pub use watcher::{RunEvent, Watcher};
