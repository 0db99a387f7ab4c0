//! The store by itself, and what the tests of its parts share.

use nao_space::{Fidelity, Objective};

use super::*;

pub(super) fn trial(id: u64, key: &str) -> StoredTrial {
    StoredTrial {
        id: TrialId(id),
        round: 0,
        arch: key.into(),
        key: ArchKey(key.into()),
        seed: 5,
        origin: Origin::Ascent { parent: TrialId(1), step: 0.5 },
        attempts: 0,
        status: TrialStatus::Proposed,
    }
}

pub(super) fn measured(value: f64) -> Result<Measurement, EvaluationError> {
    let fidelity = Fidelity::new("test", 1).with_digest("0123456789abcdef");
    Ok(Measurement::new(Objective::validation_accuracy(), value).at(fidelity).with_cost(1, 2).in_seconds(0.1))
}

pub(super) fn round() -> RoundRecord {
    RoundRecord { round: 0, stop: Some(Stop::SpaceExhausted), warnings: vec!["w".into()], seconds: 0.5 }
}

pub(super) fn opened(folder: &Path) -> Store {
    let path = folder.join("trials.sqlite");
    Store::create(&path).unwrap();
    let mut store = Store::open(&path).unwrap();
    store.open_round(&round(), &[trial(1, "a"), trial(2, "b")]).unwrap();
    store
}

/// Some rounds of trials, most of which have an outcome: a file of many pages.
pub(super) fn filled(folder: &Path, rounds: u64, per_round: u64) -> Store {
    let path = folder.join("trials.sqlite");
    Store::create(&path).unwrap();
    let mut store = Store::open(&path).unwrap();
    for number in 0..rounds {
        let ids = number * per_round + 1..=(number + 1) * per_round;
        let named = ids.clone().map(|id| StoredTrial {
            round: number,
            ..trial(id, &format!("trial {id} {}", "spelled out ".repeat(20)))
        });
        let record = RoundRecord { round: number, stop: None, ..round() };
        store.open_round(&record, &named.collect::<Vec<_>>()).unwrap();
        for id in ids.filter(|id| id % 5 != 0) {
            let failed = EvaluationError::TimeLimit { seconds: id as f64 };
            let outcome = if id % 7 == 0 { Err(failed) } else { measured(1.0 / id as f64) };
            store.record(TrialId(id), &outcome).unwrap();
        }
    }
    store
}

fn journal_mode(store: &Store) -> String {
    store.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap()
}

#[test]
fn what_is_stored_reads_back_and_a_second_result_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path());
    store.start(TrialId(1)).unwrap();
    assert_eq!(store.record(TrialId(1), &measured(0.1 + 0.2)).unwrap(), Recorded::New);
    assert_eq!(store.record(TrialId(1), &measured(0.9)).unwrap(), Recorded::Duplicate);
    assert_eq!(store.record(TrialId(1), &Err(EvaluationError::Interrupted)).unwrap(), Recorded::Duplicate);
    let failed = EvaluationError::NotFinite { epoch: 2, loss: "NaN".into() };
    store.record(TrialId(2), &Err(failed.clone())).unwrap();
    drop(store);

    let store = Store::open(&folder.path().join("trials.sqlite")).unwrap();
    let trials = store.trials().unwrap();
    let done =
        StoredTrial { attempts: 1, status: TrialStatus::Done(measured(0.1 + 0.2).unwrap()), ..trial(1, "a") };
    assert_eq!(trials, [done, StoredTrial { status: TrialStatus::Failed(failed), ..trial(2, "b") }]);
    assert_eq!(store.rounds().unwrap(), [round()]);
    assert_eq!(store.count().unwrap(), 2);
}

#[test]
fn a_round_with_a_known_architecture_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = opened(folder.path());
    let again = RoundRecord { round: 1, ..round() };
    assert!(store.open_round(&again, &[trial(3, "c"), trial(4, "a")]).is_err());
    assert_eq!(store.count().unwrap(), 2);
    assert_eq!(store.rounds().unwrap().len(), 1);
}

#[test]
fn a_round_that_goes_on_keeps_its_trials_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path());
    let trials = store.trials().unwrap();
    store.reopen_round(&round(), "asked once more").unwrap();
    let warnings = vec!["w".to_owned(), "asked once more".to_owned()];
    assert_eq!(store.rounds().unwrap(), [RoundRecord { stop: None, warnings, ..round() }]);
    assert_eq!(store.trials().unwrap(), trials);
}

/// Version 1 had the same tables, and fidelities without digest.
#[test]
fn a_store_of_version_1_is_read_and_becomes_one_of_today_when_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.sqlite");
    let store = opened(folder.path());
    let old = Measurement::new(Objective::validation_accuracy(), 0.5).at(Fidelity::new("test", 1));
    store.record(TrialId(1), &Ok(old.clone())).unwrap();
    drop(store);
    let version = || {
        let connection = Connection::open(&path).unwrap();
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(version(), 2);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 1).unwrap();
    let before = std::fs::read(&path).unwrap();
    let done = |store: Store| store.trials().unwrap()[0].status.clone();
    assert_eq!(done(Store::open_to_read(&path).unwrap()), TrialStatus::Done(old.clone()));
    assert_eq!(std::fs::read(&path).unwrap(), before, "looking changes nothing");
    assert_eq!(done(Store::open(&path).unwrap()), TrialStatus::Done(old));
    assert_eq!(version(), 2);
}

#[test]
fn a_trial_that_was_stopped_on_purpose_has_no_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path());
    store.start(TrialId(1)).unwrap();
    store.put_back(TrialId(1)).unwrap();
    assert_eq!(store.trials().unwrap()[0], trial(1, "a"));
}

#[test]
fn an_attempt_that_is_reported_again_is_the_same_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path());
    for (reported, attempts) in [(1, 1), (1, 1), (3, 3), (2, 3)] {
        store.started(TrialId(1), reported).unwrap();
        let trial = &store.trials().unwrap()[0];
        assert_eq!((trial.attempts, &trial.status), (attempts, &TrialStatus::Running));
    }
    store.record(TrialId(1), &measured(0.5)).unwrap();
    store.started(TrialId(1), 4).unwrap();
    let trial = &store.trials().unwrap()[0];
    assert_eq!((trial.attempts, &trial.status), (3, &TrialStatus::Done(measured(0.5).unwrap())));
}

#[test]
fn what_could_not_be_read_again_is_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path());
    let error = store.record(TrialId(1), &measured(f64::NAN)).unwrap_err().to_string();
    assert!(error.contains("trial 1") && error.contains("NaN"), "{error}");
    assert_eq!(store.trials().unwrap()[0], trial(1, "a"));
}

#[test]
fn a_round_is_read_by_the_index_and_trials_are_counted_by_reason() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 4, 30);
    let all = store.trials().unwrap();
    for round in 0..5 {
        let of_round: Vec<_> = all.iter().filter(|trial| trial.round == round).cloned().collect();
        assert_eq!(store.trials_of_round(round).unwrap(), of_round);
    }
    let sql = format!("EXPLAIN QUERY PLAN SELECT {COLUMNS} FROM trials WHERE round = 1 ORDER BY id");
    let plan: String = store.connection.query_row(&sql, [], |row| row.get("detail")).unwrap();
    assert_eq!(plan, "SEARCH trials USING INDEX trials_by_round (round=?)");

    store.record(TrialId(5), &Err(EvaluationError::WorkerDied { status: "killed".into() })).unwrap();
    store.start(TrialId(10)).unwrap();
    let failed = [("time limit", 14), ("worker died", 1)].into();
    assert_eq!(store.tally().unwrap(), Tally { proposed: 22, running: 1, done: 82, failed });
}

#[test]
fn a_store_with_a_write_ahead_log_is_brought_to_the_form_of_today_when_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.sqlite");
    let old = opened(folder.path());
    old.connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    old.connection.execute_batch("DROP INDEX trials_by_round").unwrap();
    old.record(TrialId(1), &measured(0.5)).unwrap();
    let trials = old.trials().unwrap();
    // A copy of what a killed process leaves: the result is in the log alone.
    let killed = folder.path().join("killed.sqlite");
    for suffix in ["", "-wal"] {
        let (from, to) = [&path, &killed].map(|path| header::with_suffix(path, suffix)).into();
        std::fs::copy(from, to).unwrap();
    }
    drop(old);

    for path in [path, killed] {
        let reader = Store::open_to_read(&path).unwrap();
        assert_eq!(reader.trials().unwrap(), trials);
        assert_eq!(journal_mode(&reader), "wal");
        drop(reader);
        let store = Store::open(&path).unwrap();
        assert_eq!(journal_mode(&store), "delete");
        assert_eq!(store.trials().unwrap(), trials);
        assert_eq!(store.trials_of_round(0).unwrap(), trials);
        store.connection.execute_batch("REINDEX trials_by_round").unwrap();
        assert!(!header::with_suffix(&path, "-wal").exists());
    }
}

#[test]
fn other_files_and_versions_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.sqlite");
    let refusals = || {
        let before = std::fs::read(&path).unwrap();
        let openings: [fn(&Path) -> Result<Store>; 2] = [Store::open, Store::open_to_read];
        let errors = openings.map(|open| format!("{:#}", open(&path).err().unwrap()));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        errors
    };
    for content in ["", "not a database", &"not a database, but long enough to look at".repeat(9)] {
        std::fs::write(&path, content).unwrap();
        for error in refusals() {
            assert!(error.contains("trials.sqlite is not a store of trials"), "{error}");
        }
    }
    std::fs::remove_file(&path).unwrap();
    drop(opened(folder.path()));
    for (version, says) in
        [(9, "version 9, this nao reads version 2: a newer nao wrote it"), (0, "use the nao that wrote it")]
    {
        Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
        for error in refusals() {
            assert!(error.contains("trials.sqlite has version") && error.contains(says), "{error}");
        }
    }
}
