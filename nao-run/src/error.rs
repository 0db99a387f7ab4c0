//! What can go wrong with a run, and a way to say where.

use std::error::Error;
use std::fmt::{self, Display};
use std::io;

use nao_space::file::FileError;
use nao_space::notation::ParseError;
use nao_space::search::StrategyError;
use nao_space::settings::InvalidSetting;

/// A result of this crate.
pub type Result<T, E = RunError> = std::result::Result<T, E>;

/// Why a run cannot begin or go on. Each says the thing and the place, and what may help; causes are in
/// [`source`](Error::source), and `{:#}` says them as well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file, a folder or a process could not be used.
    Io {
        /// What was tried, and where.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be read, or is longer than such files are.
    File(#[source] FileError),
    /// The store could not be read or written.
    Database {
        /// What was tried, and where.
        what: String,
        /// What SQLite said.
        source: DatabaseError,
    },
    /// A text could not be read or written: JSON, an architecture, a number.
    Text {
        /// What it was to be, and where.
        what: String,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The strategy could not keep its state, or go on from it.
    Strategy {
        /// What was tried.
        what: String,
        /// What the strategy said.
        source: StrategyError,
    },
    /// A setting has a value that it may not have.
    Setting(InvalidSetting),
    /// A file is not what this crate has written.
    Damaged(String),
    /// What was asked for is not possible here, or would lose something.
    Refused(String),
    /// The run failed, with sound input.
    Failed(String),
    /// The user stopped the run; says how to go on.
    Interrupted(String),
    /// An error in the midst of something larger.
    Within {
        /// What was tried, and where.
        what: String,
        /// What went wrong there.
        source: Box<RunError>,
    },
}

impl RunError {
    /// The error that is at the root of this one, where it happened in the midst of something larger.
    pub fn root(&self) -> &RunError {
        match self {
            RunError::Within { source, .. } => source.root(),
            error => error,
        }
    }
}

impl Display for RunError {
    /// What was tried, or what is wrong; in the alternate form, `{:#}`, with all its causes, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RunError::File(error) => return error.fmt(f),
            RunError::Setting(error) => return error.fmt(f),
            RunError::Io { what, .. }
            | RunError::Database { what, .. }
            | RunError::Text { what, .. }
            | RunError::Strategy { what, .. }
            | RunError::Within { what, .. } => what,
            RunError::Damaged(text)
            | RunError::Refused(text)
            | RunError::Failed(text)
            | RunError::Interrupted(text) => text,
        })?;
        let mut cause = self.source().filter(|_| f.alternate());
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// What SQLite said.
#[derive(Debug)]
pub struct DatabaseError(pub(crate) rusqlite::Error);

impl Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl Error for DatabaseError {
    /// SQLite's number of an error comes after its words, and says nothing more.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source().filter(|cause| !cause.is::<rusqlite::ffi::Error>())
    }
}

impl From<rusqlite::Error> for RunError {
    fn from(error: rusqlite::Error) -> Self {
        let what = error.to_string();
        error.within(what)
    }
}

impl From<FileError> for RunError {
    /// Such an error says its cause itself.
    fn from(error: FileError) -> Self {
        RunError::File(error)
    }
}

impl From<InvalidSetting> for RunError {
    fn from(error: InvalidSetting) -> Self {
        RunError::Setting(error)
    }
}

impl From<serde_json::Error> for RunError {
    fn from(error: serde_json::Error) -> Self {
        let what = error.to_string();
        error.within(what)
    }
}

impl From<StrategyError> for RunError {
    fn from(error: StrategyError) -> Self {
        let what = error.to_string();
        error.within(what)
    }
}

/// Refuses, in the words of `format!`.
macro_rules! bail {
    ($($words:tt)*) => {
        return Err($crate::RunError::Refused(format!($($words)*)))
    };
}
pub(crate) use bail;

/// What can be the cause of a [`RunError`].
pub(crate) trait Cause {
    /// The error of what was tried.
    fn within(self, what: String) -> RunError;
}

impl Cause for io::Error {
    fn within(self, what: String) -> RunError {
        RunError::Io { what, source: self }
    }
}

/// A file that could not get its name.
macro_rules! unnamed {
    ($($error:ty),*) => {$(
        impl Cause for $error {
            fn within(self, what: String) -> RunError {
                io::Error::new(self.error.kind(), self).within(what)
            }
        }
    )*};
}
unnamed!(tempfile::PersistError, tempfile::PathPersistError);

impl Cause for rusqlite::Error {
    fn within(self, what: String) -> RunError {
        RunError::Database { what, source: DatabaseError(self) }
    }
}

impl Cause for StrategyError {
    fn within(self, what: String) -> RunError {
        RunError::Strategy { what, source: self }
    }
}

impl Cause for RunError {
    fn within(self, what: String) -> RunError {
        RunError::Within { what, source: Box::new(self) }
    }
}

/// Errors of texts.
macro_rules! texts {
    ($($error:ty),*) => {$(
        impl Cause for $error {
            fn within(self, what: String) -> RunError {
                RunError::Text { what, source: Box::new(self) }
            }
        }
    )*};
}
texts!(serde_json::Error, ParseError, shlex::QuoteError, std::num::ParseIntError);

/// Says what was tried when something fails.
pub(crate) trait Context<T> {
    /// With these words.
    fn context(self, what: impl Display) -> Result<T>;

    /// With words that are made when they are needed.
    fn with_context<W: Display>(self, what: impl FnOnce() -> W) -> Result<T>;
}

impl<T, E: Cause> Context<T> for Result<T, E> {
    fn context(self, what: impl Display) -> Result<T> {
        self.map_err(|cause| cause.within(what.to_string()))
    }

    fn with_context<W: Display>(self, what: impl FnOnce() -> W) -> Result<T> {
        self.map_err(|cause| cause.within(what().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_its_causes_once_and_no_number_of_sqlite() {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        let full = rusqlite::Error::SqliteFailure(code, Some("database or disk is full".into()));
        let error = Err::<(), _>(full).context("cannot write a store").unwrap_err();
        assert_eq!(format!("{error:#}"), "cannot write a store: database or disk is full");
        let error = Err::<(), _>(error).context("cannot go on").unwrap_err();
        assert_eq!(format!("{error:#}"), "cannot go on: cannot write a store: database or disk is full");
        assert!(matches!(error.root(), RunError::Database { .. }));
    }
}
