//! Shared weights on disk: tensors and momentum under the names of the form, and what they belong to.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use nao_space::network::{GeometryError, Skeleton};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, InvalidCnnSpace, OpSet};
use serde::{Deserialize, Serialize};

use super::training::{Position, SharedTraining};
use super::weights::Supernet;
use crate::names::NameConvention;
use crate::recipe::Recipe;
use crate::train::CheckpointError;
use crate::train::tensor_file::{read, same, write};

const MOMENTUM_PREFIX: &str = "momentum/";

/// What a file of shared weights says besides its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Meta {
    supernet: Origin,
    recipe: Recipe,
    seed: u64,
    epoch: u32,
    /// Files of earlier versions were written between two epochs.
    #[serde(default)]
    position: Position,
}

/// What a supernet is built from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Origin {
    ops: String,
    nodes: usize,
    skeleton: Skeleton,
    form: NameConvention,
}

/// Why a file is no supernet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SupernetFileError {
    /// The file cannot be read, or is of something else.
    #[error(transparent)]
    File(#[from] CheckpointError),
    /// It names a space that there is not.
    #[error(transparent)]
    Space(#[from] InvalidCnnSpace),
    /// It names a set of operations that there is not.
    #[error(transparent)]
    Ops(#[from] nao_space::UnknownOpSet),
    /// It names a skeleton that has no supernet.
    #[error(transparent)]
    Skeleton(#[from] GeometryError),
}

impl Origin {
    fn of(supernet: &Supernet) -> Self {
        Origin {
            ops: supernet.space().ops().name().to_owned(),
            nodes: supernet.space().nodes(),
            skeleton: supernet.plan().skeleton,
            form: supernet.form(),
        }
    }
}

impl SharedTraining {
    /// Writes weights, momentum and how far the training is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let mut tensors = self.supernet.tensors();
        for (name, id) in self.supernet.ids() {
            if let Some(buffer) = self.sgd.buffers().get(&id) {
                tensors.insert(format!("{MOMENTUM_PREFIX}{name}"), buffer.clone().into_data());
            }
        }
        let meta = Meta {
            supernet: Origin::of(&self.supernet),
            recipe: self.recipe().clone(),
            seed: self.seed(),
            epoch: self.epoch,
            position: self.position,
        };
        write(tensors, Some(&meta), path)
    }

    /// Goes on from what [`save`](SharedTraining::save) wrote.
    ///
    /// # Errors
    /// When the file cannot be read, or is of another space, skeleton, recipe or seed: names both sides.
    pub fn restore(&mut self, path: &Path) -> Result<(), CheckpointError> {
        let (mut tensors, meta) = read_supernet(path)?;
        same(path, "supernet", &meta.supernet, &Origin::of(&self.supernet))?;
        same(path, "recipe", &meta.recipe, self.recipe())?;
        same(path, "seed", &meta.seed, &self.seed())?;
        let momentum = take_momentum(&mut tensors);
        self.supernet
            .load(tensors)
            .map_err(|source| CheckpointError::Names { path: path.to_owned(), source })?;
        let device: Device = self.supernet.device().clone();
        let buffer = |name| Some(Tensor::from_data(momentum.get(name)?.clone(), &device));
        let buffers = self.supernet.ids().filter_map(|(name, id)| Some((id, buffer(name)?)));
        self.sgd.restore(buffers.collect());
        (self.epoch, self.position) = (meta.epoch, meta.position);
        Ok(())
    }
}

impl Supernet {
    /// The supernet of a file that [`SharedTraining::save`] wrote.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn open(path: &Path, device: &Device) -> Result<Self, SupernetFileError> {
        let (mut tensors, meta) = read_supernet(path)?;
        take_momentum(&mut tensors);
        let Origin { ops, nodes, skeleton, form } = meta.supernet;
        let space = CnnSpace::new(nodes, OpSet::named(&ops)?)?;
        let mut supernet = Supernet::new(&space, &skeleton, form, &mut rng_for(0, "blank", 0), device)?;
        let names = |source| CheckpointError::Names { path: path.to_owned(), source };
        supernet.load(tensors).map_err(names)?;
        Ok(supernet)
    }
}

fn read_supernet(path: &Path) -> Result<(BTreeMap<String, TensorData>, Meta), CheckpointError> {
    let (tensors, meta) = read::<serde_json::Value>(path)?;
    let meta = meta.and_then(|meta| serde_json::from_value(meta).ok());
    let damaged = || CheckpointError::Damaged {
        path: path.to_owned(),
        message: "it holds no supernet with what it belongs to".into(),
    };
    Ok((tensors, meta.ok_or_else(damaged)?))
}

fn take_momentum(tensors: &mut BTreeMap<String, TensorData>) -> BTreeMap<String, TensorData> {
    let (momentum, rest) = std::mem::take(tensors)
        .into_iter()
        .partition::<Vec<_>, _>(|(name, _)| name.starts_with(MOMENTUM_PREFIX));
    *tensors = rest.into_iter().collect();
    momentum.into_iter().map(|(name, data)| (name[MOMENTUM_PREFIX.len()..].to_owned(), data)).collect()
}
