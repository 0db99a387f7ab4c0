//! The norm of all gradients of a module together, and its limit.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::parameters::gradients_of;
use crate::operation::sum_of_squares;

/// The Euclidean norm of all gradients together, in one transfer from the device; sums over parameters are in double
/// precision.
pub fn gradient_norm<M: Module>(module: &M, gradients: &GradientsParams) -> f64 {
    let sums = gradients_of(module, gradients).into_iter();
    let sums: Vec<Tensor<1>> = sums.filter_map(|of| of.gradient.map(sum_of_squares)).collect();
    if sums.is_empty() {
        return 0.0;
    }
    let sums = Tensor::cat(sums, 0).into_data();
    sums.iter::<f32>().map(f64::from).sum::<f64>().sqrt()
}

/// The same norm as a tensor, `[1]`, in single precision: nothing waits for it. `None` where there are no gradients.
pub fn gradient_norm_on_device(module: &impl Module, gradients: &GradientsParams) -> Option<Tensor<1>> {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        sums: Vec<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.sums.extend(self.gradients.get::<D>(param.id).map(|gradient| gradient.square().sum()));
        }
    }
    let mut squares = Squares { gradients, sums: Vec::new() };
    module.visit(&mut squares);
    (!squares.sums.is_empty()).then(|| Tensor::cat(squares.sums, 0).sum().sqrt())
}

/// Scales all gradients by `min(1, limit / (norm + 1e-6))`, norm being the Euclidean one over all parameters together. The
/// factor stays on the device: nothing waits for it.
pub fn clip_gradients(module: &impl Module, mut gradients: GradientsParams, limit: f64) -> GradientsParams {
    struct Scale<'a> {
        gradients: &'a mut GradientsParams,
        factor: Tensor<1>,
    }
    impl ModuleVisitor for Scale<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                let factor = self.factor.clone().reshape([1; D]);
                self.gradients.register(param.id, gradient * factor);
            }
        }
    }
    let Some(norm) = gradient_norm_on_device(module, &gradients) else { return gradients };
    let factor = norm.add_scalar(1e-6).recip().mul_scalar(limit).clamp_max(1.0);
    module.visit(&mut Scale { gradients: &mut gradients, factor });
    gradients
}
