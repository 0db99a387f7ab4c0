//! What the files of all trainings have in common: sections of tensors, and the settings that they belong to.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::TensorData;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::tensor_file::{CheckpointError, read_texts, same, write};

/// The section of momentum buffers.
pub(crate) const MOMENTUM: &str = "momentum/";

/// The state of a training, as it stands in a file.
#[derive(Debug)]
pub(crate) struct StateFile<M> {
    /// Weights by name; those of a section have its name before theirs.
    tensors: BTreeMap<String, TensorData>,
    /// What it says besides its tensors.
    pub meta: M,
}

impl<M> StateFile<M> {
    /// A state with its weights.
    pub fn new(tensors: BTreeMap<String, TensorData>, meta: M) -> Self {
        StateFile { tensors, meta }
    }

    /// Adds tensors under the name of a section.
    pub fn add(&mut self, section: &str, named: impl IntoIterator<Item = (String, TensorData)>) {
        let named = named.into_iter().map(|(name, data)| (format!("{section}{name}"), data));
        self.tensors.extend(named);
    }

    /// Takes the tensors of a section out, by their own names.
    pub fn take(&mut self, section: &str) -> BTreeMap<String, TensorData> {
        take_section(&mut self.tensors, section)
    }

    /// What it says, and what is left of its tensors: the weights.
    pub fn into_parts(self) -> (M, BTreeMap<String, TensorData>) {
        (self.meta, self.tensors)
    }
}

impl<M: Serialize> StateFile<M> {
    /// # Errors
    /// When the file cannot be written.
    pub fn write(self, path: &Path) -> Result<(), CheckpointError> {
        write(self.tensors, Some(&self.meta), path)
    }
}

impl<M: DeserializeOwned> StateFile<M> {
    /// Reads a state; `otherwise` says what is wrong where the file holds tensors but not such a state.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn read(path: &Path, otherwise: &str) -> Result<Self, CheckpointError> {
        let (tensors, text) = read_texts(path)?;
        let damaged = |message| CheckpointError::Damaged { path: path.to_owned(), message };
        let text = text.ok_or_else(|| damaged(otherwise.to_owned()))?;
        let meta = serde_json::from_str(&text).map_err(|error| damaged(format!("{otherwise}: {error}")))?;
        Ok(StateFile { tensors, meta })
    }
}

/// Takes the tensors of a section out, by their own names.
pub(crate) fn take_section(
    tensors: &mut BTreeMap<String, TensorData>,
    section: &str,
) -> BTreeMap<String, TensorData> {
    let (taken, rest) =
        std::mem::take(tensors).into_iter().partition::<Vec<_>, _>(|(name, _)| name.starts_with(section));
    *tensors = rest.into_iter().collect();
    taken.into_iter().map(|(name, data)| (name[section.len()..].to_owned(), data)).collect()
}

/// Checks that a state is of the same seed and recipe.
///
/// # Errors
/// Names what differs, with both sides.
pub(crate) fn same_training<R: Serialize + PartialEq>(
    path: &Path,
    found: (&R, u64),
    expected: (&R, u64),
) -> Result<(), CheckpointError> {
    same(path, "seed", &found.1, &expected.1)?;
    same(path, "recipe", found.0, expected.0)
}
