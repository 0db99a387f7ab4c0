//! A search space as a language of tokens with a grammar.

mod describe;
mod growth;
mod key;
mod space;
mod token;

pub use describe::{describe, explain};
pub use growth::Growth;
pub use key::ArchKey;
pub use space::{DecodeError, Describe, Graphs, Levels, Space};
pub use token::{Token, TokenMask, Vocabulary};
