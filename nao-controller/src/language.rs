//! The language that a controller learns: a small description of a space, and its grammar.

use nao_space::{Space, Token, TokenMask};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// What a controller must know about a space to size its networks. Two controllers fit each other's weights
/// and states only if their languages are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// The name of the space.
    pub space: String,
    /// The names of all tokens in token order; the first is the start symbol.
    pub tokens: Vec<String>,
    /// Tokens per sequence (S in docs/specification.md, c.1).
    pub sequence_len: usize,
    /// Tokens that the encoder reads as one step (S / T in docs/specification.md, c.1).
    pub tokens_per_step: usize,
}

impl Language {
    /// The language of a space.
    pub fn of<S: Space>(space: &S) -> Self {
        Language {
            space: space.name(),
            tokens: space.vocabulary().names().to_vec(),
            sequence_len: space.sequence_len(),
            tokens_per_step: space.tokens_per_step(),
        }
    }

    /// Number of tokens, the start symbol included (V).
    pub fn vocabulary_len(&self) -> usize {
        self.tokens.len()
    }

    /// Steps of the encoder (T), rounded down.
    pub fn encoder_steps(&self) -> usize {
        self.sequence_len / self.tokens_per_step.max(1)
    }
}

/// What the controller asks a space about sequences: which token may come next, and other spellings.
///
/// Every [`Space`] is one. The decoder knows no other rule, so whatever it writes is a valid sequence.
pub trait Grammar {
    /// The tokens that may follow `prefix`.
    fn next_tokens(&self, prefix: &[Token]) -> TokenMask;

    /// The sequence of another spelling of the same architecture, drawn at random; the sequence itself where
    /// it is none of the space.
    fn another_spelling(&self, sequence: &[Token], rng: &mut ChaCha8Rng) -> Vec<Token>;
}

impl<S: Space> Grammar for S {
    fn next_tokens(&self, prefix: &[Token]) -> TokenMask {
        self.allowed(prefix)
    }

    fn another_spelling(&self, sequence: &[Token], rng: &mut ChaCha8Rng) -> Vec<Token> {
        match self.decode(sequence) {
            Ok(arch) => self.encode(&self.respell(&arch, rng)),
            Err(_) => sequence.to_vec(),
        }
    }
}
