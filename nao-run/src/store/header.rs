//! What can be read of a store before SQLite opens it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::{Context, Result};

/// The bytes in front of every SQLite file.
#[derive(Clone, Copy)]
pub(super) struct Header([u8; 100]);

impl Header {
    /// `None` where the file is none of SQLite's. As with every file that SQLite locks, closing it here takes the locks of
    /// this process from it: no store of the same process may be in the middle of a write.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let failed = || format!("cannot read {}", path.display());
        let mut bytes = [0; 100];
        match File::open(path).with_context(failed)?.read_exact(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            read => read.with_context(failed)?,
        }
        Ok(bytes.starts_with(b"SQLite format 3\0").then_some(Header(bytes)))
    }

    /// How often the file was changed.
    pub(super) fn changes(&self) -> u32 {
        self.number(24)
    }

    /// The version of what the file holds.
    pub(super) fn version(&self) -> i64 {
        i64::from(self.number(60) as i32)
    }

    fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(std::array::from_fn(|byte| self.0[at + byte]))
    }
}

/// A file beside the store.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
