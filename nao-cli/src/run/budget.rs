//! Whether a run can go on as far as it is asked to.

use std::path::Path;

use anyhow::{Result, bail};
use nao_run::{RoundRecord, Store};
use nao_space::counted;
use nao_space::search::Stop;

use super::config::RunConfig;
use crate::task::Task;
use nao_run::quoted;

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
    let (path, budget, done) = (folder.display(), asked.rounds.budget, store.count()?);
    if budget < done {
        bail!(
            "{path} has {}, and a budget of {budget} is less: leave --budget out, or take {done} or more",
            counted(done, "trial")
        );
    }
    let last = store.rounds()?.pop().filter(|_| budget > stored.rounds.budget);
    match last.as_ref().and_then(|last| last.stop) {
        Some(Stop::SpaceExhausted) => bail!(
            "{path} has tried every cell of its space in {}, so that a larger budget finds nothing more; \
             search a larger space in a new run, or train the best cell: nao train --from {} --rank 1",
            counted(done, "trial"),
            quoted(folder)
        ),
        Some(_) => Ok(last),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use nao_space::search::RoundLimits;

    use super::*;
    use crate::args::{ExecutionOptions, RunOptions};
    use crate::run::resolve;
    use crate::task::ImageTask;

    #[test]
    fn a_run_that_stopped_is_asked_once_more_where_more_can_be_found() {
        let config = resolve::<ImageTask>(
            &Default::default(),
            &RunOptions::default(),
            &ExecutionOptions::default(),
            None,
        );
        let config = config.unwrap().config;
        let of = |budget| {
            let rounds = RoundLimits { budget, ..config.rounds };
            RunConfig { rounds, ..config.clone() }
        };
        for (stop, is_asked_again) in [
            (None, Ok(false)),
            (Some(Stop::NothingNewAfterStepLimit { step: 6.0 }), Ok(true)),
            (Some(Stop::SpaceExhausted), Err("every cell of its space")),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("trials.sqlite");
            Store::create(&path).unwrap();
            let mut store = Store::open(&path).unwrap();
            let round = RoundRecord { round: 0, stop, warnings: Vec::new(), seconds: 0.0 };
            store.open_round(&round, &[]).unwrap();
            let checked = |before, budget| check_budget(folder.path(), &store, &of(before), &of(budget));
            assert_eq!(checked(8, 8).unwrap(), None, "{stop:?}");
            assert_eq!(checked(8, 7).unwrap(), None, "{stop:?}");
            match (checked(8, 9), is_asked_again) {
                (Ok(again), Ok(expected)) => assert_eq!(again.is_some(), expected, "{stop:?}"),
                (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{error}"),
                (found, expected) => panic!("{stop:?}: {found:?}, not {expected:?}"),
            }
        }
    }
}
