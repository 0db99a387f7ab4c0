//! The training of a language model between two segments, in memory and on disk.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use nao_space::{EpochReport, RnnArch, RnnNode, RnnState};
use serde::{Deserialize, Serialize};

use super::average::Average;
use super::cell::CellWeights;
use super::model::LanguageModel;
use super::names::{load_language_model, save_language_model};
use super::recipe::LanguageRecipe;
use crate::train::CheckpointError;
use crate::train::state_file::{StateFile, same_training};
use crate::train::tensor_file::{read_tensors, same, write};

/// The section of averaged weights.
const AVERAGE: &str = "average/";

/// The section of the best weights.
const BEST: &str = "best/";

/// The section of the memory that a segment left.
const MEMORY: &str = "memory/";

/// The one tensor of it.
const HIDDEN: &str = "hidden";

/// Writes the weights of a model under the authors' names.
///
/// # Errors
/// When the file cannot be written.
pub fn save_language_weights<W: CellWeights>(
    model: &LanguageModel<W>,
    path: &Path,
) -> Result<(), CheckpointError> {
    write::<Meta>(save_language_model(model), None, path)
}

/// Reads weights that [`save_language_weights`] wrote, or the authors' code.
///
/// # Errors
/// When the file cannot be read, is no safetensors file, or does not fit the model: lists every name.
pub fn load_language_weights<W: CellWeights>(
    model: LanguageModel<W>,
    path: &Path,
) -> Result<LanguageModel<W>, CheckpointError> {
    fitted(model, read_tensors(path)?, path)
}

/// The best weights so far.
#[derive(Clone, Debug)]
pub(super) struct Best<W: CellWeights> {
    pub model: LanguageModel<W>,
    /// Their validation perplexity.
    pub perplexity: f64,
    /// Counted from 1.
    pub epoch: u32,
}

/// How far an epoch has come: what of its state is no tensor and does not follow from seed and epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The first word of the next segment, in every part of the text.
    pub start: usize,
    /// Sum of the losses of the words before it, nats.
    pub loss_sum: f64,
    /// Words that were taken from the generator of lengths.
    pub lengths: u128,
    /// Words that were taken from the generator of masks.
    pub masks: u128,
}

/// All that is needed to go on.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint<W: CellWeights> {
    pub model: LanguageModel<W>,
    /// Once averaging has begun.
    pub average: Option<Average>,
    pub best: Option<Best<W>>,
    /// Epochs done.
    pub epoch: u32,
    /// Where the next one stands; between two epochs at its beginning.
    pub position: Position,
    /// What the segment before left, `[batch, hidden]`; nothing at the beginning of an epoch.
    pub memory: Option<Tensor<2>>,
    /// Validation losses so far.
    pub losses: Vec<f64>,
    pub averaged_after: Option<u32>,
    pub rollbacks: u32,
    pub reports: Vec<EpochReport>,
}

/// What a checkpoint says besides its tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    recipe: LanguageRecipe,
    seed: u64,
    /// The shapes of weights do not tell which cell they are of. Files of earlier versions do not say.
    #[serde(default)]
    cell: Option<TrainedCell>,
    epoch: u32,
    /// Files of earlier versions were written between two epochs.
    #[serde(default)]
    position: Position,
    losses: Vec<f64>,
    /// Steps that were averaged.
    averaged_steps: Option<u64>,
    averaged_after: Option<u32>,
    /// Perplexity and epoch of the best weights.
    best: Option<(f64, u32)>,
    rollbacks: u32,
    reports: Vec<EpochReport>,
}

/// The cell that is trained, with the states that it averages.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct TrainedCell {
    nodes: Vec<RnnNode>,
    averaged: Vec<RnnState>,
}

impl TrainedCell {
    fn of<W: CellWeights>(model: &LanguageModel<W>, arch: &RnnArch) -> Self {
        TrainedCell { nodes: arch.nodes().to_vec(), averaged: model.cell.averaged(arch) }
    }
}

impl<W: CellWeights> Checkpoint<W> {
    pub fn fresh(model: LanguageModel<W>) -> Self {
        Checkpoint {
            model,
            average: None,
            best: None,
            epoch: 0,
            position: Position::default(),
            memory: None,
            losses: Vec::new(),
            averaged_after: None,
            rollbacks: 0,
            reports: Vec::new(),
        }
    }

    pub fn save(
        &self,
        arch: &RnnArch,
        recipe: &LanguageRecipe,
        seed: u64,
        path: &Path,
    ) -> Result<(), CheckpointError> {
        let meta = Meta {
            recipe: recipe.clone(),
            seed,
            cell: Some(TrainedCell::of(&self.model, arch)),
            epoch: self.epoch,
            position: self.position,
            losses: self.losses.clone(),
            averaged_steps: self.average.as_ref().map(|average| average.count),
            averaged_after: self.averaged_after,
            best: self.best.as_ref().map(|best| (best.perplexity, best.epoch)),
            rollbacks: self.rollbacks,
            reports: self.reports.clone(),
        };
        let mut file = StateFile::new(save_language_model(&self.model), meta);
        let averaged = self.average.as_ref().filter(|average| average.count > 0);
        let averaged = averaged.map(|average| average.weights(self.model.clone()));
        file.add(AVERAGE, averaged.as_ref().map(save_language_model).unwrap_or_default());
        let best = self.best.as_ref().map(|best| save_language_model(&best.model));
        file.add(BEST, best.unwrap_or_default());
        file.add(MEMORY, self.memory.clone().map(|memory| (HIDDEN.to_owned(), memory.into_data())));
        file.write(path)
    }

    /// `fresh` with everything replaced by what the file holds.
    pub fn load(
        fresh: Checkpoint<W>,
        arch: &RnnArch,
        recipe: &LanguageRecipe,
        seed: u64,
        path: &Path,
    ) -> Result<Self, CheckpointError> {
        let file = StateFile::<Meta>::read(path, "it holds a model but not the state of a training");
        let mut file = file?;
        let [mut memory, averaged, best] = [MEMORY, AVERAGE, BEST].map(|section| file.take(section));
        let StateFile { meta, .. } = &file;
        same_training(path, (&meta.recipe, meta.seed), (recipe, seed))?;
        if let Some(found) = &meta.cell {
            same(path, "cell", found, &TrainedCell::of(&fresh.model, arch))?;
        }
        let memory = memory.remove(HIDDEN);
        let blank = fresh.model.blank_memory(recipe.batch);
        if let Some(found) = memory.as_ref().map(TensorData::shape).filter(|&found| *found != blank.shape()) {
            let message = format!("{MEMORY}{HIDDEN} has the shape {found:?}, not {:?}", blank.shape());
            return Err(CheckpointError::Damaged { path: path.to_owned(), message });
        }
        let memory = memory.map(|memory| Tensor::from_data(memory, &blank.device()));
        let (meta, weights) = file.into_parts();
        let model = fitted(fresh.model, weights, path)?;
        let average = match meta.averaged_steps {
            None => None,
            Some(0) => Some(Average::default()),
            Some(steps) => Some(Average::of(&fitted(model.clone(), averaged, path)?, steps)),
        };
        let best = match meta.best {
            None => None,
            Some((perplexity, epoch)) => {
                Some(Best { model: fitted(model.clone(), best, path)?, perplexity, epoch })
            }
        };
        Ok(Checkpoint {
            model,
            average,
            best,
            epoch: meta.epoch,
            position: meta.position,
            memory,
            losses: meta.losses,
            averaged_after: meta.averaged_after,
            rollbacks: meta.rollbacks,
            reports: meta.reports,
        })
    }
}

fn fitted<W: CellWeights>(
    model: LanguageModel<W>,
    tensors: BTreeMap<String, TensorData>,
    path: &Path,
) -> Result<LanguageModel<W>, CheckpointError> {
    load_language_model(model, tensors)
        .map_err(|source| CheckpointError::Names { path: path.to_owned(), source })
}
