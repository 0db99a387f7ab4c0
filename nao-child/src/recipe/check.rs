//! Whether a recipe can be, and is for the data at hand.

use super::error::RecipeError;
use super::settings::Recipe;
use super::table::RECIPES;
use crate::data::ImageData;

impl Recipe {
    /// Checks the values, and that the recipe is for that data.
    ///
    /// # Errors
    /// Names the field and its rule, or the recipes that fit the data.
    pub fn check(&self, data: &ImageData) -> Result<(), RecipeError> {
        if self.data != "any" && self.data != data.name {
            let fitting: Vec<String> = RECIPES
                .all()
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
