//! The cells that are searched and trained, as the command line and files of configuration name them.

mod image;
mod recurrent;

use std::fmt::Debug;

use anyhow::{Result, bail};
use nao_child::language::LanguageRecipe;
use nao_child::{CellRecipe, Recipe};
use nao_controller::registry::RegisteredSpace;
use nao_space::draw::Picture;
use nao_space::search::OperationHistogram;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::{CellOptions, SpaceKind};
use crate::cell_network::{CellNetwork, convention_word};
use crate::registries::Registries;
use crate::space_argument::AnySpace;

/// A part of a configuration file.
pub trait Settings: Clone + Debug + PartialEq + Serialize + DeserializeOwned {}
impl<T: Clone + Debug + PartialEq + Serialize + DeserializeOwned> Settings for T {}

/// A space whose cells are searched and trained: how it is named, and what is known of cells that were published.
pub trait CellSpace: AnySpace + RegisteredSpace + 'static {
    /// Its cells, as on the command line.
    const KIND: SpaceKind;
    /// What names a space in a configuration file.
    type Settings: Settings;
    /// An entry of the zoo.
    type Published: 'static;

    /// The space of the settings.
    fn of_settings(settings: &Self::Settings) -> Result<Self>;
    /// The settings of the space.
    fn settings(&self) -> Self::Settings;
    /// The space of the options on the command line.
    fn of_options(options: &CellOptions) -> Result<Self>;

    /// The published architecture of that name.
    fn published(name: &str) -> Result<PublishedCells<Self>>;
    /// The name of an entry of the zoo.
    fn published_name(published: &Self::Published) -> &'static str;
    /// Reads an architecture in any form: with its space, which the options name or the architecture shows, and with what
    /// it says about its network.
    fn read(text: &str, options: &CellOptions) -> Result<(Self, Self::Arch, CellNetwork)>;
    /// The JSON form of an architecture, with what is known about its network.
    fn document(arch: &Self::Arch, published: Option<&Self::Published>, network: &CellNetwork) -> String;
    /// The drawing of an architecture, that of the published one where it is such.
    fn network_picture(
        arch: &Self::Arch,
        published: Option<&Self::Published>,
        network: &CellNetwork,
    ) -> Result<Picture>;
    /// The network of a published architecture, where there are several code bases.
    fn network_of_published(_published: &Self::Published) -> CellNetwork {
        CellNetwork::default()
    }
    /// Refuses cells about whose network nothing is said, where that has to be said.
    fn ask_for_network(&self) -> Result<()> {
        Ok(())
    }
    /// What a text says about the network around its cells.
    fn network_in(_text: &str) -> Result<CellNetwork> {
        Ok(CellNetwork::default())
    }
    /// The operations of architectures, where these may go without parameters.
    fn operations(_archs: &[Self::Arch]) -> Option<OperationHistogram> {
        None
    }
}

/// A published architecture: its space, itself, and its entry in the zoo.
pub type PublishedCells<S> = (S, <S as nao_space::Space>::Arch, &'static <S as CellSpace>::Published);

/// How cells that the command line can name are trained.
pub trait NamedRecipe: CellRecipe<Space: CellSpace> {
    /// The recipe of that name, built in or a program's own.
    fn listed(known: &Registries, name: &str) -> Result<Self>;
}

impl NamedRecipe for Recipe {
    fn listed(known: &Registries, name: &str) -> Result<Self> {
        known.image_recipe(name)
    }
}

impl NamedRecipe for LanguageRecipe {
    fn listed(known: &Registries, name: &str) -> Result<Self> {
        known.recipe_for_language(name)
    }
}

/// What names the space of a recipe in a configuration file.
pub type SpaceSettings<R> = <<R as CellRecipe>::Space as CellSpace>::Settings;

/// A published cell of a recipe.
pub type PublishedOf<R> = <<R as CellRecipe>::Space as CellSpace>::Published;

/// Makes a recipe one for the network that is known of cells of the space. `is_said` tells whether the user has said in the
/// recipe's settings whose network is meant. Recipes of cells that have one network stay as they are.
pub fn follow<R: NamedRecipe>(
    recipe: R,
    network: &CellNetwork,
    space: &R::Space,
    is_said: bool,
) -> Result<R> {
    let Some(own) = recipe.convention() else { return Ok(recipe) };
    match network.convention {
        Some(convention) if is_said && convention != own => bail!(
            "structure.convention is {}, and the cells mean the network of {}: leave the setting out",
            convention_word(own),
            convention_word(convention)
        ),
        Some(convention) => Ok(recipe.with_convention(convention)),
        None if is_said => Ok(recipe),
        None => space.ask_for_network().map(|()| recipe),
    }
}

/// Does something with the recipe of a kind of cells: `with_recipe!(kind, R => work::<R>())`.
macro_rules! with_recipe {
    ($kind:expr, $recipe:ident => $work:expr) => {
        match $kind {
            $crate::args::SpaceKind::Cnn => {
                type $recipe = nao_child::Recipe;
                $work
            }
            $crate::args::SpaceKind::Rnn => {
                type $recipe = nao_child::language::LanguageRecipe;
                $work
            }
        }
    };
}
pub(crate) use with_recipe;
