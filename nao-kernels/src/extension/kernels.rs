//! What a backend offers that has kernels: backward passes, and forward passes that keep what those need.

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;

use super::{BranchWeights, ConvSettings, Operations, PoolSettings, RecurrentCell, RowNumbers};
use crate::cpu::activation::Activation;
use crate::cpu::conv::Wanted;
use crate::cpu::pool::{Chosen, Extreme};
use crate::cpu::recurrent;
use crate::cpu::softmax::Softmax;

/// What the gradient of an LSTM needs besides its inputs.
#[derive(Clone, Debug)]
pub struct Tape<T> {
    pub outputs: T,
    pub gates: T,
    pub cells: T,
    pub last: bool,
}

/// The backward passes of a backend that has kernels, and forward passes that keep what those need.
#[allow(clippy::type_complexity)]
pub trait Kernels: Operations {
    fn conv_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        settings: ConvSettings,
        wanted: Wanted,
    ) -> (Option<FloatTensor<Self>>, Option<FloatTensor<Self>>);
    fn extreme_pool(
        x: FloatTensor<Self>,
        settings: PoolSettings,
        extreme: Extreme,
    ) -> (FloatTensor<Self>, Chosen);
    fn extreme_pool_backward(
        chosen: &Chosen,
        size: [usize; 2],
        settings: PoolSettings,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    fn mean_pool_backward(
        size: [usize; 2],
        settings: PoolSettings,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    /// Gradients of maps, gamma and beta.
    fn batch_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        statistics: [FloatTensor<Self>; 2],
        gradient: FloatTensor<Self>,
        epsilon: f32,
    ) -> [FloatTensor<Self>; 3];
    /// Gradients of maps, scale and shift.
    fn scale_and_shift_backward(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 3];
    fn lstm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
        rows: Option<&RowNumbers>,
        last: bool,
    ) -> (FloatTensor<Self>, Tape<FloatTensor<Self>>);
    /// Gradients of input (gates or, with rows, a table of that many), weight, hidden and cell.
    fn lstm_backward(
        tape: Tape<FloatTensor<Self>>,
        weight: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
        rows: Option<(&RowNumbers, usize)>,
        gradient: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 4];
    /// Outputs, and the run that led to them.
    fn recurrent(
        inputs: [FloatTensor<Self>; 4],
        cell: &RecurrentCell,
    ) -> (FloatTensor<Self>, Arc<recurrent::Run>);
    /// Gradients of words, memory and both kinds of weights.
    fn recurrent_backward(
        inputs: [FloatTensor<Self>; 4],
        cell: &RecurrentCell,
        run: &recurrent::Run,
        gradient: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 4];
    /// The loss, and the logarithms of sums that its gradient needs.
    fn cross_entropy(logits: FloatTensor<Self>, targets: &[u32]) -> (FloatTensor<Self>, Vec<f32>);
    fn cross_entropy_backward(
        logits: FloatTensor<Self>,
        targets: &[u32],
        totals: &[f32],
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    /// The gradient of the first (0) or second (1) branch.
    fn branch_sum_backward(
        weights: &BranchWeights,
        branch: usize,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    fn activation_backward(
        y: FloatTensor<Self>,
        activation: Activation,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    fn softmax_backward(
        y: FloatTensor<Self>,
        softmax: Softmax,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}
