//! A one-layer LSTM, unrolled over time.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};
use rand_chacha::ChaCha8Rng;

use super::activation::tanh;
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
        let bound = 1.0 / (hidden as f64).sqrt();
        Lstm {
            weight_ih: init::uniform([4 * hidden, inputs], bound, rng, device),
            weight_hh: init::uniform([4 * hidden, hidden], bound, rng, device),
            bias_ih: init::uniform([4 * hidden], bound, rng, device),
            bias_hh: init::uniform([4 * hidden], bound, rng, device),
        }
    }

    /// Ready to read vectors `[batch, inputs]`.
    pub(crate) fn on_vectors(&self) -> Unrolled {
        Unrolled::new(self.weight_ih.val(), self.weight_hh.val(), Some(self.bias()))
    }

    /// Ready to read one-hot rows `[batch, width * vocabulary]` of [`Symbols`](super::Symbols), whose tokens
    /// stand for rows of the table `[vocabulary, inputs / width]`, side by side.
    ///
    /// The input's share of the gates is one row per token: computed once, not once per step and sentence.
    pub(crate) fn on_symbols(&self, table: Tensor<2>, width: usize) -> Unrolled {
        let columns = table.dims()[1];
        let weight = self.weight_ih.val();
        let mut blocks = Vec::with_capacity(width);
        for place in 0..width {
            let part = weight.clone().narrow(1, place * columns, columns);
            let mut block = part.matmul(table.clone().transpose());
            if place == 0 {
                // Every row holds exactly one token at the first place, so the bias can live there.
                block = block + self.bias().unsqueeze_dim(1);
            }
            blocks.push(block);
        }
        Unrolled::new(Tensor::cat(blocks, 1), self.weight_hh.val(), None)
    }

    fn bias(&self) -> Tensor<1> {
        self.bias_ih.val() + self.bias_hh.val()
    }
}

/// An LSTM whose weights are laid out for stepping.
///
/// Gates are four matrices rather than one: cutting a fused product in four would cost a full-size tensor of
/// zeros per cut in the backward pass, at every step.
pub(crate) struct Unrolled {
    /// Per gate `[inputs + hidden, hidden]`.
    gates: [Tensor<2>; 4],
    /// Per gate `[1, hidden]`.
    biases: Option<[Tensor<2>; 4]>,
}

impl Unrolled {
    fn new(weight_ih: Tensor<2>, weight_hh: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        let hidden = weight_hh.dims()[1];
        let joined = Tensor::cat(vec![weight_ih, weight_hh], 1);
        let gates = std::array::from_fn(|gate| joined.clone().narrow(0, gate * hidden, hidden).transpose());
        let biases = bias.map(|bias| {
            std::array::from_fn(|gate| bias.clone().narrow(0, gate * hidden, hidden).unsqueeze())
        });
        Unrolled { gates, biases }
    }

    /// One step: input `[batch, inputs]`.
    pub(crate) fn step(&self, input: Tensor<2>, state: LstmState) -> LstmState {
        let joined = Tensor::cat(vec![input, state.hidden], 1);
        let [i, f, g, o] = std::array::from_fn(|gate| {
            let sum = joined.clone().matmul(self.gates[gate].clone());
            match &self.biases {
                Some(biases) => sum + biases[gate].clone(),
                None => sum,
            }
        });
        let cell = activation::sigmoid(f) * state.cell + activation::sigmoid(i) * tanh(g);
        let hidden = activation::sigmoid(o) * tanh(cell.clone());
        LstmState { hidden, cell }
    }

    /// All steps: outputs `[batch, time, hidden]` and the last state.
    pub(crate) fn run(
        &self,
        inputs: impl IntoIterator<Item = Tensor<2>>,
        mut state: LstmState,
    ) -> (Tensor<3>, LstmState) {
        let mut outputs = Vec::new();
        for input in inputs {
            state = self.step(input, state);
            outputs.push(state.hidden.clone());
        }
        (Tensor::stack(outputs, 1), state)
    }
}
