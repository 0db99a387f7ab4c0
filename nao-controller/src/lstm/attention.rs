//! The decoder's attention over the encoder outputs (docs/specification.md, c.2, V1, V2 and RNN-WS).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::config::Design;
use crate::init;
use crate::ops::{project, softmax, tanh};

/// Multiplicative attention: query `q = Wq o` or `o` itself, scores `q . e_t` without scaling, softmax over time,
/// context c, and the output `tanh(Wo [c ; o] + b)`.
#[derive(Module, Debug)]
pub(crate) struct Attention {
    /// Wq, `[hidden, hidden]`, in the design of image cells.
    pub(crate) input_proj: Option<Param<Tensor<2>>>,
    /// Wo, `[hidden, 2 hidden]`; its first half reads the context.
    pub(crate) output_proj: Param<Tensor<2>>,
    /// b, `[hidden]`, in the design of recurrent cells.
    pub(crate) output_bias: Option<Param<Tensor<1>>>,
}

impl Attention {
    pub(crate) fn new(design: Design, hidden: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let bound = |inputs: usize| 1.0 / (inputs as f64).sqrt();
        let input_proj =
            (design == Design::Cnn).then(|| init::uniform([hidden, hidden], bound(hidden), rng, device));
        let output_proj = init::uniform([hidden, 2 * hidden], bound(2 * hidden), rng, device);
        let output_bias =
            (design == Design::RnnWs).then(|| init::uniform([hidden], bound(2 * hidden), rng, device));
        Attention { input_proj, output_proj, output_bias }
    }

    /// LSTM outputs `[batch, steps, hidden]` attend over encoder outputs `[batch, time, hidden]`. All steps at
    /// once: the outputs are not fed back. Returns `[batch * steps, hidden]`.
    pub(crate) fn forward(&self, outputs: Tensor<3>, encoded: Tensor<3>) -> Tensor<2> {
        let [batch, steps, hidden] = outputs.dims();
        let flat = outputs.reshape([batch * steps, hidden]);
        let query = match &self.input_proj {
            Some(weight) => project(flat.clone(), weight),
            None => flat.clone(),
        };
        let query = query.reshape([batch, steps, hidden]);
        let weights = softmax(query.matmul(encoded.clone().transpose()));
        let context = weights.matmul(encoded).reshape([batch * steps, hidden]);
        let joined = project(Tensor::cat(vec![context, flat], 1), &self.output_proj);
        tanh(match &self.output_bias {
            Some(bias) => joined + bias.val().unsqueeze(),
            None => joined,
        })
    }
}
