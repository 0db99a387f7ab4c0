//! One file per command.

mod bench;
mod best;
mod cancel;
mod count;
mod draw;
mod export;
mod fit;
mod import;
mod predict;
mod resume;
mod search;
mod simulate;
mod space;
mod status;
mod table;
mod table_check;
mod train;
mod worker;
mod zoo;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::args::Command;

/// Runs a command.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::Search(args) => search::search(args),
        Command::Resume(args) => resume::run(args),
        Command::Best(args) => best::run(args),
        Command::Status(args) => status::run(args),
        Command::Cancel(args) => cancel::run(args),
        Command::Draw(args) => draw::run(args),
        Command::Count(args) => count::run(args),
        Command::Train(args) => train::run(args),
        Command::Export(args) => export::run(args),
        Command::Import(args) => import::run(args),
        Command::Zoo(args) => zoo::run(args),
        Command::TableCheck(args) => table_check::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Fit(args) => fit::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Table(args) => table::run(args),
        Command::Space(command) => space::run(command),
        Command::Simulate(args) => simulate::run(args),
        Command::Worker(args) => worker::run(args),
    }
}

/// A flag that Ctrl-C (or SIGTERM) raises; a second Ctrl-C ends the program at once.
fn interrupt_flag() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("stopping ... (Ctrl-C again to stop at once)");
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(flag)
}

/// Prints a value as indented JSON.
fn print_json<T: serde::Serialize>(value: &T) -> Result<()> {
    print_text(&serde_json::to_string_pretty(value)?)
}

/// Prints text; a closed pipe comes back as an error and is none at the end.
fn print_text(text: &str) -> Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout().lock(), "{}", text.trim_end_matches('\n'))?;
    Ok(())
}
