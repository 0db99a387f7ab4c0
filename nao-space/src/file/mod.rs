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
mod unpacked;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use checksum::{ChecksumError, check_checksum, with_checksum};
pub use unpacked::Unpacked;

/// Bytes of a mebibyte, in which limits are given.
pub const MIB: u64 = 1 << 20;

/// The byte-order mark of UTF-8, which some editors and spreadsheets put before a text.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system does not let us read it.
    #[error("{}: cannot be read ({source}); check the path and its permissions", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A packed file that cannot be unpacked.
    #[error("{}: cannot be unpacked ({source}); the file is cut off or damaged, copy it again", .path.display())]
    Packed {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        source: io::Error,
    },
    /// A file whose name says that it is packed, and which is not.
    #[error(
        "{}: cannot be unpacked (it does not begin as a file of {packing} does); the file is damaged, or has the wrong \
         name: copy it again, or take the ending off its name", .path.display()
    )]
    NotPacked {
        /// The file.
        path: PathBuf,
        /// `gzip` or `zstd`.
        packing: &'static str,
    },
    /// A file that is longer than anything of its kind should be.
    #[error(
        "{}: it has more than {}, unpacked, which is the most that is read of its kind; is it the right file?",
        .path.display(), size(*.limit)
    )]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// A file that is no text.
    #[error("{}: byte {at} is not UTF-8; convert the file to UTF-8", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that does not fit, counted from 0.
        at: u64,
    },
}

impl FileError {
    /// The error that an [`Unpacked`] reader gave to a reader on top of it; gives other errors back.
    ///
    /// # Errors
    /// The error itself, where it did not come from here.
    pub fn inside(error: io::Error) -> Result<FileError, io::Error> {
        error.downcast()
    }

    /// What was said when reading `path` failed, by an [`Unpacked`] reader or by the system.
    pub fn of(path: &Path, error: io::Error) -> FileError {
        FileError::inside(error)
            .unwrap_or_else(|source| FileError::Unreadable { path: path.to_owned(), source })
    }
}

/// A number of bytes in words.
fn size(bytes: u64) -> String {
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}

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
