//! Named, fully resolved training recipes. A recipe and a seed are all that a training needs besides the
//! architecture and the data.

mod built_in;

use std::fmt;

use nao_space::Fidelity;
use nao_space::network::{Convention, Skeleton, Stem};
use serde::{Deserialize, Serialize};

use built_in::{cifar10_final, digits_final, nao_ws_rank};
pub(crate) use built_in::{cifar10_small, digits, search};

use crate::data::{Augmentation, DataError, ImageData};
use crate::fidelity::fidelity_of;

/// The names of the built-in recipes.
pub const RECIPE_NAMES: [&str; 6] =
    ["digits", "digits-final", "cifar10-small", "search", "nao-ws-rank", "cifar10-final"];

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

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A name that no recipe has.
    #[error("unknown recipe `{name}`; known are {}", RECIPE_NAMES.join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// A recipe for other data.
    #[error("recipe `{recipe}` is for {expected}, not for {found}; for {found} use {fitting}")]
    OtherData {
        /// The recipe.
        recipe: String,
        /// The data it is for.
        expected: String,
        /// The data at hand.
        found: String,
        /// Names of recipes for the data at hand.
        fitting: String,
    },
    /// A value out of range.
    #[error("recipe `{recipe}`: {field} is {value}, it must be {rule}")]
    Value {
        /// The recipe.
        recipe: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        rule: &'static str,
    },
    /// The data cannot be split as the recipe says.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl Recipe {
    /// The built-in recipe of that name; see [`RECIPE_NAMES`].
    ///
    /// # Errors
    /// When there is none: lists the names.
    pub fn named(name: &str) -> Result<Self, RecipeError> {
        match name {
            "digits" => Ok(digits()),
            "digits-final" => Ok(digits_final()),
            "cifar10-small" => Ok(cifar10_small()),
            "search" => Ok(search()),
            "nao-ws-rank" => Ok(nao_ws_rank()),
            "cifar10-final" => Ok(cifar10_final()),
            _ => Err(RecipeError::Unknown { name: name.to_owned() }),
        }
    }

    /// All built-in recipes, in the order of [`RECIPE_NAMES`].
    pub fn all() -> [Recipe; 6] {
        [digits(), digits_final(), cifar10_small(), search(), nao_ws_rank(), cifar10_final()]
    }

    /// The recipe that a search or training on that data takes by default, if there is one.
    pub fn default_for(data: &ImageData) -> Option<Recipe> {
        // The whole of CIFAR-10 takes the paper's recipe, a part of it the small one.
        let name = match data.name.as_str() {
            "digits" => "digits",
            "cifar10" if data.development < 20_000 => "cifar10-small",
            "cifar10" => "search",
            _ => return None,
        };
        Recipe::named(name).ok()
    }

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

    /// How thoroughly it tries an architecture.
    pub fn fidelity(&self) -> Fidelity {
        fidelity_of(&self.name, self.epochs, self)
    }

    /// Number of images held out for validation.
    pub fn validation_images(&self, data: &ImageData) -> usize {
        (data.development as f64 * self.validation_fraction).round() as usize
    }

    /// Checks the values, and that the recipe is for that data.
    ///
    /// # Errors
    /// Names the field and its rule, or the recipes that fit the data.
    pub fn check(&self, data: &ImageData) -> Result<(), RecipeError> {
        if self.data != "any" && self.data != data.name {
            let fitting: Vec<String> = Recipe::all()
                .into_iter()
                .filter(|r| r.data == data.name)
                .map(|r| format!("`{}`", r.name))
                .collect();
            let fitting = if fitting.is_empty() {
                "a recipe of your own with data = \"any\"".to_owned()
            } else {
                fitting.join(" or ")
            };
            let (recipe, expected, found) = (self.name.clone(), self.data.clone(), data.name.clone());
            return Err(RecipeError::OtherData { recipe, expected, found, fitting });
        }
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let not_negative = |value: f64| value >= 0.0 && value.is_finite();
        let keep = |value: f64| value > 0.0 && value <= 1.0;
        let below_one = |value: f64| (0.0..1.0).contains(&value);
        type Rule = (&'static str, f64, bool, &'static str);
        let rules: [Rule; 13] = [
            ("epochs", self.epochs.into(), self.epochs > 0, "at least 1"),
            ("cosine_epochs", self.cosine_epochs.into(), self.cosine_epochs > 0, "at least 1"),
            ("batch", self.batch as f64, self.batch > 1, "at least 2, for batch norm needs a spread"),
            ("learning_rate", self.learning_rate, positive(self.learning_rate), "above 0"),
            ("learning_rate_min", self.learning_rate_min, not_negative(self.learning_rate_min), "at least 0"),
            ("momentum", self.momentum, below_one(self.momentum), "from 0 to below 1"),
            ("weight_decay", self.weight_decay, not_negative(self.weight_decay), "at least 0"),
            ("clip", self.clip, not_negative(self.clip), "at least 0 (0 is off)"),
            ("label_smoothing", self.label_smoothing, below_one(self.label_smoothing), "from 0 to below 1"),
            ("auxiliary_weight", self.auxiliary_weight, not_negative(self.auxiliary_weight), "at least 0"),
            ("dropout_keep", self.dropout_keep, keep(self.dropout_keep), "above 0 and at most 1"),
            ("drop_path_keep", self.drop_path_keep, keep(self.drop_path_keep), "above 0 and at most 1"),
            (
                "validation_fraction",
                self.validation_fraction,
                self.validation_fraction > 0.0 && self.validation_fraction < 1.0,
                "above 0 and below 1",
            ),
        ];
        match rules.into_iter().find(|&(_, _, holds, _)| !holds) {
            Some((field, value, _, rule)) => {
                Err(RecipeError::Value { recipe: self.name.clone(), field, value, rule })
            }
            None => Ok(()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits as digit_images;

    #[test]
    fn every_name_is_a_recipe_and_an_unknown_one_is_answered_with_the_list() {
        for (name, recipe) in RECIPE_NAMES.iter().zip(Recipe::all()) {
            assert_eq!(recipe.name, *name);
            assert_eq!(Recipe::named(name).unwrap(), recipe);
        }
        let error = Recipe::named("imagenet").unwrap_err().to_string();
        assert!(error.contains("`imagenet`") && error.contains("cifar10-final"), "{error}");
    }

    /// A recipe is not run on data that it is not for.
    #[test]
    fn a_recipe_for_other_data_is_refused_with_the_fitting_one() {
        let error = Recipe::named("cifar10-final").unwrap().check(&digit_images()).unwrap_err().to_string();
        assert!(error.starts_with("recipe `cifar10-final` is for cifar10, not for digits"), "{error}");
        assert!(error.ends_with("for digits use `digits` or `digits-final`"), "{error}");
        Recipe::named("digits").unwrap().check(&digit_images()).unwrap();
        let own = Recipe { data: "any".into(), ..Recipe::named("search").unwrap() };
        own.check(&digit_images()).unwrap();
    }

    #[test]
    fn recipes_survive_json_and_unknown_fields_do_not() {
        for recipe in Recipe::all() {
            let text = serde_json::to_string(&recipe).unwrap();
            assert_eq!(serde_json::from_str::<Recipe>(&text).unwrap(), recipe);
            let odd = text.replacen("\"batch\"", "\"batsch\":1,\"batch\"", 1);
            assert!(serde_json::from_str::<Recipe>(&odd).unwrap_err().to_string().contains("batsch"));
        }
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let recipe = Recipe { dropout_keep: 0.0, ..digits() };
        let error = recipe.check(&digit_images()).unwrap_err().to_string();
        assert!(error.contains("dropout_keep is 0, it must be above 0"), "{error}");
    }

    #[test]
    fn the_printed_form_shows_every_value() {
        let text = cifar10_final().to_string();
        for line in [
            "augmentation.cutout          16",
            "structure.width              36",
            "drop_path_keep               0.8",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
