//! How language models are trained: named settings, each fully resolved (docs/specification.md, e.3, d.2).

use nao_space::Fidelity;
use serde::{Deserialize, Serialize};

use super::dropout::Dropouts;
use super::model::Regularisation;
use crate::fidelity::fidelity_of;
use crate::recipe::RecipeError;

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

impl LanguageRecipe {
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
    pub fn check(&self) -> Result<(), RecipeError> {
        let refuse =
            |field, value, rule| Err(RecipeError::Value { recipe: self.name.clone(), field, value, rule });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ptb_final() -> LanguageRecipe {
        LanguageRecipe::named("ptb-final").unwrap()
    }

    #[test]
    fn impossible_settings_are_named() {
        let recipe = LanguageRecipe { learning_rate: f64::NAN, ..ptb_final() };
        assert_eq!(
            recipe.check().unwrap_err().to_string(),
            "recipe `ptb-final`: learning_rate is NaN, it must be above 0"
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
        assert!(lengths.contains("longest is 4"), "{lengths}");
    }
}
