//! Tokens as tensors: one-hot rows.

use burn::tensor::{Device, Tensor, TensorData};
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

/// A batch of sequences cut into steps of `width` tokens, each a row of `width` one-hot blocks.
///
/// Multiplying such a row with `width` stacked tables looks up and adds one row of each. With vocabularies of a
/// dozen tokens this is cheaper than a gather, and its gradient is one small matmul instead of a scatter.
pub(crate) struct Symbols {
    /// Per step `[batch, width * vocabulary]`.
    pub(crate) steps: Vec<Tensor<2>>,
    /// Tokens per step.
    pub(crate) width: usize,
}

impl Symbols {
    /// Of sequences of equal length, a multiple of `width`.
    pub(crate) fn new(sequences: &[&[Token]], width: usize, vocabulary: usize, device: &Device) -> Self {
        let length = sequences.first().map_or(0, |sequence| sequence.len());
        let steps = (0..length / width).map(|step| {
            let tokens: Vec<Token> = sequences
                .iter()
                .flat_map(|sequence| &sequence[step * width..(step + 1) * width])
                .copied()
                .collect();
            one_hot(tokens.into_iter(), vocabulary, device).reshape([sequences.len(), width * vocabulary])
        });
        Symbols { steps: steps.collect(), width }
    }
}
