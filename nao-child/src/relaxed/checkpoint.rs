//! The state of a search in a relaxed network on disk.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::tensor::Tensor;
use nao_kernels::nn::{map_values, parameters, reshaped};
use nao_space::Relaxation;
use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::recipe::RelaxedRecipe;
use super::search::{Position, RelaxedEpoch, State};
use crate::train::CheckpointError;
use crate::train::state_file::{MOMENTUM, StateFile, same_training};

/// What a file says besides its tensors.
#[derive(Serialize, Deserialize)]
struct Meta {
    recipe: RelaxedRecipe,
    seed: u64,
    relaxation: Relaxation,
    adam: Adam,
    epochs: Vec<RelaxedEpoch>,
    /// Files of earlier versions were written between two epochs.
    #[serde(default)]
    position: Position,
}

/// The section of the network's tensors.
const WEIGHTS: &str = "weights/";

/// Tensors are numbered in the order in which the network is visited.
fn numbered(number: usize) -> String {
    format!("{number:04}")
}

impl State {
    /// Writes everything that a search needs to go on.
    pub(super) fn save(&self, recipe: &RelaxedRecipe, seed: u64, path: &Path) -> Result<(), CheckpointError> {
        let State { relaxation, adam, epochs, position, .. } = self;
        let (recipe, relaxation) = (recipe.clone(), relaxation.clone());
        let (adam, epochs, position) = (adam.clone(), epochs.clone(), *position);
        let meta = Meta { recipe, seed, relaxation, adam, epochs, position };
        let mut file = StateFile::new(BTreeMap::new(), meta);
        for (number, parameter) in parameters(&self.network).into_iter().enumerate() {
            file.add(WEIGHTS, [(numbered(number), parameter.data())]);
            let buffer = self.sgd.buffers().get(&parameter.id);
            file.add(MOMENTUM, buffer.map(|buffer| (numbered(number), buffer.clone().into_data())));
        }
        file.write(path)
    }

    /// Takes over what [`save`](State::save) wrote.
    pub(super) fn load(
        mut self,
        recipe: &RelaxedRecipe,
        seed: u64,
        path: &Path,
    ) -> Result<Self, CheckpointError> {
        let mut file = StateFile::<Meta>::read(path, "it holds no state of a search in a relaxed network")?;
        same_training(path, (&file.meta.recipe, file.meta.seed), (recipe, seed))?;
        let (mut weights, mut momentum) = (file.take(WEIGHTS), file.take(MOMENTUM));
        let mut buffers = HashMap::new();
        for (number, parameter) in parameters(&self.network).into_iter().enumerate() {
            let stored = weights.get(&numbered(number));
            if stored.is_none_or(|stored| stored.shape().as_slice() != parameter.shape) {
                let message = "it holds the weights of another network".to_owned();
                return Err(CheckpointError::Damaged { path: path.to_owned(), message });
            }
            if let Some(buffer) = momentum.remove(&numbered(number)) {
                buffers.insert(parameter.id, Tensor::from_data(buffer, &parameter.value.device()));
            }
        }
        self.sgd.restore(buffers);
        let mut numbers = 0..;
        self.network = map_values(self.network, |parameter| {
            let data = weights.remove(&numbered(numbers.next()?))?;
            let len = data.num_elements();
            Some(Tensor::from_data(reshaped(data, vec![len]), &parameter.value.device()))
        });
        let Meta { relaxation, adam, epochs, position, .. } = file.meta;
        Ok(State { relaxation, adam, epochs, position, ..self })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use nao_kernels::nn::values_of;
    use nao_space::network::RelaxedPlan;
    use nao_space::seed::rng_for;
    use rand::RngExt;

    use super::*;
    use crate::data::digits;
    use crate::relaxed::network::RelaxedNetwork;
    use crate::relaxed::recipe::Order;
    use crate::train::Sgd;

    #[test]
    fn a_state_is_kept_to_the_last_bit() {
        let recipe = RelaxedRecipe::small(Order::First, &digits());
        let plan = RelaxedPlan::new(&recipe.skeleton(&digits())).unwrap();
        let state = |seed: u64| {
            let mut rng = rng_for(seed, "values", 0);
            let mut relaxation = Relaxation::of(|| rng.random_range(-1e-3..1e-3));
            let gradient = Relaxation::of(|| rng.random_range(-1e-2..1e-2));
            let mut adam = Adam::new();
            adam.step(&mut relaxation, &gradient, &recipe.mixtures);
            let device = Device::flex().autodiff();
            let network = RelaxedNetwork::new(&plan, &mut rng_for(seed, "weights", 0), &device);
            State {
                network,
                sgd: Sgd::new(recipe.weights.sgd()),
                relaxation,
                adam,
                epochs: vec![],
                position: Position { step: 3, loss_sum: 0.1, augment: 1 << 40 },
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        let saved = state(1);
        saved.save(&recipe, 7, &path).unwrap();
        let loaded = state(2).load(&recipe, 7, &path).unwrap();
        assert_eq!(loaded.relaxation, saved.relaxation);
        assert_eq!(loaded.adam, saved.adam);
        assert_eq!(values_of(&loaded.network), values_of(&saved.network));
    }
}
