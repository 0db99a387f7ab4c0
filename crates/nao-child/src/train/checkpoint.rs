//! Networks and trainings of images on disk, under the authors' parameter names ([`names`](crate::names)).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use nao_space::EpochReport;
use nao_space::network::NetworkPlan;

use super::sgd::Sgd;
use super::tensor_file::{no_state, read, same, write};
use crate::names::{NameConvention, TensorName, load_tensors, save_tensors, tensor_names};
use crate::network::Network;
use crate::recipe::Recipe;

pub use super::tensor_file::CheckpointError;

/// Where momentum buffers stand in a checkpoint.
const MOMENTUM_PREFIX: &str = "momentum/";

/// Writes the parameters and running statistics of a network under the names of `convention`. Our own files have those
/// of V1.
///
/// # Errors
/// When the file cannot be written.
pub fn save_network(
    network: &Network,
    plan: &NetworkPlan,
    convention: NameConvention,
    path: &Path,
) -> Result<(), CheckpointError> {
    let tensors = save_tensors(network, &tensor_names(plan, convention));
    write::<Meta>(tensors, None, path)
}

/// Reads parameters and running statistics into a network of the same plan: one that [`save_network`] wrote, the
/// checkpoint of a training, or a file of the authors' code under the names of `convention`. Values of half or double
/// precision become float32.
///
/// # Errors
/// When the file cannot be read, is no safetensors file, or does not fit the network: lists every name that
/// is missing, unknown or of another shape.
pub fn load_network(
    network: Network,
    plan: &NetworkPlan,
    convention: NameConvention,
    path: &Path,
) -> Result<Network, CheckpointError> {
    let (mut tensors, _) = read::<Meta>(path)?;
    tensors.retain(|name, _| !name.starts_with(MOMENTUM_PREFIX));
    fit(network, &tensor_names(plan, convention), tensors, path)
}

/// A training between two epochs: all that is needed to go on.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub network: Network,
    pub sgd: Sgd,
    /// Epochs done.
    pub epoch: u32,
    /// The score so far with its epoch.
    pub scored: Option<(f64, u32)>,
    pub reports: Vec<EpochReport>,
}

impl Checkpoint {
    pub fn fresh(network: Network, sgd: Sgd) -> Self {
        Checkpoint { network, sgd, epoch: 0, scored: None, reports: Vec::new() }
    }

    pub fn save(
        &self,
        plan: &NetworkPlan,
        recipe: &Recipe,
        seed: u64,
        path: &Path,
    ) -> Result<(), CheckpointError> {
        let names = tensor_names(plan, NameConvention::V1);
        let mut tensors = save_tensors(&self.network, &names);
        for (id, TensorName { name, .. }) in ids(&self.network).into_iter().zip(&names) {
            if let Some(buffer) = self.sgd.buffers.get(&id) {
                tensors.insert(format!("{MOMENTUM_PREFIX}{name}"), buffer.clone().into_data());
            }
        }
        let meta = Meta {
            recipe: recipe.clone(),
            seed,
            epoch: self.epoch,
            scored: self.scored,
            reports: self.reports.clone(),
        };
        write(tensors, Some(&meta), path)
    }

    /// `fresh` with everything replaced by what the file holds.
    pub fn load(
        fresh: Checkpoint,
        plan: &NetworkPlan,
        recipe: &Recipe,
        seed: u64,
        path: &Path,
    ) -> Result<Self, CheckpointError> {
        let (mut tensors, meta) = read::<Meta>(path)?;
        let meta = meta.ok_or_else(|| no_state(path))?;
        same(path, "seed", &meta.seed, &seed)?;
        same(path, "recipe", &meta.recipe, recipe)?;
        let buffers: Vec<String> =
            tensors.keys().filter(|name| name.starts_with(MOMENTUM_PREFIX)).cloned().collect();
        let mut momentum: HashMap<String, TensorData> = HashMap::new();
        for key in buffers {
            if let Some(data) = tensors.remove(&key) {
                momentum.insert(key[MOMENTUM_PREFIX.len()..].to_owned(), data);
            }
        }
        let names = tensor_names(plan, NameConvention::V1);
        let network = fit(fresh.network, &names, tensors, path)?;
        let mut sgd = fresh.sgd;
        let device = network.devices().into_iter().next().unwrap_or_default().without_autodiff();
        for (id, TensorName { name, .. }) in ids(&network).into_iter().zip(&names) {
            if let Some(data) = momentum.remove(name) {
                sgd.buffers.insert(id, Tensor::from_data(data, &device));
            }
        }
        Ok(Checkpoint { network, sgd, epoch: meta.epoch, scored: meta.scored, reports: meta.reports })
    }
}

/// What a checkpoint says besides its tensors, as one JSON text in the file's metadata.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Meta {
    recipe: Recipe,
    seed: u64,
    epoch: u32,
    scored: Option<(f64, u32)>,
    reports: Vec<EpochReport>,
}

fn ids(network: &Network) -> Vec<ParamId> {
    struct Ids(Vec<ParamId>);
    impl ModuleVisitor for Ids {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.id);
        }
    }
    let mut ids = Ids(Vec::new());
    network.visit(&mut ids);
    ids.0
}

fn fit(
    network: Network,
    names: &[TensorName],
    tensors: BTreeMap<String, TensorData>,
    path: &Path,
) -> Result<Network, CheckpointError> {
    load_tensors(network, names, tensors)
        .map_err(|source| CheckpointError::Names { path: path.to_owned(), source })
}
