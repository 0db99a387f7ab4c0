//! The kernels as operations of burn: on the CPU backend, and with their gradients on top of it.

mod autodiff;
mod flex;
mod flex_values;
mod kernels;

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

use crate::cpu::activation::Activation;
use crate::cpu::pool::Extreme;
use crate::cpu::recurrent::RecurrentGraph;
use crate::cpu::sgd::SgdStep;
use crate::cpu::softmax::Softmax;
use crate::cpu::window::Window;

/// How a convolution reads.
#[derive(Clone, Copy, Debug)]
pub struct ConvSettings {
    pub window: Window,
    pub groups: usize,
    pub relu: bool,
}

/// How a pool reads.
#[derive(Clone, Copy, Debug)]
pub struct PoolSettings {
    pub window: Window,
    pub zeros: bool,
}

/// Which rows of a table each step of some sequences reads.
#[derive(Clone, Debug)]
pub struct RowNumbers {
    /// Numbers of rows, `[batch, time, width]`.
    pub numbers: Arc<[u32]>,
    /// Steps of each sequence, at least 1.
    pub time: usize,
    /// Rows added up per step, at least 1.
    pub width: usize,
}

/// A recurrent cell, and what multiplies words and states where they enter products, `[batch, hidden]` each.
#[derive(Clone, Debug)]
pub struct RecurrentCell {
    pub graph: Arc<RecurrentGraph>,
    pub word_mask: Option<Arc<[f32]>>,
    pub state_mask: Option<Arc<[f32]>>,
}

/// Per example, the weights of two branches.
pub type BranchWeights = Arc<[[f32; 2]]>;

/// The operations on every backend that has them, the automatic gradient included.
#[backend_extension(Flex, Autodiff)]
pub trait Operations: Backend {
    /// `[batch, channels, height, width]` by `[outputs, channels / groups, kernel height, kernel width]`.
    fn nao_conv(x: FloatTensor<Self>, weight: FloatTensor<Self>, settings: ConvSettings)
    -> FloatTensor<Self>;
    /// Largest or least value of each window.
    fn nao_extreme_pool(x: FloatTensor<Self>, settings: PoolSettings, extreme: Extreme) -> FloatTensor<Self>;
    /// Mean of each window.
    fn nao_mean_pool(x: FloatTensor<Self>, settings: PoolSettings) -> FloatTensor<Self>;
    /// The normalised maps, and mean and biased variance of each channel, through which no gradient flows.
    fn nao_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
    /// `x scale + shift`, per channel.
    fn nao_scale_and_shift(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    /// Outputs `[batch, time, hidden]`; with `last`, `[batch, time + 1, hidden]`, followed by the last memory.
    fn nao_lstm(
        gates: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
        last: bool,
    ) -> FloatTensor<Self>;
    /// The same, reading sums of rows of a table.
    fn nao_lstm_of_rows(
        table: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
        rows: RowNumbers,
        last: bool,
    ) -> FloatTensor<Self>;
    /// Outputs `[time, batch, hidden]` of words `[time, batch, hidden]`; the weights are those of the first node and of the
    /// others.
    fn nao_recurrent(
        words: FloatTensor<Self>,
        memory: FloatTensor<Self>,
        first: FloatTensor<Self>,
        nodes: FloatTensor<Self>,
        cell: RecurrentCell,
    ) -> FloatTensor<Self>;
    /// The mean negative log likelihood, `[1]`, of a class per row of `[rows, classes]`.
    fn nao_cross_entropy(logits: FloatTensor<Self>, targets: Arc<[u32]>) -> FloatTensor<Self>;
    /// `x + y`, or with weights `w x + v y` per example.
    fn nao_branch_sum(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: Option<BranchWeights>,
    ) -> FloatTensor<Self>;
    /// The new weight and buffer; not differentiable. The first step does not read the old buffer.
    fn nao_sgd_step(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        buffer: FloatTensor<Self>,
        step: SgdStep,
        first: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// The sum of the squares, `[1]`; not differentiable.
    fn nao_sum_of_squares(x: FloatTensor<Self>) -> FloatTensor<Self>;
    /// A function of each value.
    fn nao_activation(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self>;
    /// Over the last dimension.
    fn nao_softmax(x: FloatTensor<Self>, softmax: Softmax) -> FloatTensor<Self>;
}
