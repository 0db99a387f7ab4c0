//! Files from outside: read whole or refused, never in part, and never beyond a limit.
//!
//! Every reader of this workspace takes files through this module: packed ones are unpacked to their last member, a
//! byte-order mark is no part of a text, and a small file that unpacks to a huge one is refused before memory ends.
//!
//! ```
//! use nao_space::file::{self, MIB};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("notes.txt");
//! std::fs::write(&path, "\u{feff}one word")?;
//! assert_eq!(file::text(&path, MIB)?, "one word");
//! let error = file::text(&path, 4).unwrap_err().to_string();
//! assert!(error.contains("more than 4 bytes"), "{error}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checksum;
mod error;
mod unpacked;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use checksum::{ChecksumError, check_checksum, with_checksum};
pub use error::{FileError, MIB};
pub use unpacked::Unpacked;

use unpacked::MARK;

/// All bytes of a file, unpacked where it is packed by gzip or zstd.
///
/// # Errors
/// When the file cannot be read or unpacked, or has more than `limit` bytes: names it.
pub fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let read = Unpacked::open(path, limit)?.read_to_end(&mut bytes);
    read.map_err(|error| FileError::of(path, error))?;
    Ok(bytes)
}

/// The most that is read of what does not say how long it is, a device or a pipe.
const LONGEST_STREAM: u64 = 64 * MIB;

/// All bytes of a file as they are, which is right for formats of their own.
///
/// # Errors
/// When the file cannot be read, or has more than `limit` bytes: names it. A device or a pipe may have 64 MiB.
pub fn raw_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    let too_long = |limit| FileError::TooLong { path: path.to_owned(), limit };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let limit = if metadata.is_file() { limit } else { limit.min(LONGEST_STREAM) };
    if metadata.len() > limit {
        return Err(too_long(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit { Err(too_long(limit)) } else { Ok(bytes) }
}

/// The whole text of a file, unpacked where it is packed by gzip or zstd, without a byte-order mark.
///
/// # Errors
/// As [`bytes`], and when the file is no UTF-8: names it and the place.
pub fn text(path: &Path, limit: u64) -> Result<String, FileError> {
    let mut bytes = bytes(path, limit)?;
    let mark = if bytes.starts_with(MARK) { MARK.len() } else { 0 };
    bytes.drain(..mark);
    String::from_utf8(bytes).map_err(|error| {
        let at = (mark + error.utf8_error().valid_up_to()) as u64;
        FileError::NotText { path: path.to_owned(), at }
    })
}

#[cfg(test)]
mod tests;
