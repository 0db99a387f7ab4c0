//! Whether a run can go on as far as it is asked to.

use std::path::Path;

use anyhow::{Result, bail};
use nao_space::search::Stop;

use super::config::RunConfig;
use super::store::{RoundRecord, Store};
use crate::task::Task;

/// Checks the budget that is asked of a run. Gives the last round where its strategy had nothing
/// more, and is to be asked once more.
///
/// # Errors
/// When the run has more trials than that, or when more of them would find nothing.
pub fn check_budget<T: Task>(
    folder: &Path,
    store: &Store,
    stored: &RunConfig<T>,
    asked: &RunConfig<T>,
) -> Result<Option<RoundRecord>> {
    let (folder, budget, done) = (folder.display(), asked.rounds.budget, store.count()?);
    if budget < done {
        bail!(
            "{folder} has {done} trials, and a budget of {budget} is less: leave --budget out, or take {done} or more"
        );
    }
    let last = store.rounds()?.pop().filter(|_| budget > stored.rounds.budget);
    match last.as_ref().and_then(|last| last.stop) {
        Some(Stop::SpaceExhausted) => bail!(
            "{folder} has tried every cell of its space in {done} trials, so that a larger budget finds nothing more; \
             search a larger space in a new run, or train the best cell: nao train --from {folder} --rank 1"
        ),
        Some(_) => Ok(last),
        None => Ok(None),
    }
}
