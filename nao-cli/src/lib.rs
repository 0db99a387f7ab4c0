//! The `nao` command, thin: arguments, run folder, executors, reports. What it composes lives in `nao-space`,
//! `nao-controller`, `nao-child` and `nao-run`.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod arch_argument;
mod args;
mod command;
mod data;
mod engine;
mod failure;
mod logging;
mod predictor;
mod pretrained;
mod report;
mod run;
mod space_argument;
mod strategy;
mod task;

use std::process::ExitCode;

use clap::Parser;

/// Runs the command line and gives its exit code: 0 done, 1 the run failed, 2 wrong usage or input, 130
/// stopped by Ctrl-C.
pub fn main() -> ExitCode {
    let args = args::Args::parse();
    logging::start(args.verbose);
    let done = nao_kernels::check_environment().map_err(anyhow::Error::new).and_then(|kernels| {
        tracing::debug!(kernels, "operations on the CPU");
        command::run(args.command)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
