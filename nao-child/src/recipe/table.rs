//! The built-in recipes, by name. Another one is a function and a line in a table.

use super::built_in::{cifar10_final, cifar10_small, digits, digits_final, nao_ws_rank, search};
use super::error::RecipeError;
use super::settings::Recipe;
use crate::data::ImageData;

/// A named recipe of kind `R`.
#[derive(Clone, Copy, Debug)]
pub struct RecipeEntry<R> {
    /// The name under which it is asked for.
    pub name: &'static str,
    /// What it is for, in a line.
    pub about: &'static str,
    /// Its settings.
    pub recipe: fn() -> R,
}

/// Recipes of kind `R` by name: what names, messages and help texts are read from.
#[derive(Clone, Copy, Debug)]
pub struct RecipeTable<R: 'static> {
    entries: &'static [RecipeEntry<R>],
}

impl<R> RecipeTable<R> {
    /// A table of those recipes, each of another name.
    pub const fn new(entries: &'static [RecipeEntry<R>]) -> Self {
        RecipeTable { entries }
    }

    /// The recipes with their descriptions.
    pub fn entries(&self) -> &'static [RecipeEntry<R>] {
        self.entries
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<R> {
        self.entries.iter().map(|entry| entry.name)
    }

    /// Whether there is a recipe of that name.
    pub fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// The recipe of a name.
    ///
    /// # Errors
    /// When there is none: lists the names.
    pub fn named(&self, name: &str) -> Result<R, RecipeError> {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        let known = || self.names().collect::<Vec<_>>().join(", ");
        let unknown = || RecipeError::Unknown { name: name.to_owned(), known: known() };
        entry.map(|entry| (entry.recipe)()).ok_or_else(unknown)
    }

    /// All recipes, in order.
    pub fn all(&self) -> Vec<R> {
        self.entries.iter().map(|entry| (entry.recipe)()).collect()
    }
}

/// The built-in recipes for images.
pub const RECIPES: RecipeTable<Recipe> = RecipeTable::new(&[
    RecipeEntry { name: "digits", about: "a search on the digits, seconds per cell", recipe: digits },
    RecipeEntry {
        name: "digits-final",
        about: "a found cell on all digits, a minute or two",
        recipe: digits_final,
    },
    RecipeEntry {
        name: "cifar10-small",
        about: "a search on a few thousand images of CIFAR-10, a minute per cell",
        recipe: cifar10_small,
    },
    RecipeEntry {
        name: "search",
        about: "the children of the paper's search without weight sharing, on CIFAR-10",
        recipe: search,
    },
    RecipeEntry {
        name: "nao-ws-rank",
        about: "the ranking of the best cells of a search with shared weights, on CIFAR-10",
        recipe: nao_ws_rank,
    },
    RecipeEntry {
        name: "cifar10-final",
        about: "the published final training, on CIFAR-10",
        recipe: cifar10_final,
    },
]);

impl Recipe {
    /// The built-in recipe of that name; see [`RECIPES`].
    ///
    /// # Errors
    /// When there is none: lists the names.
    pub fn named(name: &str) -> Result<Self, RecipeError> {
        RECIPES.named(name)
    }

    /// All built-in recipes, in the order of [`RECIPES`].
    pub fn all() -> Vec<Recipe> {
        RECIPES.all()
    }

    /// The recipe that a search or training on that data takes by default, if there is one.
    pub fn default_for(data: &ImageData) -> Option<Recipe> {
        // The whole of CIFAR-10 takes the paper's recipe, a part of it the small one.
        match data.name.as_str() {
            "digits" => Some(digits()),
            "cifar10" if data.development < 20_000 => Some(cifar10_small()),
            "cifar10" => Some(search()),
            _ => None,
        }
    }
}
