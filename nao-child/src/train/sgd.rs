//! Stochastic gradient descent as the authors run it (docs/specification.md, e.1).

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use nao_kernels::{SgdStep, sgd_step, sum_of_squares};

use crate::recipe::Recipe;

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

impl From<&Recipe> for SgdSettings {
    fn from(recipe: &Recipe) -> Self {
        SgdSettings {
            momentum: recipe.momentum,
            nesterov: recipe.nesterov,
            weight_decay: recipe.weight_decay,
            clip: recipe.clip,
        }
    }
}

/// SGD with momentum: `buffer = momentum buffer + g`, with `buffer = g` at first, and
/// `w -= rate buffer`; `g` is the clipped gradient plus weight decay. Clipping multiplies all gradients by
/// `min(1, clip / (norm + 1e-6))`.
#[derive(Debug)]
pub struct Sgd {
    settings: SgdSettings,
    /// Momentum buffers, flat; none where there is no momentum.
    pub(crate) buffers: HashMap<ParamId, Tensor<1>>,
}

impl Sgd {
    /// Fresh, without momentum.
    pub fn new(settings: SgdSettings) -> Self {
        Sgd { settings, buffers: HashMap::new() }
    }

    /// One step. Returns the module and the norm of all gradients together, before clipping. A parameter
    /// that the loss does not depend on has a gradient of zero and decays.
    pub fn step<M: Module>(&mut self, module: M, gradients: GradientsParams, rate: f64) -> (M, f64) {
        let norm = global_norm(&module, &gradients);
        let scale = match self.settings.clip {
            limit if limit > 0.0 => (limit / (norm + 1e-6)).min(1.0),
            _ => 1.0,
        };
        let module = module.map(&mut Step { sgd: self, gradients, scale, rate });
        (module, norm)
    }
}

/// The Euclidean norm of all gradients together, in one transfer from the device.
fn global_norm<M: Module>(module: &M, gradients: &GradientsParams) -> f64 {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        sums: Vec<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                self.sums.push(sum_of_squares(gradient));
            }
        }
    }
    let mut squares = Squares { gradients, sums: Vec::new() };
    module.visit(&mut squares);
    if squares.sums.is_empty() {
        return 0.0;
    }
    let sums = Tensor::cat(squares.sums, 0).into_data().convert::<f32>();
    let sums = sums.try_to_vec::<f32>().expect("sums are float32 now");
    sums.into_iter().map(f64::from).sum::<f64>().sqrt()
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
