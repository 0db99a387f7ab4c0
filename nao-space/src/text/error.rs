//! Why a text is no architecture.

use crate::excerpt::shortened;

/// Why a text is no architecture. Each message names the place, what stood there and what was allowed.
///
/// A space of your own says [`unexpected`](ParseError::unexpected) of a part that it does not know and of too few or too
/// many parts, and [`OtherSpace`](ParseError::OtherSpace) of an architecture that is sound and not one of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Something else than the notation allows at that place.
    #[error("{place}: found {found}, expected {expected}")]
    Unexpected {
        /// Where in the text, and in which part of the architecture.
        place: String,
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: String,
    },
    /// Something that is not a whole number.
    #[error("position {position}: `{found}` is not a whole number; expected {allowed}")]
    NotANumber {
        /// The word's position, counted from 0.
        position: usize,
        /// The word.
        found: String,
        /// What was allowed there.
        allowed: String,
    },
    /// A number that is not allowed at its place.
    #[error("position {position}: {found} is not allowed; expected {allowed}")]
    NotAllowed {
        /// The number's position, counted from 0.
        position: usize,
        /// The number.
        found: u64,
        /// What was allowed there.
        allowed: String,
    },
    /// Too few or too many numbers.
    #[error("expected {expected} numbers ({shape}), found {found}")]
    Count {
        /// How many make an architecture of the space.
        expected: usize,
        /// How many there are.
        found: usize,
        /// How that number comes about.
        shape: String,
    },
    /// JSON that is not of the documented form.
    #[error("not an architecture in JSON: {message}")]
    Json {
        /// What the JSON reader says, with line and column.
        message: String,
    },
    /// A well-formed architecture that belongs to another space.
    #[error("the architecture does not belong to the space: {message}")]
    OtherSpace {
        /// What does not fit, and what would.
        message: String,
    },
}

/// The most characters of what a reader of JSON or TOML says: it quotes the names that it does not know, whole.
pub(crate) const LONGEST_REMARK: usize = 1000;

impl ParseError {
    /// Something else than a notation allows.
    ///
    /// ```
    /// use nao_space::notation::ParseError;
    ///
    /// let error = ParseError::unexpected("word 2", "`smoth`", "one of pass, smooth");
    /// assert_eq!(error.to_string(), "word 2: found `smoth`, expected one of pass, smooth");
    /// ```
    pub fn unexpected(
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        ParseError::Unexpected { place: place.into(), found: found.into(), expected: expected.into() }
    }

    /// What a JSON reader says, shortened.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        ParseError::Json { message: shortened(&error.to_string(), LONGEST_REMARK) }
    }
}
