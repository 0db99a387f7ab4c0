//! What a search space is, for everything that searches, learns or draws.

use std::fmt::Debug;
use std::hash::Hash;

use num_bigint::BigUint;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::growth::Growth;
use super::key::ArchKey;
use super::token::{Token, TokenMask, Vocabulary};
use crate::graph::{GraphSchema, OperationGraph};
use crate::text::ParseError;

/// A discrete search space: a language of tokens with a grammar, and the symmetries of its sequences.
///
/// Laws, checked for every space by the same property tests:
/// - `decode(encode(a)) == a`, and `parse(format(a)) == a`;
/// - a walk that takes any allowed token at each step decodes to a valid architecture;
/// - `canonical` is idempotent and does not see respelling; keys are equal just where canonical forms are;
/// - neighbours are valid and differ from the architecture.
pub trait Space: Clone + Send + Sync + 'static {
    /// An architecture of the space.
    type Arch: Clone + Eq + Hash + Debug + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// A short name with the settings that matter, such as `cnn/paper-11/5`.
    fn name(&self) -> String;

    /// The tokens of the language.
    fn vocabulary(&self) -> &Vocabulary;

    /// Number of tokens of every sequence.
    fn sequence_len(&self) -> usize;

    /// How many tokens an encoder may read as one step, such as the (index, operation) pair of a branch.
    fn tokens_per_step(&self) -> usize {
        1
    }

    /// The tokens that may follow `prefix`; empty after a whole sequence or a prefix that is none.
    fn allowed(&self, prefix: &[Token]) -> TokenMask;

    /// The sequence of an architecture.
    fn encode(&self, arch: &Self::Arch) -> Vec<Token>;

    /// The architecture of tokens that were checked: as many as a sequence has, each allowed after those before it. This is
    /// what a space says; [`decode`](Space::decode) is what others call.
    ///
    /// # Panics
    /// May panic on other tokens.
    fn build(&self, tokens: &[Token]) -> Self::Arch;

    /// The architecture of a sequence. A space says it anew only where it has a faster check than its own masks.
    ///
    /// # Errors
    /// Names the position, the token and what was allowed there.
    fn decode(&self, tokens: &[Token]) -> Result<Self::Arch, DecodeError> {
        check_sequence(self, tokens)?;
        Ok(self.build(tokens))
    }

    /// One representative of all spellings of the architecture.
    fn canonical(&self, arch: &Self::Arch) -> Self::Arch;

    /// Another spelling of the same architecture, drawn at random: itself where a space has no symmetries.
    fn respell(&self, arch: &Self::Arch, _rng: &mut ChaCha8Rng) -> Self::Arch {
        arch.clone()
    }

    /// All architectures that differ in one choice, in a fixed order.
    fn neighbours(&self, arch: &Self::Arch) -> Vec<Self::Arch>;

    /// The architecture as text.
    fn format(&self, arch: &Self::Arch) -> String;

    /// The architecture of a text.
    ///
    /// # Errors
    /// Names the position, what stood there and what was allowed.
    fn parse(&self, text: &str) -> Result<Self::Arch, ParseError>;

    /// A random architecture: every allowed token equally likely at every step.
    fn sample(&self, rng: &mut ChaCha8Rng) -> Self::Arch {
        let mut tokens = Vec::with_capacity(self.sequence_len());
        while tokens.len() < self.sequence_len() {
            let mask = self.allowed(&tokens);
            let pick = rng.random_range(0..mask.count());
            tokens.extend(mask.iter().nth(pick));
        }
        self.decode(&tokens).expect("a walk of allowed tokens is a sequence")
    }

    /// A random neighbour; the architecture itself where it has none.
    fn mutate(&self, arch: &Self::Arch, rng: &mut ChaCha8Rng) -> Self::Arch {
        let mut neighbours = self.neighbours(arch);
        if neighbours.is_empty() {
            return arch.clone();
        }
        neighbours.swap_remove(rng.random_range(0..neighbours.len()))
    }

    /// The name of the architecture up to its symmetries.
    fn key(&self, arch: &Self::Arch) -> ArchKey {
        ArchKey(self.format(&self.canonical(arch)))
    }
}

/// The architectures of a space as graphs. A space without graphs implements the trait with nothing in it; its features are
/// then those of its tokens.
pub trait Graphs: Space {
    /// What the architectures' graphs are made of; `None` where they are no graphs of operations.
    fn graph_schema(&self) -> Option<GraphSchema> {
        None
    }

    /// The cells of an architecture as labelled graphs, in the order of [`GraphSchema::cells`]; none where the space
    /// has no [`graph_schema`](Graphs::graph_schema). Features, and with them every model of scores, see an
    /// architecture through its canonical spelling's graphs.
    fn graphs(&self, _arch: &Self::Arch) -> Vec<OperationGraph> {
        Vec::new()
    }
}

/// How the architectures of a space grow level by level, for searches that go from simple ones to complex ones.
pub trait Levels: Space {
    /// How architectures grow from simple to complex. Where a space does not say, position by position.
    fn growth(&self) -> Growth {
        Growth::token_by_token(self.sequence_len(), |prefix| self.allowed(prefix))
    }
}

/// What people are told of a space.
pub trait Describe: Space {
    /// The exact number of sequences; symmetric spellings count each.
    fn size(&self) -> BigUint;

    /// What the token at a position of a sequence says, such as `normal cell, node 0, first input`.
    fn position(&self, position: usize) -> String {
        format!("token {position}")
    }
}

/// Checks tokens against the grammar of a space: their number first, then each by the mask of those before it.
fn check_sequence<S: Space>(space: &S, tokens: &[Token]) -> Result<(), DecodeError> {
    if tokens.len() != space.sequence_len() {
        return Err(DecodeError::Length {
            space: space.name(),
            expected: space.sequence_len(),
            found: tokens.len(),
        });
    }
    for (position, &token) in tokens.iter().enumerate() {
        let mask = space.allowed(&tokens[..position]);
        if !mask.contains(token) {
            return Err(DecodeError::NotAllowed {
                position,
                token,
                allowed: space.vocabulary().describe(&mask),
            });
        }
    }
    Ok(())
}

/// Why tokens are no sequence of a space.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Too few or too many tokens.
    #[error("a sequence of {space} has {expected} tokens, this one has {found}")]
    Length {
        /// The space.
        space: String,
        /// Tokens in a sequence.
        expected: usize,
        /// Tokens given.
        found: usize,
    },
    /// A token that the grammar does not allow at its place.
    #[error("token {} at position {position}: allowed are {allowed}", .token.0)]
    NotAllowed {
        /// The position, counted from 0.
        position: usize,
        /// The token.
        token: Token,
        /// The allowed tokens with their names.
        allowed: String,
    },
}

impl DecodeError {
    /// Why tokens that the grammar of a space does not allow are no sequence of it.
    pub(crate) fn of<S: Space>(space: &S, tokens: &[Token]) -> Self {
        check_sequence(space, tokens).expect_err("what the grammar allows is a sequence")
    }
}
