//! Why a recipe does not fit.

use nao_space::network::GeometryError;

use crate::data::DataError;
use crate::recipe::RecipeError;

/// Why cells cannot be trained as a recipe says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CellRecipeError {
    /// An unknown recipe, one for other data, or a value out of range.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The data cannot be split.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Images that the network's reductions do not divide.
    #[error("the images do not fit: {0}")]
    Images(#[source] GeometryError),
    /// A network that cannot be laid out.
    #[error("no network fits these settings: {0}")]
    Network(#[source] GeometryError),
    /// A text that is too short for the number of its parts.
    #[error(
        "the {part} text has {words} words, too few for {batch} parts of at least 2; lower recipe.batch and \
         recipe.validation_batch"
    )]
    ShortText {
        /// `training` or `validation`.
        part: &'static str,
        /// Its words.
        words: usize,
        /// The parts that are read side by side.
        batch: usize,
    },
}
