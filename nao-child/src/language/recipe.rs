//! How language models are trained: named settings, each fully resolved (docs/specification.md, e.3, d.2).

use nao_space::Fidelity;
use serde::{Deserialize, Serialize};

use super::dropout::Dropouts;
use super::model::Regularisation;
use crate::fidelity::fidelity_of;

/// The names of the built-in recipes.
pub const LANGUAGE_RECIPE_NAMES: [&str; 4] = ["text-small", "ptb-search", "ptb-final", "wt2-final"];

/// All settings of the training of a language model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageRecipe {
    /// Its name.
    pub name: String,
    /// Where its values come from.
    pub source: String,
    /// Length of embedded words and of the memory (H).
    pub hidden: usize,
    /// Passes over the training text.
    pub epochs: u32,
    /// Parts of the training text read side by side.
    pub batch: usize,
    /// Rate of SGD for a segment of `segment` words; other lengths scale it in proportion.
    pub learning_rate: f64,
    /// Largest norm of all gradients together.
    pub clip: f64,
    /// Added to the clipped gradient, times the weight.
    pub weight_decay: f64,
    /// What is dropped.
    pub dropouts: Dropouts,
    /// Weight of the mean square of the dropped outputs (alpha).
    pub activation_penalty: f64,
    /// Weight of the mean squared difference of consecutive outputs (beta).
    pub temporal_penalty: f64,
    /// Base length of the segments through which gradients flow.
    pub segment: usize,
    /// How often the base length is halved, 0 to 1.
    pub halved: f64,
    /// Standard deviation of lengths around their base.
    pub jitter: f64,
    /// The least length.
    pub shortest: usize,
    /// The largest length.
    pub longest: usize,
    /// Weights are averaged from the epoch on whose validation loss is above the best of those more than this many
    /// epochs before.
    pub patience: usize,
    /// Parts in which the validation text is read.
    pub validation_batch: usize,
    /// Parts in which the test text is read.
    pub test_batch: usize,
    /// How often a training that left the finite numbers goes back to its best weights before it is given up.
    pub rollbacks: u32,
}

/// A recipe name that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no recipe `{name}` for language models; there are {}", LANGUAGE_RECIPE_NAMES.join(", "))]
pub struct UnknownLanguageRecipe {
    /// What was asked for.
    pub name: String,
}

impl LanguageRecipe {
    /// A built-in recipe.
    ///
    /// # Errors
    /// When there is none of that name: lists the names.
    pub fn named(name: &str) -> Result<Self, UnknownLanguageRecipe> {
        match name {
            "text-small" => Ok(text_small()),
            "ptb-search" => Ok(ptb_search()),
            "ptb-final" => Ok(ptb_final()),
            "wt2-final" => Ok(wt2_final()),
            _ => Err(UnknownLanguageRecipe { name: name.to_owned() }),
        }
    }

    /// How thoroughly it tries a cell.
    pub fn fidelity(&self) -> Fidelity {
        fidelity_of(&self.name, self.epochs, self)
    }

    /// The penalties.
    pub fn regularisation(&self) -> Regularisation {
        Regularisation { activation: self.activation_penalty, temporal: self.temporal_penalty }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that cannot be, its value and what it may be.
    pub fn check(&self) -> Result<(), LanguageRecipeError> {
        let sizes = [
            ("hidden", self.hidden),
            ("batch", self.batch),
            ("segment", self.segment),
            ("shortest", self.shortest),
            ("validation_batch", self.validation_batch),
            ("test_batch", self.test_batch),
            ("epochs", self.epochs as usize),
        ];
        for (field, value) in sizes {
            if value == 0 {
                return refuse(field, 0.0, "at least 1");
            }
        }
        if self.longest < self.shortest {
            return refuse("longest", self.longest as f64, "at least `shortest`");
        }
        let Dropouts { word, input, x, hidden, output } = self.dropouts;
        let rates = [
            ("dropouts.word", word),
            ("dropouts.input", input),
            ("dropouts.x", x),
            ("dropouts.hidden", hidden),
            ("dropouts.output", output),
        ];
        for (field, value) in rates {
            if !(0.0..1.0).contains(&value) {
                return refuse(field, value, "at least 0 and below 1");
            }
        }
        if !(0.0..=1.0).contains(&self.halved) {
            return refuse("halved", self.halved, "0 to 1");
        }
        for (field, value) in [("learning_rate", self.learning_rate), ("clip", self.clip)] {
            if !(value.is_finite() && value > 0.0) {
                return refuse(field, value, "above 0");
            }
        }
        let penalties = [
            ("weight_decay", self.weight_decay),
            ("activation_penalty", self.activation_penalty),
            ("temporal_penalty", self.temporal_penalty),
            ("jitter", self.jitter),
        ];
        for (field, value) in penalties {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(field, value, "at least 0");
            }
        }
        Ok(())
    }
}

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("recipe setting `{field}` is {value}; it must be {rule}")]
pub struct LanguageRecipeError {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: f64,
    /// What it must be.
    pub rule: &'static str,
}

fn refuse(field: &'static str, value: f64, rule: &'static str) -> Result<(), LanguageRecipeError> {
    Err(LanguageRecipeError { field, value, rule })
}

/// For a search in minutes: few units and epochs, and for so few less is dropped. Cells differ by more than seeds of one
/// cell do.
fn text_small() -> LanguageRecipe {
    LanguageRecipe {
        name: "text-small".into(),
        source: "this project, chosen by measurement".into(),
        hidden: 64,
        epochs: 2,
        batch: 20,
        dropouts: Dropouts { word: 0.0, input: 0.1, x: 0.1, hidden: 0.1, output: 0.1 },
        ..ptb_final()
    }
}

/// The published training on the Penn Treebank.
fn ptb_final() -> LanguageRecipe {
    LanguageRecipe {
        name: "ptb-final".into(),
        source: "authors' final training, of seed 1267 (docs/specification.md, e.3)".into(),
        hidden: 850,
        epochs: 4000,
        batch: 64,
        learning_rate: 20.0,
        clip: 0.25,
        weight_decay: 8e-7,
        dropouts: Dropouts { word: 0.0, input: 0.2, x: 0.75, hidden: 0.25, output: 0.75 },
        activation_penalty: 0.0,
        temporal_penalty: 1e-3,
        segment: 35,
        halved: 0.05,
        jitter: 5.0,
        shortest: 5,
        longest: 55,
        patience: 5,
        validation_batch: 10,
        test_batch: 1,
        rollbacks: 3,
    }
}

/// Children of the search on the Penn Treebank: the final training, shorter (docs/specification.md, d.2).
fn ptb_search() -> LanguageRecipe {
    LanguageRecipe {
        name: "ptb-search".into(),
        source: "authors' search: the final training for 600 epochs (docs/specification.md, d.2)".into(),
        epochs: 600,
        ..ptb_final()
    }
}

/// The published training on WikiText-2.
fn wt2_final() -> LanguageRecipe {
    let ptb = ptb_final();
    LanguageRecipe {
        name: "wt2-final".into(),
        hidden: 700,
        epochs: 2000,
        weight_decay: 5e-7,
        dropouts: Dropouts { hidden: 0.15, ..ptb.dropouts },
        ..ptb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_recipes_are_sound_and_found_by_name() {
        for name in LANGUAGE_RECIPE_NAMES {
            let recipe = LanguageRecipe::named(name).unwrap();
            assert_eq!(recipe.name, name);
            assert_eq!(recipe.check(), Ok(()));
        }
        assert!(LanguageRecipe::named("ptb").unwrap_err().to_string().contains("ptb-search, ptb-final"));
    }

    #[test]
    fn impossible_settings_are_named() {
        let recipe = LanguageRecipe { learning_rate: f64::NAN, ..ptb_final() };
        assert_eq!(
            recipe.check().unwrap_err().to_string(),
            "recipe setting `learning_rate` is NaN; it must be above 0"
        );
        let dropouts = Dropouts { x: 1.0, ..ptb_final().dropouts };
        assert!(
            LanguageRecipe { dropouts, ..ptb_final() }
                .check()
                .unwrap_err()
                .to_string()
                .contains("dropouts.x")
        );
        assert!(LanguageRecipe { batch: 0, ..ptb_final() }.check().is_err());
        let lengths = LanguageRecipe { longest: 4, ..ptb_final() }.check().unwrap_err().to_string();
        assert!(lengths.contains("`longest` is 4"), "{lengths}");
    }
}
