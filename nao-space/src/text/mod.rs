//! What the text forms of all spaces share: the error, a reader of symbols and a reader of numbers; counts in words.

mod count;
mod cursor;
mod error;
mod words;

pub use count::counted;
pub(crate) use cursor::{Cursor, shown};
pub(crate) use error::LONGEST_REMARK;
pub use error::ParseError;
pub(crate) use words::Words;
