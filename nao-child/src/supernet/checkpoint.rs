//! Shared weights on disk: tensors and momentum under the names of the form, and what they belong to.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use nao_space::network::{GeometryError, Skeleton};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, InvalidCnnSpace, OpSet};
use serde::{Deserialize, Serialize};

use super::training::{Position, SharedTraining};
use super::weights::Supernet;
use crate::names::NameConvention;
use crate::recipe::Recipe;
use crate::train::CheckpointError;
use crate::train::state_file::{MOMENTUM, StateFile, same_training};
use crate::train::tensor_file::same;

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
        let meta = Meta {
            supernet: Origin::of(&self.supernet),
            recipe: self.recipe().clone(),
            seed: self.seed(),
            epoch: self.epoch,
            position: self.position,
        };
        let mut file = StateFile::new(self.supernet.tensors(), meta);
        let buffer = |id| Some(self.sgd.buffers().get(&id)?.clone().into_data());
        file.add(MOMENTUM, self.supernet.ids().filter_map(|(name, id)| Some((name.to_owned(), buffer(id)?))));
        file.write(path)
    }

    /// Goes on from what [`save`](SharedTraining::save) wrote.
    ///
    /// # Errors
    /// When the file cannot be read, or is of another space, skeleton, recipe or seed: names both sides.
    pub fn restore(&mut self, path: &Path) -> Result<(), CheckpointError> {
        let mut file = read_supernet(path)?;
        let Meta { supernet, recipe, seed, epoch, position } = &file.meta;
        same(path, "supernet", supernet, &Origin::of(&self.supernet))?;
        same_training(path, (recipe, *seed), (self.recipe(), self.seed()))?;
        let reached = (*epoch, *position);
        let momentum = file.take(MOMENTUM);
        self.supernet
            .load(file.into_parts().1)
            .map_err(|source| CheckpointError::Names { path: path.to_owned(), source })?;
        let device: Device = self.supernet.device().clone();
        let buffer = |name| Some(Tensor::from_data(momentum.get(name)?.clone(), &device));
        let buffers = self.supernet.ids().filter_map(|(name, id)| Some((id, buffer(name)?)));
        self.sgd.restore(buffers.collect());
        (self.epoch, self.position) = reached;
        Ok(())
    }
}

impl Supernet {
    /// The supernet of a file that [`SharedTraining::save`] wrote.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn open(path: &Path, device: &Device) -> Result<Self, SupernetFileError> {
        let mut file = read_supernet(path)?;
        file.take(MOMENTUM);
        let Origin { ops, nodes, skeleton, form } = file.meta.supernet.clone();
        let space = CnnSpace::new(nodes, OpSet::named(&ops)?)?;
        let mut supernet = Supernet::new(&space, &skeleton, form, &mut rng_for(0, "blank", 0), device)?;
        let names = |source| CheckpointError::Names { path: path.to_owned(), source };
        supernet.load(file.into_parts().1).map_err(names)?;
        Ok(supernet)
    }
}

fn read_supernet(path: &Path) -> Result<StateFile<Meta>, CheckpointError> {
    StateFile::read(path, "it holds no supernet with what it belongs to")
}
