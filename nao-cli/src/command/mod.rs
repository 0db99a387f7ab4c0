//! One file per command.

mod any_space;
mod bench;
mod benchmark;
mod best;
mod cancel;
mod count;
mod draw;
mod export;
mod fit;
mod import;
mod predict;
mod published;
mod resume;
mod search;
mod simulate;
mod space;
mod status;
mod train;
mod worker;
mod zoo;

use anyhow::Result;

use crate::args::{BenchmarkCommand, Command};
use crate::interrupt::{Interrupt, IsIgnored};
use crate::output::{print_each, print_json, print_text};
use crate::registries::Registries;

/// Runs a command. `is_ignored` says which signals the process was started to ignore.
pub fn run(command: Command, known: &Registries, is_ignored: IsIgnored) -> Result<()> {
    // Workers handle signals themselves.
    let command = match command {
        Command::Worker(args) => return worker::run(args, is_ignored),
        command => command,
    };
    let interrupt = &Interrupt::listen(is_ignored)?;
    match command {
        Command::Search(args) => search::search(args, known, interrupt),
        Command::Resume(args) => resume::run(args, known, interrupt),
        Command::Best(args) => best::run(args),
        Command::Status(args) => status::run(args),
        Command::Cancel(args) => cancel::run(args),
        Command::Draw(args) => draw::run(args, known),
        Command::Count(args) => count::run(args),
        Command::Train(args) => train::run(args, known, interrupt),
        Command::Export(args) => export::run(args),
        Command::Import(args) => import::run(args, known),
        Command::Zoo(args) => zoo::run(args),
        Command::Benchmark(BenchmarkCommand::Check(args)) | Command::TableCheck(args) => {
            benchmark::check(args, known)
        }
        Command::Bench(args) => bench::run(args, known, interrupt),
        Command::Fit(args) => fit::run(args, known),
        Command::Predict(args) => predict::run(args, known),
        Command::Published(args) => published::run(args),
        Command::Space(command) => space::run(command, known),
        Command::Simulate(args) => simulate::run(args, interrupt),
        Command::Worker(_) => unreachable!("run above"),
    }
}
