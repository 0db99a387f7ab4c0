//! `nao status`: how a run stands.

use anyhow::Result;
use nao_run::RunFolder;

use super::{print_json, print_text};
use crate::args::RunFolderArgs;
use crate::report::{RunStatus, status_text};

pub fn run(args: RunFolderArgs) -> Result<()> {
    let folder = RunFolder::open(&args.folder)?;
    let status = RunStatus::of(&folder)?;
    if args.json { print_json(&status) } else { print_text(&status_text(&status)) }
}
