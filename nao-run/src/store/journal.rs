//! A look at the rollback journal before SQLite goes by it.
//!
//! A journal holds the pages of the store as they were before a write. One that lies beside the store when it is opened
//! was left by a killed process, and SQLite undoes that write. It cannot tell a journal that was left from one that does
//! not belong there, such as when one of the two files was copied or put back alone: it would take results back that were
//! recorded since, and say nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::header::{Header, with_suffix};
use crate::error::{Context, Result, bail};

/// Refuses a journal that is not of the last write to the store, or is not whole.
pub(super) fn check_journal(store: &Path) -> Result<()> {
    // Another process may write one result after the other between the looks at the two files, but not each time.
    for pause in [20, 40, 0].map(Duration::from_millis) {
        if !is_foreign(store)? {
            return Ok(());
        }
        sleep(pause);
    }
    let (path, journal) = (store.display(), with_suffix(store, "-journal"));
    let journal = journal.display();
    bail!(
        "{journal} is torn or does not belong to {path} as it is; with it, results that were recorded since would be taken \
         back. Was one of the two copied alone? Copy both together, or move the journal away"
    )
}

fn is_foreign(store: &Path) -> Result<bool> {
    let path = with_suffix(store, "-journal");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    // SQLite finds no journal in it either, and throws the file away.
    if !bytes.starts_with(&MAGIC) {
        return Ok(false);
    }
    let Some(header) = Header::read(store)? else { return Ok(false) };
    let before = changes_before(&bytes);
    Ok(before.is_none_or(|before| header.changes().wrapping_sub(before) > 1))
}

/// What a journal begins with when every page is in it.
const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// How often the store had been changed before the write of a journal, as the first page in it says; `None` where it does
/// not hold that page whole. Every commit puts it there, because the commit counts the change.
///
/// The format: <https://sqlite.org/fileformat2.html#the_rollback_journal>.
fn changes_before(journal: &[u8]) -> Option<u32> {
    let [nonce, sector, page] = [12, 20, 24].map(|at| number(journal, at));
    let page = Some(page? as usize).filter(|page| (512..=65_536).contains(page))?;
    // A record is a page with its number in front and its sum behind.
    let mut records = journal.get(sector? as usize..)?.chunks_exact(4 + page + 4);
    let first = records.find(|record| number(record, 0) == Some(1))?;
    let content = &first[4..4 + page];
    // Every 200th byte from the end is summed, but not the first.
    let summed = (1..=(page - 1) / 200).map(|back| content[page - 200 * back]);
    let sum = summed.fold(nonce?, |sum, byte| sum.wrapping_add(byte.into()));
    (number(first, 4 + page) == Some(sum)).then(|| number(content, 24))?
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
