//! The mean of the weights over the steps of a training, which averaged SGD ends with.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;

use super::cell::CellWeights;
use super::model::LanguageModel;

/// The mean of the weights over steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Average {
    /// Flat.
    pub means: HashMap<ParamId, Tensor<1>>,
    /// Steps so far.
    pub count: u64,
}

impl Average {
    /// The mean over `count` steps that a model holds.
    pub fn of<W: CellWeights>(model: &LanguageModel<W>, count: u64) -> Self {
        let mut average = Average::default();
        average.add(model);
        Average { count, ..average }
    }

    /// Takes the weights after a step in.
    pub fn add<W: CellWeights>(&mut self, model: &LanguageModel<W>) {
        struct Add<'a>(&'a mut Average);
        impl ModuleMapper for Add<'_> {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let value = param.val().without_autodiff().flatten::<1>(0, D - 1);
                let mean = match self.0.means.remove(&param.id) {
                    Some(mean) => mean.clone() + (value - mean).div_scalar(self.0.count as f64),
                    None => value,
                };
                self.0.means.insert(param.id, mean);
                param
            }
        }
        self.count += 1;
        let _ = model.clone().map(&mut Add(self));
    }

    /// The model with its weights replaced by the means.
    pub fn weights<W: CellWeights>(&self, model: LanguageModel<W>) -> LanguageModel<W> {
        struct Replace<'a>(&'a Average);
        impl ModuleMapper for Replace<'_> {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let Some(mean) = self.0.means.get(&param.id) else { return param };
                let mean = mean.clone();
                param.map(|weight| Tensor::from_inner(mean.reshape(weight.dims())).require_grad())
            }
        }
        model.map(&mut Replace(self))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use nao_space::network::LanguageModelSkeleton;
    use nao_space::seed::rng_for;

    use super::*;
    use crate::language::RecurrentCell;

    #[test]
    fn the_mean_of_weights_is_their_mean() {
        let sizes = LanguageModelSkeleton { vocabulary: 5, hidden: 4 };
        let device = Device::flex().autodiff();
        let model = LanguageModel::new(sizes, 1, &mut rng_for(1, "weights", 0), &device);
        struct Shift(f32);
        impl ModuleMapper for Shift {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                param.map(|weight| Tensor::from_inner(weight.without_autodiff() + self.0).require_grad())
            }
        }
        let mut average = Average::default();
        for shift in [0.0, 1.0, 5.0] {
            average.add(&model.clone().map(&mut Shift(shift)));
        }
        let values = |model: &LanguageModel<RecurrentCell>| -> Vec<f32> {
            model.output_bias.val().into_data().iter::<f32>().collect()
        };
        let (mean, plain) = (values(&average.weights(model.clone())), values(&model));
        for (mean, plain) in mean.iter().zip(plain) {
            assert!((mean - plain - 2.0).abs() < 1e-6, "{mean} {plain}");
        }
    }
}
