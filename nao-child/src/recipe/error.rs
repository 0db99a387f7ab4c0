//! Why a recipe cannot be used.

use crate::data::DataError;

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A name that no recipe has.
    #[error("unknown recipe `{name}`; known are {known}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: String,
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
