//! Whether a run can go on as far as it is asked to.

use std::path::Path;

use nao_space::counted;
use nao_space::search::{RoundLimits, Stop};
use nao_space::settings::{Setting, within};

use crate::error::{Result, bail};
use crate::shell::quoted;
use crate::store::{RoundRecord, Store};

/// More trials than any search can train. Rounds are proposed whole, and numbers without bound would fill the memory.
const MOST_TRIALS: u64 = 10_000_000;

/// Checks the rounds of a search.
///
/// # Errors
/// When one of the numbers is 0, or more than any search can try.
pub fn check_rounds(limits: RoundLimits) -> Result<()> {
    let RoundLimits { initial, per_round, budget } = limits;
    for (field, trials) in [("budget", budget), ("initial", initial), ("per_round", per_round)] {
        within(Setting { section: "rounds", field }, trials, 1..=MOST_TRIALS)?;
    }
    Ok(())
}

/// Checks the budget that is asked of a run which had the budget `before`. Gives the last round where its strategy had
/// nothing more, and is to be asked once more.
///
/// # Errors
/// When the run has more trials than that, or when more of them would find nothing.
pub fn check_budget(folder: &Path, store: &Store, before: u64, asked: u64) -> Result<Option<RoundRecord>> {
    let (path, done) = (folder.display(), store.count()?);
    if asked < done {
        bail!(
            "{path} has {}, and a budget of {asked} is less: leave --budget out, or take {done} or more",
            counted(done, "trial")
        );
    }
    let last = store.rounds()?.pop().filter(|_| asked > before);
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
    use super::*;

    #[test]
    fn a_run_that_stopped_is_asked_once_more_where_more_can_be_found() {
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
            let checked = |before, budget| check_budget(folder.path(), &store, before, budget);
            assert_eq!(checked(8, 8).unwrap(), None, "{stop:?}");
            assert_eq!(checked(8, 7).unwrap(), None, "{stop:?}");
            match (checked(8, 9), is_asked_again) {
                (Ok(again), Ok(expected)) => assert_eq!(again.is_some(), expected, "{stop:?}"),
                (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{error}"),
                (found, expected) => panic!("{stop:?}: {found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn rounds_without_trials_and_without_end_are_refused() {
        let sound = RoundLimits { initial: 1, per_round: 1, budget: 1 };
        assert!(check_rounds(sound).is_ok());
        for (limits, said) in [
            (RoundLimits { budget: 0, ..sound }, "rounds.budget is 0"),
            (RoundLimits { per_round: 0, ..sound }, "rounds.per_round is 0"),
            (RoundLimits { initial: u64::MAX, ..sound }, "from 1 to 10000000"),
        ] {
            let error = check_rounds(limits).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
