//! Why a file is not read.

use std::io;
use std::path::{Path, PathBuf};

/// Bytes of a mebibyte, in which limits are given.
pub const MIB: u64 = 1 << 20;

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
    /// The error that an [`Unpacked`](super::Unpacked) reader gave to a reader on top of it; gives other errors back.
    ///
    /// # Errors
    /// The error itself, where it did not come from here.
    pub fn inside(error: io::Error) -> Result<FileError, io::Error> {
        error.downcast()
    }

    /// What was said when reading `path` failed, by an [`Unpacked`](super::Unpacked) reader or by the system.
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
