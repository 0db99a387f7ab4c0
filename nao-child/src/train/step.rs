//! One step of training, whatever is trained.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use nao_kernels::nn::Sgd;

use crate::op::norm::{BatchStatistics, apply_statistics};

/// What a step goes down, and what is said of it.
#[derive(Clone, Debug)]
pub struct Loss {
    /// What the gradient is of, `[1]`.
    pub total: Tensor<1>,
    /// What is reported, `[1]`: the loss without penalties.
    pub reported: Tensor<1>,
}

impl From<Tensor<1>> for Loss {
    fn from(total: Tensor<1>) -> Self {
        Loss { reported: total.clone(), total }
    }
}

/// A step that was taken.
#[derive(Clone, Debug)]
pub struct Step<M> {
    /// The module after it; its norms have moved towards what they saw.
    pub module: M,
    /// The reported loss before it.
    pub loss: f64,
    /// The norm of all gradients together, before clipping.
    pub gradient_norm: f64,
}

/// A loss, or the norm of its gradient, that is no finite number.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the loss became {loss}; take a lower learning rate")]
pub struct NotFinite {
    /// The number.
    pub loss: f64,
}

/// One step of SGD on an autodiff device. `loss` runs a training pass that leaves what the norms saw in the list.
///
/// # Errors
/// When the reported loss is not finite: no step is taken. Of the gradient [`Step::finite`] says it.
pub fn step<M: Module, L: Into<Loss>>(
    module: &M,
    sgd: &mut Sgd,
    rate: f64,
    loss: impl FnOnce(&M, &mut Vec<BatchStatistics>) -> L,
) -> Result<Step<M>, NotFinite> {
    let mut statistics = Vec::new();
    let Loss { total, reported } = loss(module, &mut statistics).into();
    let loss = f64::from(reported.into_scalar::<f32>());
    if !loss.is_finite() {
        return Err(NotFinite { loss });
    }
    let gradients = GradientsParams::from_grads(total.backward(), module);
    let (module, gradient_norm) = sgd.step(module.clone(), gradients, rate);
    let module = if statistics.is_empty() { module } else { apply_statistics(module, statistics) };
    Ok(Step { module, loss, gradient_norm })
}

impl<M> Step<M> {
    /// The module and the loss.
    ///
    /// # Errors
    /// When the gradient was not finite, so that the module is worth nothing.
    pub fn finite(self) -> Result<(M, f64), NotFinite> {
        if self.gradient_norm.is_finite() {
            Ok((self.module, self.loss))
        } else {
            Err(NotFinite { loss: self.gradient_norm })
        }
    }
}
