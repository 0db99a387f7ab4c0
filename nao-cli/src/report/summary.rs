//! What a search says when it ends.

use std::io::Write;

use anyhow::Result;
use nao_run::{Ending, RankedTrial, Ranking, RunFolder, StoredTrial, Tally, quoted};
use nao_space::counted;

use super::best::best_table;
use crate::output::tell;

/// How many cells the table shows.
const TOP: usize = 5;

/// Prints the end of a search: counts, the best cells and what to type next; or the best cells as JSON.
pub fn print_summary(
    folder: &RunFolder,
    seed: u64,
    trials: &[StoredTrial],
    tally: &Tally,
    ending: &Ending,
    json: bool,
) -> Result<()> {
    let ranking = Ranking::of(trials, TOP);
    if let Some(remark) = ranking.remark() {
        tell(format_args!("{remark}"));
    }
    let best = ranking.entries;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&best)?)?;
        return Ok(());
    }
    let reason = match ending {
        Ending::Stopped(stop) => format!("; stopped early: {stop}"),
        _ => String::new(),
    };
    let rounds = trials.last().map_or(0, |last| last.round + 1);
    writeln!(
        out,
        "{} trained in {} with seed {seed}{reason}",
        counted(tally.done, "cell"),
        counted(rounds, "round")
    )?;
    for (reason, count) in &tally.failed {
        writeln!(out, "{} failed: {reason}", counted(*count, "trial"))?;
    }
    writeln!(out, "{}", best_table(&best))?;
    if let Some(best) = best.first() {
        next_steps(&mut out, folder, best)?;
    }
    Ok(())
}

/// The scores above are those of short trainings: the best cell still has to be trained.
fn next_steps(out: &mut impl Write, folder: &RunFolder, best: &RankedTrial) -> Result<()> {
    let path = quoted(folder.path());
    writeln!(out, "best cell       {}", best.architecture)?;
    writeln!(out, "its picture     {}", folder.drawing().display())?;
    writeln!(out, "all results     nao best {path} --top 10")?;
    writeln!(out, "not trained to the end yet; next:  nao train --from {path} --rank 1")?;
    Ok(())
}
