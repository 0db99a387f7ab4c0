//! Stores that are torn: one clear error or the whole history, never a shorter one.

use std::fs;
use std::path::{Path, PathBuf};

use nao_space::TrialId;
use rusqlite::Connection;
use tempfile::TempDir;

use super::header::with_suffix;
use super::tests::{filled, measured};
use super::{RoundRecord, Store, StoredTrial, TrialStatus};
use crate::error::Result;

/// A store of many pages as bytes, what it holds, and a place for damaged copies of it.
struct Bench {
    folder: TempDir,
    bytes: Vec<u8>,
    history: History,
}

type History = (Vec<RoundRecord>, Vec<StoredTrial>);

/// How a damaged store answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Refused,
    Whole,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(folder.path(), 3, 20);
        let history = history(&store).unwrap();
        drop(store);
        let bytes = fs::read(folder.path().join("trials.sqlite")).unwrap();
        Bench { folder, bytes, history }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("trials.sqlite")
    }

    /// Opens the store, as it is put here, to look and then to write.
    fn answers(&self, bytes: &[u8], journal: Option<&[u8]>, what: &str) -> [Answer; 2] {
        let put = || {
            fs::write(self.path(), bytes).unwrap();
            let beside = with_suffix(&self.path(), "-journal");
            let _ = fs::remove_file(&beside);
            if let Some(content) = journal {
                fs::write(beside, content).unwrap();
            }
        };
        put();
        let looked = self.answer(Store::open_to_read(&self.path()), what);
        assert_eq!(fs::read(self.path()).unwrap(), bytes, "{what}: looking has changed the store");
        put();
        [looked, self.answer(Store::open(&self.path()), what)]
    }

    fn answer(&self, opened: Result<Store>, what: &str) -> Answer {
        match opened.and_then(|store| history(&store)) {
            Ok(found) => {
                assert_eq!(found, self.history, "{what}: another history");
                Answer::Whole
            }
            Err(error) => {
                let error = format!("{error:#}");
                assert!(error.contains("trials.sqlite"), "{what}: {error}");
                Answer::Refused
            }
        }
    }
}

fn history(store: &Store) -> Result<History> {
    Ok((store.rounds()?, store.trials()?))
}

/// Bytes of a page, SQLite's default.
const PAGE: usize = 4096;

#[test]
fn a_store_that_ends_early_is_refused() {
    let bench = Bench::new();
    let size = bench.bytes.len();
    assert!(size > 5 * PAGE, "{size} bytes are too few to be cut in interesting places");
    let around_pages = (0..size).step_by(PAGE).flat_map(|end| [end.saturating_sub(1), end, end + 1]);
    for end in (0..size).step_by(509).chain(around_pages).chain(size - 20..size) {
        let answers = bench.answers(&bench.bytes[..end], None, &format!("the first {end} of {size} bytes"));
        // Only the end of the last page may hold nothing.
        assert!(end > size - PAGE || answers == [Answer::Refused; 2], "cut to {end} of {size} bytes");
    }
}

#[test]
fn flipped_bytes_of_any_page_s_head_are_refused_or_change_nothing() {
    let bench = Bench::new();
    let heads = (0..bench.bytes.len()).step_by(PAGE);
    let in_heads = heads.flat_map(|page| if page == 0 { 0..112 } else { page..page + 16 });
    let mut refused = 0;
    for at in in_heads {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = bench.bytes.clone();
            bytes[at] ^= flip;
            let answers = bench.answers(&bytes, None, &format!("byte {at} flipped by {flip:#x}"));
            refused += answers.iter().filter(|answer| **answer == Answer::Refused).count();
        }
    }
    assert!(refused > 100, "{refused} refused: were the right bytes flipped?");
}

#[test]
fn zeroed_sectors_are_refused_or_change_nothing() {
    let bench = Bench::new();
    for start in (0..bench.bytes.len()).step_by(512) {
        let mut bytes = bench.bytes.clone();
        bytes[start..start + 512].fill(0);
        bench.answers(&bytes, None, &format!("zeros from {start}"));
    }
}

#[test]
fn what_is_no_journal_is_no_harm() {
    let bench = Bench::new();
    let garbage: Vec<u8> = (0..30_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let journals = [&[][..], &[0; 600], b"garbage", &garbage];
    for journal in journals {
        let what = format!("{} bytes for a journal", journal.len());
        assert_eq!(bench.answers(&bench.bytes, Some(journal), &what), [Answer::Whole; 2], "{what}");
    }
}

/// Records one more result. Gives the journal of that write as a process leaves it that is killed at its very end.
fn record_and_keep_the_journal(path: &Path, id: u64) -> Vec<u8> {
    let store = Store::open(path).unwrap();
    store.connection.execute_batch("BEGIN").unwrap();
    store.record(TrialId(id), &measured(0.5)).unwrap();
    let kept = with_suffix(path, ".kept");
    fs::hard_link(with_suffix(path, "-journal"), &kept).unwrap();
    store.connection.execute_batch("COMMIT").unwrap();
    let journal = fs::read(&kept).unwrap();
    fs::remove_file(kept).unwrap();
    journal
}

#[test]
fn a_journal_is_gone_by_after_its_own_write_and_no_other() {
    let Bench { folder, bytes: original, history: at_first } = Bench::new();
    let path = folder.path().join("trials.sqlite");
    let first = record_and_keep_the_journal(&path, 5);
    let once_more = fs::read(&path).unwrap();
    let second = record_and_keep_the_journal(&path, 10);
    let twice_more = fs::read(&path).unwrap();
    let at_last = history(&Store::open_to_read(&path).unwrap()).unwrap();
    assert_ne!(at_last, at_first);
    // What SQLite does by itself with the journal of the write before last: a result is gone, and nobody is told.
    let (alone, beside) = (folder.path().join("alone"), folder.path().join("alone-journal"));
    fs::write(&alone, &twice_more).unwrap();
    fs::write(beside, &first).unwrap();
    let sql = "SELECT COUNT(*) FROM trials WHERE measurement IS NOT NULL OR error IS NOT NULL";
    let recorded: i64 = Connection::open(&alone).unwrap().query_row(sql, [], |row| row.get(0)).unwrap();
    let known = at_first.1.iter().filter(|trial| trial.status != TrialStatus::Proposed).count();
    assert_eq!(recorded, known as i64 + 1);

    let bench = Bench { folder, bytes: twice_more, history: at_last };
    let answers = bench.answers(&bench.bytes, Some(&first), "the journal of the write before last");
    assert_eq!(answers, [Answer::Refused; 2]);
    for end in (0..first.len()).step_by(401) {
        bench.answers(&bench.bytes, Some(&first[..end]), &format!("its first {end} bytes"));
        let mut torn = first.clone();
        torn[end] ^= 0xff;
        bench.answers(&bench.bytes, Some(&torn), &format!("all but its byte {end}"));
    }
    let answers = bench.answers(&original, Some(&second), "a journal of a later write");
    assert_eq!(answers, [Answer::Refused; 2]);
    // Of the last write: the process may have been killed before it was whole, and it is undone.
    let bench = Bench { history: at_first, ..bench };
    assert_eq!(bench.answers(&once_more, Some(&first), "its own journal"), [Answer::Whole; 2]);
}
