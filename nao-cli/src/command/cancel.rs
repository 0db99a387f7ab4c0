//! `nao cancel`: stops a run and everything that works for it.

use anyhow::Result;
use nao_run::executor::{Exchange, Slurm};
use nao_run::{RunFolder, quoted};

use super::print_text;
use crate::args::CancelArgs;
use crate::failure::RunFailed;

/// Leaves the word to stop, which coordinator and workers find wherever they are, and ends the jobs of the scheduler.
pub fn run(args: CancelArgs) -> Result<()> {
    let folder = RunFolder::open(&args.folder)?;
    let exchange = Exchange::of(folder.path());
    exchange.ask_to_stop("stopped by nao cancel")?;
    let path = folder.path().display();
    if let Some(mut slurm) = Slurm::of(&exchange)? {
        slurm.cancel().map_err(|error| {
            RunFailed(format!("workers will go, but the jobs {} could not be ended: {error}", slurm.name()))
        })?;
        print_text(&format!("ended the jobs {}", slurm.name()))?;
    }
    match folder.end()? {
        Some(end) => {
            print_text(&format!("{path} has ended ({end}): there was nothing to stop but idle workers"))
        }
        None => print_text(&format!(
            "stopped {path}; what is done is kept. Go on with:  nao resume {}",
            quoted(folder.path())
        )),
    }
}
