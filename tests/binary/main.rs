//! Runs of the real `nao` program, as one test program: `cargo test --test binary MODULE::` selects a file.
//!
//! The tests are threads of one process. None of them changes its environment, its current folder or its signals: what
//! a test needs of these it gives to the processes that it starts.

mod budget;
mod changed_settings;
mod commands;
mod documentation;
mod history;
#[cfg(target_os = "linux")]
mod holders;
mod input;
mod language;
#[cfg(unix)]
mod output;
mod reading;
mod relaxed;
mod search;
mod settings;
mod shared;
#[cfg(unix)]
mod signals;
#[cfg(target_os = "linux")]
mod slurm;
mod store;
mod support;
mod weights;
mod workers;
