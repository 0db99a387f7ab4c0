//! Searches by the short way: what changes their history and what does not, and what is refused.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nao_run::{Patience, RunError, RunEvent, ScoreFunction, Search};
use nao_space::search::{EvolutionConfig, EvolutionSearch, History, RandomSearch};
use nao_space::{CnnArch, CnnSpace, EvaluationError, Space, Trial};

fn loose_ends(trial: &Trial<CnnArch>) -> f64 {
    trial.arch.normal.loose_ends().len() as f64
}

type Score = ScoreFunction<CnnArch, fn(&Trial<CnnArch>) -> f64>;

fn small<'a>(space: &CnnSpace, folder: &Path) -> Search<'a, CnnSpace, Score> {
    let score = ScoreFunction::maximize("loose ends", loose_ends as fn(&Trial<CnnArch>) -> f64);
    let search = Search::new(space.clone(), RandomSearch::new(space.clone(), 5), score).folder(folder);
    search.budget(12).initial(6).per_round(3)
}

fn spelled(space: &CnnSpace, history: &History<CnnArch>) -> Vec<(String, Option<f64>)> {
    let value =
        |outcome: &Result<nao_space::Measurement, EvaluationError>| outcome.as_ref().ok().map(|m| m.value);
    let trials = history.trials.iter();
    trials.map(|trial| (space.format(&trial.trial.arch), value(&trial.outcome))).collect()
}

#[test]
fn the_number_of_workers_changes_nothing() {
    let space = CnnSpace::default();
    let histories: Vec<_> = [1, 2, 7]
        .map(|workers| {
            let config = EvolutionConfig { population: 6, sample: 3, ..EvolutionConfig::default() };
            let strategy = EvolutionSearch::new(space.clone(), config, 2).unwrap();
            let score = ScoreFunction::maximize("loose ends", loose_ends);
            let search = Search::new(space.clone(), strategy, score).budget(40).initial(10).per_round(5);
            spelled(&space, &search.workers(workers).run().unwrap())
        })
        .into();
    assert_eq!(histories[0].len(), 40);
    assert!(histories.iter().all(|history| *history == histories[0]));
}

#[test]
fn a_setting_that_defines_the_search_is_refused_and_changes_nothing() {
    let (space, place) = (CnnSpace::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("run");
    let first = small(&space, &folder).run().unwrap();
    let other = |search: Search<'_, CnnSpace, Score>, word: &str| {
        let error = search.run().unwrap_err();
        assert!(matches!(error, RunError::Refused(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(word) && text.contains("another folder"), "{text}");
    };
    other(small(&space, &folder).per_round(4), "per_round");
    other(small(&space, &folder).seed(2), "seed: 1 in the folder, 2 asked");
    let score = || ScoreFunction::maximize("loose ends", loose_ends as fn(&Trial<CnnArch>) -> f64);
    let seeded = Search::new(space.clone(), RandomSearch::new(space.clone(), 6), score())
        .budget(12)
        .initial(6)
        .per_round(3);
    other(seeded.folder(&folder), "the strategy random proposes other first trials");
    let evolution = EvolutionSearch::new(space.clone(), EvolutionConfig::default(), 5).unwrap();
    let changed =
        Search::new(space.clone(), evolution, score()).budget(12).initial(6).per_round(3).folder(&folder);
    other(changed, "strategy: random in the folder, evolution asked");
    let least = ScoreFunction::minimize("other", loose_ends as fn(&Trial<CnnArch>) -> f64);
    let search = Search::new(space.clone(), RandomSearch::new(space.clone(), 5), least)
        .budget(12)
        .initial(6)
        .per_round(3);
    other(search.folder(&folder), "objective");
    // The number of workers defines nothing, and a search that is over is only read.
    let again = small(&space, &folder).workers(3).run().unwrap();
    assert_eq!(spelled(&space, &again), spelled(&space, &first));
}

#[test]
fn a_larger_budget_goes_on_and_a_smaller_one_is_refused() {
    let (space, place) = (CnnSpace::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("run");
    let short = small(&space, &folder).run().unwrap();
    let long = small(&space, &folder).budget(18).run().unwrap();
    let at_once = small(&space, &place.path().join("at once")).budget(18).run().unwrap();
    assert_eq!(spelled(&space, &long), spelled(&space, &at_once));
    assert_eq!(spelled(&space, &long)[..12], spelled(&space, &short));
    let error = small(&space, &folder).run().unwrap_err().to_string();
    assert!(error.contains("has 18 trials, and a budget of 12 is less: take 18 or more"), "{error}");
}

#[test]
fn a_panic_fails_its_trial_alone() {
    let space = CnnSpace::default();
    let score = ScoreFunction::maximize("loose ends", |trial: &Trial<CnnArch>| match trial.id.0 {
        3 => panic!("trial {} is no good", trial.id),
        4 => f64::NAN,
        _ => loose_ends(trial),
    });
    let search = Search::new(space.clone(), RandomSearch::new(space.clone(), 1), score)
        .budget(8)
        .initial(8)
        .workers(2);
    let history = search.run().unwrap();
    let outcomes: Vec<bool> = history.trials.iter().map(|trial| trial.outcome.is_ok()).collect();
    assert_eq!(outcomes, [true, true, false, false, true, true, true, true]);
    let panicked = EvaluationError::Panicked { message: "trial 3 is no good".into() };
    assert_eq!(history.trials[2].outcome, Err(panicked));
}

#[test]
fn a_search_that_fails_too_often_says_so() {
    let space = CnnSpace::default();
    let score = ScoreFunction::maximize("nothing", |_: &Trial<CnnArch>| f64::INFINITY);
    let search = Search::new(space.clone(), RandomSearch::new(space.clone(), 1), score).budget(8).initial(4);
    let patience = Patience { max_attempts: None, max_failed_share: 1.0 };
    let error = search.patience(patience).run().unwrap_err();
    assert!(
        matches!(&error, RunError::Failed(text) if text.contains("every trial of round 1 failed")),
        "{error}"
    );
}

#[test]
fn a_stopped_search_goes_on_to_the_same_end() {
    let (space, place) = (CnnSpace::default(), tempfile::tempdir().unwrap());
    let unbroken = small(&space, &place.path().join("unbroken")).run().unwrap();
    let folder = place.path().join("stopped");
    let (flag, over) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let stopped = small(&space, &folder).workers(1).stopped_by(flag.clone()).watch(|event| {
        if matches!(event, RunEvent::Finished { .. }) && over.fetch_add(1, Ordering::Relaxed) == 6 {
            flag.store(true, Ordering::Relaxed);
        }
    });
    let error = stopped.run().unwrap_err();
    assert!(matches!(&error, RunError::Interrupted(text) if text.contains("to go on")), "{error}");
    assert!((7..12).contains(&over.load(Ordering::Relaxed)), "{over:?}");
    let history = small(&space, &folder).run().unwrap();
    assert_eq!(spelled(&space, &history), spelled(&space, &unbroken));
}

#[test]
fn settings_without_sense_and_foreign_folders_are_refused() {
    let (space, place) = (CnnSpace::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("run");
    for search in [
        small(&space, &folder).budget(0),
        small(&space, &folder).initial(0),
        small(&space, &folder).per_round(0),
        small(&space, &folder).workers(0),
    ] {
        let error = search.run().unwrap_err();
        assert!(error.to_string().contains("is 0"), "{error}");
        assert!(!folder.exists(), "a refused search leaves nothing");
    }
    let error = small(&space, place.path()).run().unwrap_err();
    assert!(error.to_string().contains("is not a run folder: it has no search.json"), "{error}");
}

#[test]
fn a_folder_at_work_is_refused() {
    let (space, place) = (CnnSpace::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("run");
    let mut refused = String::new();
    let search = small(&space, &folder).watch(|event| {
        if matches!(event, RunEvent::Begun { .. }) {
            refused = small(&space, &folder).run().unwrap_err().to_string();
        }
    });
    search.run().unwrap();
    assert!(refused.contains("is in use by process"), "{refused}");
}

#[test]
fn a_watcher_is_told_of_rounds_and_of_every_trial_in_order() {
    let (space, place) = (CnnSpace::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("run");
    let watched = |budget| {
        let mut told = Vec::new();
        let search = small(&space, &folder).budget(budget).workers(1).watch(|event| match event {
            RunEvent::Begun { trials, budget } => told.push(format!("begun {} of {budget}", trials.len())),
            RunEvent::Choosing { round, trials } => told.push(format!("choosing {round}: {trials}")),
            RunEvent::Round { round, trials } => told.push(format!("round {round}: {}", trials.len())),
            RunEvent::Started { slot, trial } => told.push(format!("started {trial} {slot:?}")),
            RunEvent::Finished { trial, outcome, .. } => {
                told.push(format!("finished {trial} {}", outcome.is_ok()))
            }
            _ => {}
        });
        search.run().unwrap();
        told
    };
    let of_trial = |trial: u64| [format!("started {trial} Some(0)"), format!("finished {trial} true")];
    let mut expected = vec!["begun 0 of 7".to_owned(), "choosing 0: 6".to_owned(), "round 0: 6".to_owned()];
    expected.extend((1..=6).flat_map(of_trial));
    expected.extend(["choosing 1: 1".to_owned(), "round 1: 1".to_owned()]);
    expected.extend(of_trial(7));
    assert_eq!(watched(7), expected);
    // What is over is not told again.
    let mut expected =
        ["begun 7 of 8", "round 1: 1", "choosing 2: 1", "round 2: 1"].map(str::to_owned).to_vec();
    expected.extend(of_trial(8));
    assert_eq!(watched(8), expected);
}
