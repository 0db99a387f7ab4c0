//! `nao best`.

use anyhow::{Result, bail};
use nao_run::{Ranking, RunFolder, quoted};

use super::{print_json, print_text};
use crate::args::BestArgs;
use crate::output::tell;
use crate::report::best_table;

pub fn run(args: BestArgs) -> Result<()> {
    if args.top == 0 {
        bail!("--top counts from 1");
    }
    let trials = RunFolder::open(&args.folder)?.store_to_read()?.trials()?;
    let ranking = Ranking::of(&trials, args.top);
    if let Some(remark) = ranking.remark() {
        tell(format_args!("{remark}"));
    }
    let best = ranking.entries;
    if args.json {
        return print_json(&best);
    }
    if best.is_empty() {
        bail!("no trial of {} is measured yet", args.folder.display());
    }
    let mut text = best_table(&best);
    text.push('\n');
    for entry in &best {
        text.push_str(&format!("{:>3}  {}\n", entry.rank, entry.architecture));
    }
    text.push_str(&format!("train one to the end:  nao train --from {} --rank 1", quoted(&args.folder)));
    print_text(&text)
}
