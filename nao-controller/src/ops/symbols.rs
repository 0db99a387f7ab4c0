//! Tokens as networks read them: one-hot rows, or numbers of rows of a table.

use burn::tensor::{Device, Tensor, TensorData};
use nao_kernels::RowNumbers;
use nao_space::Token;

/// One-hot rows `[rows, vocabulary]`; the tokens are known to be in the vocabulary.
pub(crate) fn one_hot(
    tokens: impl ExactSizeIterator<Item = Token>,
    vocabulary: usize,
    device: &Device,
) -> Tensor<2> {
    let rows = tokens.len();
    let mut values = vec![0f32; rows * vocabulary];
    for (row, token) in tokens.enumerate() {
        values[row * vocabulary + token.index()] = 1.0;
    }
    Tensor::from_data(TensorData::new(values, [rows, vocabulary]), device)
}

/// A batch of sequences cut into steps of `width` tokens.
pub(crate) struct Symbols {
    tokens: Vec<Token>,
    batch: usize,
    /// Tokens per step.
    pub(crate) width: usize,
    vocabulary: usize,
}

impl Symbols {
    /// Of sequences of equal length, a multiple of `width`.
    pub(crate) fn new(sequences: &[&[Token]], width: usize, vocabulary: usize) -> Self {
        let tokens = sequences.iter().flat_map(|sequence| sequence.iter().copied()).collect();
        Symbols { tokens, batch: sequences.len(), width, vocabulary }
    }

    /// Number of sequences.
    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    /// Steps of each sequence.
    pub(crate) fn time(&self) -> usize {
        self.tokens.len() / (self.batch * self.width)
    }

    /// The rows of a [gate table](super::Lstm::gate_table) that each step adds up: one per token, of its place.
    pub(crate) fn rows(&self) -> RowNumbers {
        let row = |(at, token): (usize, &Token)| (at % self.width * self.vocabulary + token.index()) as u32;
        RowNumbers {
            numbers: self.tokens.iter().enumerate().map(row).collect(),
            time: self.time(),
            width: self.width,
        }
    }

    /// One-hot rows `[batch * time * width, vocabulary]`.
    pub(crate) fn one_hot(&self, device: &Device) -> Tensor<2> {
        one_hot(self.tokens.iter().copied(), self.vocabulary, device)
    }
}
