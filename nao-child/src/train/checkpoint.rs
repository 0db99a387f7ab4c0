//! Networks and trainings of images on disk, under the authors' parameter names ([`names`](crate::names)).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::module::{Module, ParamId};
use burn::tensor::{Device, Tensor, TensorData};
use nao_kernels::nn::{Sgd, parameters};
use nao_space::network::{BlockRole, CellPlan, NetworkPlan};
use nao_space::seed::rng_for;
use nao_space::{CellRole, EpochReport};
use serde::{Deserialize, Serialize};

use super::state_file::{MOMENTUM, StateFile, same_training, take_section};
use super::tensor_file::{read_tensors, same, write};
use crate::names::{NameConvention, TensorName, load_tensors, save_tensors, tensor_names};
use crate::network::Network;
use crate::recipe::Recipe;

pub use super::tensor_file::CheckpointError;

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
    let mut tensors = read_tensors(path)?;
    take_section(&mut tensors, MOMENTUM);
    fit(network, &tensor_names(plan, convention), tensors, path)
}

/// The network of a plan, with the parameters and running statistics of a file under V1 names: one that
/// [`save_network`] wrote, or the checkpoint of a training.
///
/// # Errors
/// As [`load_network`].
pub fn open_network(plan: &NetworkPlan, path: &Path, device: &Device) -> Result<Network, CheckpointError> {
    let blank = Network::new(plan, &mut rng_for(0, "blank", 0), device);
    load_network(blank, plan, NameConvention::V1, path)
}

/// How far an epoch has come: what of its state is neither in the network nor follows from seed and epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Batches done.
    pub step: usize,
    /// Sum of the losses of the images in them.
    pub loss_sum: f64,
    /// Words that were taken from the generator that varies images.
    pub augment: u128,
    /// Words that were taken from the generator of what is dropped.
    pub drop: u128,
}

/// A training between two batches: all that is needed to go on.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub network: Network,
    pub sgd: Sgd,
    /// Epochs done.
    pub epoch: u32,
    /// Where the next one stands; between two epochs at its beginning.
    pub position: Position,
    /// The score so far with its epoch.
    pub scored: Option<(f64, u32)>,
    pub reports: Vec<EpochReport>,
}

impl Checkpoint {
    pub fn fresh(network: Network, sgd: Sgd) -> Self {
        let position = Position::default();
        Checkpoint { network, sgd, epoch: 0, position, scored: None, reports: Vec::new() }
    }

    pub fn save(
        &self,
        plan: &NetworkPlan,
        recipe: &Recipe,
        seed: u64,
        path: &Path,
    ) -> Result<(), CheckpointError> {
        let names = tensor_names(plan, NameConvention::V1);
        let buffer = |id, name: &TensorName| {
            let buffer = self.sgd.buffers().get(&id)?;
            Some((name.name.clone(), buffer.clone().into_data()))
        };
        let momentum = ids(&self.network).into_iter().zip(&names).filter_map(|(id, name)| buffer(id, name));
        let meta = Meta {
            recipe: recipe.clone(),
            seed,
            cells: Some(cells(plan)),
            epoch: self.epoch,
            position: self.position,
            scored: self.scored,
            reports: self.reports.clone(),
        };
        let mut file = StateFile::new(save_tensors(&self.network, &names), meta);
        file.add(MOMENTUM, momentum);
        file.write(path)
    }

    /// `fresh` with everything replaced by what the file holds.
    pub fn load(
        fresh: Checkpoint,
        plan: &NetworkPlan,
        recipe: &Recipe,
        seed: u64,
        path: &Path,
    ) -> Result<Self, CheckpointError> {
        let file = StateFile::<Meta>::read(path, "it holds a network but not the state of a training");
        let mut file = file?;
        same_training(path, (&file.meta.recipe, file.meta.seed), (recipe, seed))?;
        let mut momentum = file.take(MOMENTUM);
        let (Meta { cells: found, epoch, position, scored, reports, .. }, weights) = file.into_parts();
        let names = tensor_names(plan, NameConvention::V1);
        let network = fit(fresh.network, &names, weights, path)?;
        if let Some(found) = &found {
            same(path, "cell", found, &cells(plan))?;
        }
        let mut buffers = HashMap::new();
        let device = network.devices().into_iter().next().unwrap_or_default().without_autodiff();
        for (id, TensorName { name, shape, .. }) in ids(&network).into_iter().zip(&names) {
            let Some(data) = momentum.remove(name) else { continue };
            if data.num_elements() != shape.iter().product::<usize>() {
                let message = format!("{MOMENTUM}{name} has {} values", data.num_elements());
                return Err(CheckpointError::Damaged { path: path.to_owned(), message });
            }
            buffers.insert(id, Tensor::from_data(data, &device));
        }
        let mut sgd = fresh.sgd;
        sgd.restore(buffers);
        Ok(Checkpoint { network, sgd, epoch, position, scored, reports })
    }
}

/// What a checkpoint says besides its tensors, as one JSON text in the file's metadata.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    recipe: Recipe,
    seed: u64,
    /// The normal cell and the reduction cell, for the shapes of tensors do not tell a pool from another. Files of earlier
    /// versions do not say.
    #[serde(default)]
    cells: Option<Vec<String>>,
    epoch: u32,
    /// Files of earlier versions were written between two epochs.
    #[serde(default)]
    position: Position,
    scored: Option<(f64, u32)>,
    reports: Vec<EpochReport>,
}

/// The operations of the first normal and the first reduction cell, in words.
fn cells(plan: &NetworkPlan) -> Vec<String> {
    let branches = |cell: &CellPlan| {
        let branches = cell.nodes.iter().flat_map(|node| &node.branches);
        let words = branches.map(|branch| match branch.block.role {
            BlockRole::Operation(op) => format!("{} {op}", branch.input),
            _ => branch.input.to_string(),
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let first = |role| plan.cells.iter().find(|cell| cell.role == role);
    [CellRole::Normal, CellRole::Reduction].into_iter().filter_map(first).map(branches).collect()
}

fn ids(network: &Network) -> Vec<ParamId> {
    parameters(network).into_iter().map(|parameter| parameter.id).collect()
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
