//! The decoder's attention over the encoder outputs (spec c.2, V1 and V2).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};
use rand_chacha::ChaCha8Rng;

use crate::init;
use crate::ops::{project, tanh};

/// Multiplicative attention: query `q = Wq o`, scores `q . e_t` without scaling, softmax over time, context c,
/// and the output `tanh(Wo [c ; o])`. No biases.
#[derive(Module, Debug)]
pub(crate) struct Attention {
    /// Wq, `[hidden, hidden]`.
    pub(crate) input_proj: Param<Tensor<2>>,
    /// Wo, `[hidden, 2 hidden]`; its first half reads the context.
    pub(crate) output_proj: Param<Tensor<2>>,
}

impl Attention {
    pub(crate) fn new(hidden: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let bound = |inputs: usize| 1.0 / (inputs as f64).sqrt();
        Attention {
            input_proj: init::uniform([hidden, hidden], bound(hidden), rng, device),
            output_proj: init::uniform([hidden, 2 * hidden], bound(2 * hidden), rng, device),
        }
    }

    /// LSTM outputs `[batch, steps, hidden]` attend over encoder outputs `[batch, time, hidden]`. All steps at
    /// once: the outputs are not fed back. Returns `[batch * steps, hidden]`.
    pub(crate) fn forward(&self, outputs: Tensor<3>, encoded: Tensor<3>) -> Tensor<2> {
        let [batch, steps, hidden] = outputs.dims();
        let flat = outputs.reshape([batch * steps, hidden]);
        let query = project(flat.clone(), &self.input_proj).reshape([batch, steps, hidden]);
        let weights = activation::softmax(query.matmul(encoded.clone().transpose()), 2);
        let context = weights.matmul(encoded).reshape([batch * steps, hidden]);
        tanh(project(Tensor::cat(vec![context, flat], 1), &self.output_proj))
    }
}
