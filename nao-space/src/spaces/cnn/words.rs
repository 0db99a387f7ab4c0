//! The words of a set of operations in an encoding.

use super::encoding::Encoding;
use super::error::InvalidCnnSpace;
use crate::image::OpSet;
use crate::language::{Token, TokenMask};

/// The tokens of one operation. All words of a space are equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub first: Token,
    pub second: Option<Token>,
}

/// The words of a set of operations: distinct, one per operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// In the order of the set.
    words: Vec<Word>,
    first_token: usize,
}

impl Words {
    /// The words of `ops`, of tokens from `first_token` on.
    pub fn new(ops: &OpSet, encoding: Encoding, first_token: usize) -> Result<Self, InvalidCnnSpace> {
        let names = encoding.op_token_names(ops);
        let token_of = |name: &String| {
            let position = names.iter().position(|known| known == name)?;
            Some(Token((first_token + position) as u16))
        };
        let mut words: Vec<Word> = Vec::with_capacity(ops.len());
        for op in ops.ops() {
            let tokens = encoding.word(op).and_then(|word| word.iter().map(token_of).collect());
            let tokens: Vec<Token> = tokens.ok_or(InvalidCnnSpace::NoWord { op, encoding })?;
            let word = Word { first: tokens[0], second: tokens.get(1).copied() };
            if let Some(other) = words.iter().position(|&known| known == word).and_then(|at| ops.get(at)) {
                return Err(InvalidCnnSpace::SharedWord { ops: [other, op], encoding });
            }
            words.push(word);
        }
        Ok(Words { words, first_token })
    }

    /// The word of the operation at a position of the set.
    pub fn get(&self, position: usize) -> Word {
        self.words[position]
    }

    /// The position of the operation whose word these tokens are.
    pub fn position(&self, tokens: &[Token]) -> Option<usize> {
        match *tokens {
            // Words of one token are numbered like their operations.
            [first] => {
                first.index().checked_sub(self.first_token).filter(|&position| position < self.words.len())
            }
            [first, second] => {
                self.words.iter().position(|&word| word == Word { first, second: Some(second) })
            }
            _ => None,
        }
    }

    /// The tokens that may follow the beginning of a word.
    pub fn allowed(&self, vocabulary_len: usize, begun: &[Token]) -> TokenMask {
        let mut mask = TokenMask::none(vocabulary_len);
        for word in &self.words {
            match *begun {
                [] => mask.insert(word.first),
                [first] if first == word.first => {
                    word.second.into_iter().for_each(|second| mask.insert(second))
                }
                _ => {}
            }
        }
        mask
    }
}
