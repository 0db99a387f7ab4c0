//! A one-layer LSTM.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use nao_kernels::{LstmInput, LstmWeights, lstm, lstm_with_last};
use rand_chacha::ChaCha8Rng;

use crate::init;

/// The weights of a one-layer LSTM in PyTorch's layout: gates in the order input, forget, cell, output, and two
/// bias vectors (of which only the sum matters; both are kept so that parameter counts and updates agree).
#[derive(Module, Debug)]
pub(crate) struct Lstm {
    /// `[4 hidden, inputs]`.
    pub(crate) weight_ih: Param<Tensor<2>>,
    /// `[4 hidden, hidden]`.
    pub(crate) weight_hh: Param<Tensor<2>>,
    /// `[4 hidden]`.
    pub(crate) bias_ih: Param<Tensor<1>>,
    /// `[4 hidden]`.
    pub(crate) bias_hh: Param<Tensor<1>>,
}

/// What an LSTM carries from step to step.
#[derive(Clone, Debug)]
pub(crate) struct LstmState {
    /// The output, `[batch, hidden]`.
    pub(crate) hidden: Tensor<2>,
    /// The memory, `[batch, hidden]`.
    pub(crate) cell: Tensor<2>,
}

impl LstmState {
    /// The zero state.
    pub(crate) fn zeros(batch: usize, hidden: usize, device: &Device) -> Self {
        let zeros = Tensor::zeros([batch, hidden], device);
        LstmState { hidden: zeros.clone(), cell: zeros }
    }
}

impl Lstm {
    /// PyTorch's initial weights: all U(-1/sqrt hidden, 1/sqrt hidden).
    pub(crate) fn new(inputs: usize, hidden: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        Lstm::within(inputs, hidden, 1.0 / (hidden as f64).sqrt(), rng, device)
    }

    /// All weights U(-bound, bound).
    pub(crate) fn within(
        inputs: usize,
        hidden: usize,
        bound: f64,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        Lstm {
            weight_ih: init::uniform([4 * hidden, inputs], bound, rng, device),
            weight_hh: init::uniform([4 * hidden, hidden], bound, rng, device),
            bias_ih: init::uniform([4 * hidden], bound, rng, device),
            bias_hh: init::uniform([4 * hidden], bound, rng, device),
        }
    }

    /// Reads vectors `[batch, time, inputs]`.
    pub(crate) fn on_vectors(&self, inputs: Tensor<3>) -> LstmInput {
        let [batch, time, width] = inputs.dims();
        let gates = inputs.reshape([batch * time, width]).matmul(self.weight_ih.val().transpose());
        let gates = gates + self.bias().unsqueeze();
        let columns = gates.dims()[1];
        LstmInput::Gates(gates.reshape([batch, time, columns]))
    }

    /// The input's share of the gates for every token at every place of a step that holds `width` tokens side by side:
    /// `[width * vocabulary, 4 hidden]`. `table`: `[vocabulary, inputs / width]`.
    ///
    /// It is computed once, not once per step and sequence.
    pub(crate) fn gate_table(&self, table: Tensor<2>, width: usize) -> Tensor<2> {
        let columns = table.dims()[1];
        let weight = self.weight_ih.val();
        let mut blocks = Vec::with_capacity(width);
        for place in 0..width {
            let part = weight.clone().narrow(1, place * columns, columns);
            let mut block = table.clone().matmul(part.transpose());
            if place == 0 {
                // Every step holds exactly one token at the first place, so the bias can live there.
                block = block + self.bias().unsqueeze();
            }
            blocks.push(block);
        }
        Tensor::cat(blocks, 0)
    }

    /// All steps: outputs `[batch, time, hidden]`.
    pub(crate) fn run(&self, input: LstmInput, start: LstmState) -> Tensor<3> {
        lstm(input, self.weights(start))
    }

    /// All steps: outputs `[batch, time, hidden]` and the last state.
    pub(crate) fn run_to_end(&self, input: LstmInput, start: LstmState) -> (Tensor<3>, LstmState) {
        let (outputs, hidden, cell) = lstm_with_last(input, self.weights(start));
        (outputs, LstmState { hidden, cell })
    }

    fn weights(&self, start: LstmState) -> LstmWeights {
        LstmWeights { weight: self.weight_hh.val(), hidden: start.hidden, cell: start.cell }
    }

    fn bias(&self) -> Tensor<1> {
        self.bias_ih.val() + self.bias_hh.val()
    }
}
