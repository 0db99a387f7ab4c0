//! One-layer LSTMs over whole sequences.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor, TensorData, activation};

use crate::extension::Operations;
use crate::switch::takes;

pub use crate::extension::RowNumbers;

/// What an LSTM starts from, and how its state acts on the gates. Gates are those of PyTorch, in its order: input,
/// forget, cell, output.
#[derive(Clone, Debug)]
pub struct LstmWeights {
    /// From state to gates, `[4 hidden, hidden]`.
    pub weight: Tensor<2>,
    /// The state before the first step, `[batch, hidden]`.
    pub hidden: Tensor<2>,
    /// The memory before the first step, `[batch, hidden]`.
    pub cell: Tensor<2>,
}

/// What the steps of an LSTM read: their share of the gates, biases included.
#[derive(Clone, Debug)]
pub enum LstmInput {
    /// As it is, `[batch, time, 4 hidden]`.
    Gates(Tensor<3>),
    /// Sums of rows of a table `[rows, 4 hidden]`: tokens whose share is computed once, not once per place.
    Rows(Tensor<2>, RowNumbers),
}

/// All steps. Returns the outputs, `[batch, time, hidden]`.
pub fn lstm(input: LstmInput, weights: LstmWeights) -> Tensor<3> {
    match input.takes() && weights.takes() {
        true => run(input, weights, false),
        false => unroll(input.gates(), weights).0,
    }
}

/// All steps. Returns the outputs, `[batch, time, hidden]`, and the state and the memory after the last step,
/// `[batch, hidden]` each.
pub fn lstm_with_last(input: LstmInput, weights: LstmWeights) -> (Tensor<3>, Tensor<2>, Tensor<2>) {
    if !(input.takes() && weights.takes()) {
        return unroll(input.gates(), weights);
    }
    let joint = run(input, weights, true);
    let [batch, states, n] = joint.dims();
    let last = |at: usize| joint.clone().narrow(1, at, 1).reshape([batch, n]);
    let (hidden, cell) = (last(states - 2), last(states - 1));
    (joint.narrow(1, 0, states - 1), hidden, cell)
}

/// In our kernel: outputs, and with `last` followed by the last memory.
fn run(input: LstmInput, weights: LstmWeights, last: bool) -> Tensor<3> {
    let LstmWeights { weight, hidden, cell } = weights;
    let (weight, hidden, cell) = (weight.into_dispatch(), hidden.into_dispatch(), cell.into_dispatch());
    Tensor::from_dispatch(match input {
        LstmInput::Gates(gates) => Dispatch::nao_lstm(gates.into_dispatch(), weight, hidden, cell, last),
        LstmInput::Rows(table, rows) => {
            Dispatch::nao_lstm_of_rows(table.into_dispatch(), weight, hidden, cell, rows, last)
        }
    })
}

impl LstmInput {
    fn takes(&self) -> bool {
        match self {
            LstmInput::Gates(gates) => takes(gates),
            LstmInput::Rows(table, _) => takes(table),
        }
    }

    /// `[batch, time, 4 hidden]`.
    fn gates(self) -> Tensor<3> {
        match self {
            LstmInput::Gates(gates) => gates,
            LstmInput::Rows(table, RowNumbers { numbers, time, width }) => {
                let columns = table.dims()[1];
                let steps = numbers.len() / width;
                let numbers: Vec<i64> = numbers.iter().map(|&number| i64::from(number)).collect();
                let numbers = TensorData::new(numbers, [steps * width]);
                let rows = table.clone().select(0, Tensor::<1, Int>::from_data(numbers, &table.device()));
                rows.reshape([steps, width, columns]).sum_dim(1).reshape([steps / time, time, columns])
            }
        }
    }
}

impl LstmWeights {
    fn takes(&self) -> bool {
        [&self.weight, &self.hidden, &self.cell].into_iter().all(takes)
    }
}

/// Step by step in burn's operations.
fn unroll(gates: Tensor<3>, weights: LstmWeights) -> (Tensor<3>, Tensor<2>, Tensor<2>) {
    let LstmWeights { weight, mut hidden, mut cell } = weights;
    let [batch, time, width] = gates.dims();
    let n = width / 4;
    let weight = weight.transpose();
    let mut outputs = Vec::with_capacity(time);
    for step in 0..time {
        let sums = gates.clone().narrow(1, step, 1).reshape([batch, width]) + hidden.matmul(weight.clone());
        let gate = |number: usize| sums.clone().narrow(1, number * n, n);
        let memory =
            activation::sigmoid(gate(1)) * cell + activation::sigmoid(gate(0)) * activation::tanh(gate(2));
        hidden = activation::sigmoid(gate(3)) * activation::tanh(memory.clone());
        cell = memory;
        outputs.push(hidden.clone());
    }
    (Tensor::stack(outputs, 1), hidden, cell)
}
