//! `nao status`: how a run stands.

use anyhow::Result;
use nao_run::RunFolder;
use nao_run::status::RunStatus;

use super::{print_json, print_text};
use crate::args::RunFolderArgs;
use crate::cells::with_recipe;
use crate::report::status_text;
use crate::run::{RunConfig, RunContents};

pub fn run(args: RunFolderArgs) -> Result<()> {
    let folder = RunFolder::open(&args.folder)?;
    let (executor, budget, edited) = with_recipe!(folder.kind()?, R => {
        let config: RunConfig<R> = folder.settings().read()?;
        (config.execution.executor, config.rounds.budget, folder.settings().changes(&config)?)
    });
    let status = RunStatus::of(&folder, executor, budget, &edited)?;
    if args.json { print_json(&status) } else { print_text(&status_text(&status)) }
}
