//! What a full disk does to the store: nothing, but that it says so.

use nao_space::TrialId;

use super::tests::{filled, measured, round, trial};
use super::{Recorded, RoundRecord, Store, StoredTrial};

fn limit_pages(store: &Store, pages: i64) {
    store
        .connection
        .pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
        .unwrap();
}

#[test]
fn a_write_that_finds_no_room_changes_nothing_and_succeeds_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = filled(folder.path(), 2, 20);
    // From now on the file may not grow.
    limit_pages(&store, 1);
    let mut bulky = measured(0.5).unwrap();
    bulky.extra = (0..500).map(|number| (format!("quantity {number}"), 0.25)).collect();
    let before = store.trials().unwrap();
    let more: Vec<StoredTrial> =
        (41..200).map(|id| StoredTrial { round: 2, ..trial(id, &format!("new {id}")) }).collect();
    let next = RoundRecord { round: 2, ..round() };

    let errors = [
        store.record(TrialId(5), &Ok(bulky.clone())).unwrap_err(),
        store.open_round(&next, &more).unwrap_err(),
    ];
    for error in errors {
        let error = format!("{error:#}");
        assert!(error.contains("trials.sqlite") && error.contains("database or disk is full"), "{error}");
    }
    assert_eq!(store.trials().unwrap(), before);
    assert_eq!(store.rounds().unwrap().len(), 2);
    // What needs no more room than there is goes on.
    store.start(TrialId(10)).unwrap();
    store.put_back(TrialId(10)).unwrap();
    assert_eq!(store.trials().unwrap(), before);
    let path = folder.path().join("trials.sqlite");
    assert_eq!(Store::open_to_read(&path).unwrap().trials().unwrap(), before);

    limit_pages(&store, 10_000);
    assert_eq!(store.record(TrialId(5), &Ok(bulky)).unwrap(), Recorded::New);
    store.open_round(&next, &more).unwrap();
    assert_eq!(store.count().unwrap(), 199);
    drop(store);
    assert_eq!(Store::open(&path).unwrap().trials_of_round(2).unwrap(), more);
}
