//! Tokens: the alphabet in which a space writes its architectures.

use serde::{Deserialize, Serialize};

/// One symbol of a space's language, an index into its [`Vocabulary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub u16);

impl Token {
    /// The start symbol: fed to a decoder before the first token, never part of an architecture.
    pub const START: Token = Token(0);

    /// The index of the token in its vocabulary.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// The names of all tokens of a space, in token order; token 0 is the start symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vocabulary {
    names: Vec<String>,
}

impl Vocabulary {
    /// A vocabulary of the start symbol followed by `names`.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let names = std::iter::once("<start>".to_owned()).chain(names).collect();
        Vocabulary { names }
    }

    /// Number of tokens, the start symbol included.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is nothing but the start symbol.
    pub fn is_empty(&self) -> bool {
        self.names.len() <= 1
    }

    /// The name of a token, if it belongs to the vocabulary.
    pub fn name(&self, token: Token) -> Option<&str> {
        self.names.get(token.index()).map(String::as_str)
    }

    /// The tokens of a mask with their names, for messages: `1 (state 0), 2 (state 1)`.
    pub fn describe(&self, mask: &TokenMask) -> String {
        let names = mask.iter().map(|token| format!("{} ({})", token.0, self.name(token).unwrap_or("?")));
        names.collect::<Vec<_>>().join(", ")
    }

    /// All names in token order.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// A set of tokens of one vocabulary: those that the grammar allows next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenMask {
    words: Vec<u64>,
    len: usize,
}

impl TokenMask {
    /// The empty set over a vocabulary of `len` tokens.
    pub fn none(len: usize) -> Self {
        TokenMask { words: vec![0; len.div_ceil(64)], len }
    }

    /// The set of the tokens in `range` over a vocabulary of `len` tokens.
    pub fn range(len: usize, range: std::ops::Range<usize>) -> Self {
        let mut mask = TokenMask::none(len);
        for index in range.start..range.end.min(len) {
            mask.words[index / 64] |= 1 << (index % 64);
        }
        mask
    }

    /// Adds a token; one outside the vocabulary is ignored.
    pub fn insert(&mut self, token: Token) {
        if token.index() < self.len {
            self.words[token.index() / 64] |= 1 << (token.index() % 64);
        }
    }

    /// Whether the token is allowed.
    pub fn contains(&self, token: Token) -> bool {
        token.index() < self.len && self.words[token.index() / 64] >> (token.index() % 64) & 1 == 1
    }

    /// The size of the vocabulary that the mask speaks of.
    pub fn vocabulary_len(&self) -> usize {
        self.len
    }

    /// Number of allowed tokens.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The allowed tokens in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Token> + '_ {
        (0..self.len).map(|index| Token(index as u16)).filter(|&token| self.contains(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_holds_just_its_range() {
        let mask = TokenMask::range(70, 60..66);
        assert_eq!(mask.iter().map(Token::index).collect::<Vec<_>>(), [60, 61, 62, 63, 64, 65]);
        assert_eq!(mask.count(), 6);
        assert!(!mask.contains(Token(66)) && !mask.contains(Token(200)));
    }
}
