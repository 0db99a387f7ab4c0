//! The mean of the weights over the steps of a training, which averaged SGD ends with.

use std::collections::HashMap;

use burn::module::ParamId;
use burn::tensor::Tensor;
use nao_kernels::nn::{Parameter, map_values, parameters};

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
        self.count += 1;
        for Parameter { id, value, .. } in parameters(model) {
            let mean = match self.means.remove(&id) {
                Some(mean) => mean.clone() + (value - mean).div_scalar(self.count as f64),
                None => value,
            };
            self.means.insert(id, mean);
        }
    }

    /// The model with its weights replaced by the means.
    pub fn weights<W: CellWeights>(&self, model: LanguageModel<W>) -> LanguageModel<W> {
        map_values(model, |parameter| self.means.get(&parameter.id).cloned())
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
        let mut average = Average::default();
        for shift in [0.0, 1.0, 5.0] {
            average.add(&map_values(model.clone(), |parameter| Some(parameter.value.clone() + shift)));
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
