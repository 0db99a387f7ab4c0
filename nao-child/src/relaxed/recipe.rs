//! How a relaxed network is searched: named settings, each fully resolved.

use nao_space::network::{Convention, Skeleton};
use serde::{Deserialize, Serialize};

use super::adam::AdamSettings;
use crate::data::{Augmentation, ImageData, Normalisation};
use crate::recipe::{Recipe, RecipeError, Score, Structure};

/// Which gradient the mixtures follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// That of the validation loss at the weights as they are.
    First,
    /// That at the weights after a step of training; it costs about four times as much.
    Second,
}

/// All settings of a search in a relaxed network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelaxedRecipe {
    /// Which gradient the mixtures follow.
    pub order: Order,
    /// The network around the cells and how its weights are trained. `validation_fraction` is the share of the images that
    /// the mixtures learn from; nothing is dropped, and there is no auxiliary head.
    pub weights: Recipe,
    /// How the mixtures learn.
    pub mixtures: AdamSettings,
    /// Standard deviation of their logits at first.
    pub initial_deviation: f64,
}

impl RelaxedRecipe {
    /// The published search on CIFAR-10: eight cells, sixteen channels, half of the images for the mixtures.
    pub fn published(order: Order) -> Self {
        let weights = Recipe {
            name: "darts".into(),
            source: "Liu, Simonyan and Yang 2019; authors' repository".into(),
            data: "cifar10".into(),
            structure: Structure {
                cells_per_stage: 2,
                width: 16,
                stem_multiplier: 3,
                auxiliary: false,
                convention: Convention::NaoTorch,
            },
            epochs: 50,
            batch: 64,
            learning_rate: 0.025,
            learning_rate_min: 0.001,
            cosine_epochs: 50,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 3e-4,
            clip: 5.0,
            label_smoothing: 0.0,
            auxiliary_weight: 0.0,
            dropout_keep: 1.0,
            drop_path_keep: 1.0,
            augmentation: Augmentation {
                normalisation: Normalisation::Cifar,
                crop_padding: 4,
                flip: true,
                cutout: 0,
            },
            validation_fraction: 0.5,
            split_seed: 1,
            score: Score::LastEpoch,
        };
        let mixtures = AdamSettings { learning_rate: 3e-4, beta1: 0.5, beta2: 0.999, weight_decay: 1e-3 };
        RelaxedRecipe { order, weights, mixtures, initial_deviation: 1e-3 }
    }

    /// For little data on a CPU: five cells of four channels, and mixtures that learn ten times as fast, as there are far
    /// fewer steps.
    pub fn small(order: Order, data: &ImageData) -> Self {
        let published = RelaxedRecipe::published(order);
        let digits = data.name == "digits";
        let weights = Recipe {
            name: "darts-small".into(),
            source: "this project".into(),
            data: data.name.clone(),
            structure: Structure {
                cells_per_stage: 1,
                width: 4,
                stem_multiplier: 1,
                auxiliary: false,
                convention: Convention::NaoTorch,
            },
            epochs: if digits { 15 } else { 10 },
            cosine_epochs: if digits { 15 } else { 10 },
            augmentation: Augmentation {
                normalisation: Normalisation::TrainingImages,
                crop_padding: if digits { 1 } else { 4 },
                flip: !digits,
                cutout: 0,
            },
            ..published.weights
        };
        let mixtures = AdamSettings { learning_rate: 3e-3, ..published.mixtures };
        RelaxedRecipe { weights, mixtures, ..published }
    }

    /// The skeleton of the network for that data.
    pub fn skeleton(&self, data: &ImageData) -> Skeleton {
        self.weights.skeleton(data)
    }

    /// Checks the values, and that the recipe is for that data.
    ///
    /// # Errors
    /// Names the field and its rule.
    pub fn check(&self, data: &ImageData) -> Result<(), RecipeError> {
        self.weights.check(data)?;
        let AdamSettings { learning_rate, beta1, beta2, weight_decay } = self.mixtures;
        let below_one = |value: f64| (0.0..1.0).contains(&value);
        let not_negative = |value: f64| value >= 0.0 && value.is_finite();
        let rules = [
            (
                "mixtures.learning_rate",
                learning_rate,
                not_negative(learning_rate) && learning_rate > 0.0,
                "above 0",
            ),
            ("mixtures.beta1", beta1, below_one(beta1), "from 0 to below 1"),
            ("mixtures.beta2", beta2, below_one(beta2), "from 0 to below 1"),
            ("mixtures.weight_decay", weight_decay, not_negative(weight_decay), "at least 0"),
            ("initial_deviation", self.initial_deviation, not_negative(self.initial_deviation), "at least 0"),
        ];
        match rules.into_iter().find(|&(_, _, holds, _)| !holds) {
            Some((field, value, _, rule)) => {
                Err(RecipeError::Value { recipe: self.weights.name.clone(), field, value, rule })
            }
            None => Ok(()),
        }
    }
}
