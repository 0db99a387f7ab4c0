//! Stochastic gradient descent with momentum, weight decay and clipping of all gradients together.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::clip::gradient_norm;
use crate::operation::{SgdStep, sgd_step};

/// The settings of SGD.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdSettings {
    /// Weight of the old buffer.
    pub momentum: f64,
    /// Whether the step looks ahead.
    pub nesterov: bool,
    /// Added to the clipped gradient, times the weight.
    pub weight_decay: f64,
    /// Largest norm of all gradients together; 0 is no limit.
    pub clip: f64,
}

/// SGD with momentum: `buffer = momentum buffer + g`, with `buffer = g` at first, and
/// `w -= rate buffer`; `g` is the clipped gradient plus weight decay. Clipping multiplies all gradients by
/// `min(1, clip / (norm + 1e-6))`.
#[derive(Debug)]
pub struct Sgd {
    settings: SgdSettings,
    /// Momentum buffers, flat; none where there is no momentum.
    buffers: HashMap<ParamId, Tensor<1>>,
}

impl Sgd {
    /// Fresh, without momentum.
    pub fn new(settings: SgdSettings) -> Self {
        Sgd { settings, buffers: HashMap::new() }
    }

    /// The momentum buffers of parameters that have taken a step, flat; none where there is no momentum.
    pub fn buffers(&self) -> &HashMap<ParamId, Tensor<1>> {
        &self.buffers
    }

    /// Goes on with momentum buffers as [`buffers`](Sgd::buffers) gave them.
    pub fn restore(&mut self, buffers: HashMap<ParamId, Tensor<1>>) {
        self.buffers = buffers;
    }

    /// One step. Returns the module and the norm of all gradients together, before clipping. A parameter
    /// that the loss does not depend on has a gradient of zero and decays.
    pub fn step<M: Module>(&mut self, module: M, gradients: GradientsParams, rate: f64) -> (M, f64) {
        let norm = gradient_norm(&module, &gradients);
        let scale = match self.settings.clip {
            limit if limit > 0.0 => (limit / (norm + 1e-6)).min(1.0),
            _ => 1.0,
        };
        let module = module.map(&mut Step { sgd: self, gradients, scale, rate });
        (module, norm)
    }
}

struct Step<'a> {
    sgd: &'a mut Sgd,
    gradients: GradientsParams,
    scale: f64,
    rate: f64,
}

impl ModuleMapper for Step<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param;
        }
        let gradient = self.gradients.remove::<D>(param.id);
        let SgdSettings { momentum, nesterov, weight_decay, .. } = self.sgd.settings;
        let step = SgdStep {
            momentum: momentum as f32,
            nesterov,
            decay: weight_decay as f32,
            scale: self.scale as f32,
            rate: self.rate as f32,
        };
        let id = param.id;
        param.map(|weight| {
            let shape = weight.dims();
            let weight = weight.without_autodiff();
            let gradient = gradient.unwrap_or_else(|| weight.zeros_like());
            let buffer = self.sgd.buffers.remove(&id).map(|buffer| buffer.reshape(shape));
            let (weight, buffer) = sgd_step(weight, gradient, buffer, step);
            // Without momentum nothing is remembered: a training that goes on in another process has all it needs.
            if momentum != 0.0 {
                self.sgd.buffers.insert(id, buffer.flatten(0, D - 1));
            }
            Tensor::from_inner(weight).require_grad()
        })
    }
}
