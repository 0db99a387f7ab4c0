//! A search that is killed in the middle, several times, ends with the history of one that was never broken.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nao_run::{ScoreFunction, Search};
use nao_space::search::{EvolutionConfig, EvolutionSearch, History};
use nao_space::{CnnArch, CnnSpace, Space, Trial};

const BUDGET: u64 = 60;

/// The search. Trials after that of number `last` do not end, so that it can be caught in the middle of some.
fn search(space: &CnnSpace, folder: &Path, workers: usize, last: u64) -> nao_run::Result<History<CnnArch>> {
    let config = EvolutionConfig { population: 8, sample: 4, ..EvolutionConfig::default() };
    let strategy = EvolutionSearch::new(space.clone(), config, 7).expect("the settings are sound");
    let score = ScoreFunction::maximize("loose ends", move |trial: &Trial<CnnArch>| {
        if trial.id.0 > last {
            std::thread::sleep(Duration::from_secs(1_000_000));
        }
        std::thread::sleep(Duration::from_millis(trial.id.0 % 3));
        let loose = trial.arch.normal.loose_ends().len() + trial.arch.reduction.loose_ends().len();
        loose as f64 + (trial.seed % 1_000) as f64 / 1e6
    });
    let search = Search::new(space.clone(), strategy, score).budget(BUDGET).initial(12).per_round(6);
    search.seed(3).workers(workers).folder(folder).run()
}

/// Everything of a history but its times.
fn told(space: &CnnSpace, history: &History<CnnArch>) -> Vec<String> {
    let trials = history.trials.iter().map(|finished| {
        let outcome = finished.outcome.as_ref().map(|measured| measured.value.to_bits());
        let arch = space.format(&finished.trial.arch);
        format!(
            "{} {arch} {} {} {:?} {outcome:?}",
            finished.trial.id, finished.trial.seed, finished.round, finished.origin
        )
    });
    trials.collect()
}

fn main() {
    let space = CnnSpace::default();
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|word| word == "--search") {
        let folder = arguments.next().expect("a folder is named");
        let last = arguments.next().and_then(|word| word.to_str()?.parse().ok()).expect("a number is named");
        search(&space, Path::new(&folder), 3, last).expect("the search ends");
        return;
    }
    a_killed_search_ends_as_one_that_was_never_broken(&space);
    println!("test a_killed_search_ends_as_one_that_was_never_broken ... ok");
}

fn a_killed_search_ends_as_one_that_was_never_broken(space: &CnnSpace) {
    let place = tempfile::tempdir().unwrap();
    let unbroken = search(space, &place.path().join("unbroken"), 1, BUDGET).unwrap();
    assert_eq!(unbroken.trials.len() as u64, BUDGET);

    let folder = place.path().join("killed");
    let start = |last: u64| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--search").arg(&folder).arg(last.to_string()).stdin(Stdio::null()).spawn().unwrap()
    };
    for last in [5, 20, 40] {
        let mut child = start(last);
        let begun = Instant::now();
        while done(&folder) < last {
            assert!(child.try_wait().unwrap().is_none(), "the search ended before it was killed");
            assert!(begun.elapsed() < Duration::from_secs(300), "the search stands still");
            std::thread::sleep(Duration::from_millis(5));
        }
        // SIGKILL: nothing of the process runs after it.
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(done(&folder), last, "trials in the middle were counted as over");
    }
    assert!(start(BUDGET).wait().unwrap().success());
    // A search that is over is only read.
    let broken = search(space, &folder, 2, 0).unwrap();
    assert_eq!(told(space, &broken), told(space, &unbroken));
}

/// Trials that are over; none before there is a store.
fn done(folder: &Path) -> u64 {
    let store = folder.join("trials.sqlite");
    let Ok(store) = nao_run::Store::open_to_read(&store) else { return 0 };
    store.tally().map_or(0, |tally| tally.done)
}
