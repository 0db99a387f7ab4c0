//! The settings of trainings on images.

use std::fmt;
use std::sync::Arc;

use nao_kernels::nn::SgdSettings;
use nao_space::Fidelity;
use nao_space::network::{Convention, Skeleton, Stem};
use serde::{Deserialize, Serialize};

use crate::data::{Augmentation, DataError, ImageData, Split};
use crate::fidelity::fidelity_of;

/// Which epoch's held-out accuracy is the result of a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// That of the last epoch, the only one that is measured.
    LastEpoch,
    /// The best of all epochs, each of which is measured.
    BestEpoch,
}

/// The macro structure around the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structure {
    /// Normal cells per stage (N).
    pub cells_per_stage: usize,
    /// Channels of the first stage (F), even.
    pub width: usize,
    /// Channels of the stem, as a multiple of the width.
    pub stem_multiplier: usize,
    /// Whether an auxiliary head is trained along. Needs images of at least 32x32.
    pub auxiliary: bool,
    /// The code base whose network is made of the cells; files may leave that of the authors' PyTorch code out.
    #[serde(default)]
    pub convention: Convention,
}

/// Everything about a training but architecture, data and seed. In files, every field is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The name that results carry.
    pub name: String,
    /// Where the settings come from.
    pub source: String,
    /// The name of the data that it is for, or `any`.
    pub data: String,
    /// The network around the cells.
    pub structure: Structure,
    /// Passes over the training images.
    pub epochs: u32,
    /// Images per step.
    pub batch: usize,
    /// Learning rate of the first epoch.
    pub learning_rate: f64,
    /// Learning rate at the end of the cosine.
    pub learning_rate_min: f64,
    /// Epochs that the cosine takes; more than `epochs` leaves it unfinished, as in the paper's search.
    pub cosine_epochs: u32,
    /// Momentum of SGD.
    pub momentum: f64,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Added to the clipped gradient as `weight_decay * weight`, on all parameters, norms included.
    pub weight_decay: f64,
    /// Largest norm of the gradient of all parameters together; 0 switches clipping off.
    pub clip: f64,
    /// Share of the target probability spread over all classes in training.
    pub label_smoothing: f64,
    /// Weight of the auxiliary head's loss.
    pub auxiliary_weight: f64,
    /// Keep probability of features before the classifier; 1 switches dropout off.
    pub dropout_keep: f64,
    /// Keep probability of branches in the last cell at the last step; 1 switches drop-path off.
    pub drop_path_keep: f64,
    /// How training images are varied.
    pub augmentation: Augmentation,
    /// Share of the images held out for validation in a search.
    pub validation_fraction: f64,
    /// Seed of that split: one split for all trials, so that their scores compare.
    pub split_seed: u64,
    /// Which epoch counts.
    pub score: Score,
}

impl Recipe {
    /// The skeleton of networks for that data.
    pub fn skeleton(&self, data: &ImageData) -> Skeleton {
        let Structure { cells_per_stage, width, stem_multiplier, auxiliary, convention } = self.structure;
        Skeleton {
            convention,
            stem: Stem::Cifar { multiplier: stem_multiplier },
            ..Skeleton::cifar10(cells_per_stage, width)
        }
        .for_data(data.shape, data.classes.len())
        .with_auxiliary(auxiliary)
    }

    /// The settings of its optimiser.
    pub fn sgd(&self) -> SgdSettings {
        let Recipe { momentum, nesterov, weight_decay, clip, .. } = *self;
        SgdSettings { momentum, nesterov, weight_decay, clip }
    }

    /// How thoroughly it tries an architecture.
    pub fn fidelity(&self) -> Fidelity {
        fidelity_of(&self.name, self.epochs, self)
    }

    /// Number of images held out for validation.
    pub fn validation_images(&self, data: &ImageData) -> usize {
        (data.development as f64 * self.validation_fraction).round() as usize
    }

    /// The images of the data that are trained on, and those held out for validation: the test images are in neither.
    ///
    /// # Errors
    /// When one side would be left without images.
    pub fn split(&self, data: &Arc<ImageData>) -> Result<Split, DataError> {
        Split::validation(data.clone(), self.validation_images(data), self.split_seed)
    }
}

impl fmt::Display for Recipe {
    /// One line per resolved value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_value(self).map_err(|_| fmt::Error)?;
        write_lines(f, "", &json)
    }
}

fn write_lines(f: &mut fmt::Formatter<'_>, prefix: &str, value: &serde_json::Value) -> fmt::Result {
    let Some(fields) = value.as_object() else { return Ok(()) };
    for (name, value) in fields {
        let name = format!("{prefix}{name}");
        if value.is_object() {
            write_lines(f, &format!("{name}."), value)?;
        } else {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            writeln!(f, "{name:<28} {text}")?;
        }
    }
    Ok(())
}
