//! What a search or a training asks of a recipe, whatever the cells and the data are.

mod error;
mod image;
mod language;

use std::fmt::Debug;
use std::sync::Arc;

use burn::tensor::Device;
use nao_space::network::{Convention, Cost};
use nao_space::search::RoundLimits;
use nao_space::{Evaluator, Fidelity, Objective, Space};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::CellRecipeError;

use crate::data::{DataKind, DataSource};

/// An architecture of the cells of a recipe.
pub type ArchOf<R> = <<R as CellRecipe>::Space as Space>::Arch;

/// An evaluator that workers share.
pub type SharedEvaluator<A> = Box<dyn Evaluator<A> + Send + Sync>;

/// How cells of one space are trained on one kind of data: [`Recipe`](crate::Recipe) for image cells,
/// [`LanguageRecipe`](crate::language::LanguageRecipe) for recurrent ones. Searches, run folders and trainings are
/// generic over it.
///
/// ```
/// use nao_child::data::{DataKind, DataSource};
/// use nao_child::{ArchOf, CellRecipe, Recipe};
/// use nao_space::{CnnSpace, Space};
///
/// fn parameters<R: CellRecipe>(source: &DataSource, arch: &ArchOf<R>) -> Result<u64, Box<dyn std::error::Error>> {
///     let data = R::Data::load(source, None)?;
///     let recipe = R::for_search(&data).ok_or("no recipe for this data")?;
///     Ok(recipe.cost(arch, &data)?.params)
/// }
///
/// let arch = CnnSpace::new(1, nao_space::OpSet::enas_5())?.parse("0 1 1 2 0 3 1 0")?;
/// assert!(parameters::<Recipe>(&DataSource::Digits, &arch)? > 1_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CellRecipe:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The cells.
    type Space: Space;
    /// What they are trained on.
    type Data: DataKind;

    /// The built-in recipe of that name.
    ///
    /// # Errors
    /// When there is none: lists the names.
    fn built_in(name: &str) -> Result<Self, CellRecipeError>;

    /// The recipe of a search on the data, where there is one.
    fn for_search(data: &Self::Data) -> Option<Self>;

    /// The recipe of a final training on the data, where there is one.
    fn for_final_training(data: &Self::Data) -> Option<Self>;

    /// The settings that change with the number of epochs, by name.
    fn settings_of_epochs() -> &'static [&'static str];

    /// The code base whose network is made of the cells, where there are several.
    fn convention(&self) -> Option<Convention> {
        None
    }

    /// The same recipe with the network of another code base, where there are several.
    fn with_convention(self, _convention: Convention) -> Self {
        self
    }

    /// What the network of an architecture costs.
    ///
    /// # Errors
    /// When no network fits the data and the settings.
    fn cost(&self, arch: &ArchOf<Self>, data: &Self::Data) -> Result<Cost, CellRecipeError>;

    /// How thoroughly it tries an architecture.
    fn fidelity(&self) -> Fidelity;

    /// The rounds of a search, and how many parents its strategy moves, by default.
    fn rounds(&self, source: &DataSource) -> (RoundLimits, Option<usize>);

    /// Checks that the recipe fits the data and the space.
    ///
    /// # Errors
    /// Names the setting and its rule, or what of the data does not fit.
    fn check_fit(&self, data: &Self::Data, space: &Self::Space, seed: u64) -> Result<(), CellRecipeError>;

    /// How many examples each part of the data has.
    ///
    /// # Errors
    /// When the data cannot be split as the recipe says.
    fn counts(&self, data: &Arc<Self::Data>) -> Result<Vec<(String, usize)>, CellRecipeError>;

    /// What is measured in a search.
    fn objective() -> Objective;

    /// What measures it.
    ///
    /// # Errors
    /// When the recipe does not fit the data.
    fn evaluator(
        self,
        data: Arc<Self::Data>,
        device: Device,
    ) -> Result<SharedEvaluator<ArchOf<Self>>, CellRecipeError>;
}
