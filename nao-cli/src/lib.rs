//! The `nao` command, thin: arguments, run folder, executors, reports. What it composes lives in `nao-space`,
//! `nao-controller`, `nao-child` and `nao-run`.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod arch_argument;
mod arch_text;
mod args;
mod cell_network;
mod cells;
mod command;
mod data;
mod device;
mod failure;
mod figures;
mod flags;
mod help;
mod interrupt;
mod logging;
mod output;
mod pretrained;
mod progress;
mod registries;
mod report;
mod run;
mod space_argument;

use std::process::ExitCode;

use clap::FromArgMatches;

pub use registries::Registries;

/// Runs the command line and gives its exit code: 0 done, 1 the run failed, 2 wrong usage or input, 130
/// stopped by Ctrl-C, SIGTERM or SIGHUP.
///
/// `is_ignored` says of the number of a signal whether the process was started so that it ignores it: it then goes on
/// ignoring it.
pub fn main(is_ignored: fn(i32) -> bool) -> ExitCode {
    run(Registries::default(), is_ignored)
}

/// The same with what a program adds of its own.
pub fn run(registries: Registries, is_ignored: fn(i32) -> bool) -> ExitCode {
    let matches = help::command(&registries).get_matches();
    let args = args::Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    logging::start(args.verbose);
    let done = nao_kernels::check_environment().map_err(anyhow::Error::new).and_then(|kernels| {
        tracing::debug!(kernels, "operations on the CPU");
        command::run(args.command, &registries, is_ignored)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
