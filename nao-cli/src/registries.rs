//! What can be named on the command line: strategies, spaces and recipes, with what a program adds of its own.

use anyhow::{Result, anyhow};
use nao_child::Recipe;
use nao_child::language::{LANGUAGE_RECIPES, LanguageRecipe};
use nao_child::recipe::RECIPES;
use nao_controller::registry::{OwnStrategy, SearchKind, Strategies};
use nao_space::draw::Draw;
use nao_space::notation::JsonForm;
use nao_space::{Describe, Graphs, Levels};

use crate::args::SpaceKind;
use crate::space_argument::{SpaceEntry, Spaces};

/// The tables that help texts, messages and commands read. A program of its own adds to them and runs:
///
/// ```no_run
/// use nao_cli::Registries;
/// use nao_space::ChoiceSpace;
///
/// fn main() -> std::process::ExitCode {
///     let space = ChoiceSpace::from_toml("name = 'net'\n[[position]]\nname = 'width'\nchoices = ['8', '16']");
///     let registries = Registries::default().space("net", "networks of mine", space.expect("it is a space"));
///     nao_cli::run(registries, |_| false)
/// }
/// ```
#[derive(Clone)]
pub struct Registries {
    pub(crate) strategies: Strategies,
    pub(crate) spaces: Spaces,
    recipes: Vec<Recipe>,
    language_recipes: Vec<LanguageRecipe>,
}

impl Default for Registries {
    /// Those of nao alone.
    fn default() -> Self {
        let strategies = Strategies::default();
        Registries {
            strategies,
            spaces: Spaces::built_in(),
            recipes: Vec::new(),
            language_recipes: Vec::new(),
        }
    }
}

impl Registries {
    /// One more strategy, for `nao search` and `nao bench`.
    ///
    /// # Panics
    /// When its name is taken.
    pub fn strategy(self, strategy: impl OwnStrategy) -> Self {
        Registries { strategies: self.strategies.with(strategy), ..self }
    }

    /// One more space, for every command that takes a space of any kind: `nao space`, `draw`, `fit`, `predict` and
    /// `benchmark check`. What is searched and trained are cells of images and of text: a search over another space needs an
    /// evaluator, and is a program of its own (`nao_run::Search`).
    ///
    /// # Panics
    /// When its name is taken.
    pub fn space<S>(mut self, name: &'static str, about: &'static str, space: S) -> Self
    where
        S: Graphs + Levels + Describe + Draw + JsonForm,
    {
        assert!(
            self.spaces.entries().iter().all(|entry| entry.name != name),
            "a space `{name}` is registered already"
        );
        self.spaces.push(SpaceEntry::plain(name, about, move || space.clone()));
        self
    }

    /// One more recipe for image cells, under the name that it has.
    ///
    /// # Panics
    /// When its name is taken.
    pub fn recipe(mut self, recipe: Recipe) -> Self {
        self.refuse_taken(&recipe.name);
        self.recipes.push(recipe);
        self
    }

    /// One more recipe for recurrent cells, under the name that it has.
    ///
    /// # Panics
    /// When its name is taken.
    pub fn language_recipe(mut self, recipe: LanguageRecipe) -> Self {
        self.refuse_taken(&recipe.name);
        self.language_recipes.push(recipe);
        self
    }

    fn refuse_taken(&self, name: &str) {
        let is_taken =
            self.recipe_names().iter().chain(&self.language_recipe_names()).any(|known| known == name);
        assert!(!is_taken, "a recipe `{name}` is registered already");
    }

    /// The names of the recipes for image cells.
    pub(crate) fn recipe_names(&self) -> Vec<String> {
        let own = self.recipes.iter().map(|recipe| recipe.name.clone());
        RECIPES.names().map(str::to_owned).chain(own).collect()
    }

    /// The names of the recipes for recurrent cells.
    pub(crate) fn language_recipe_names(&self) -> Vec<String> {
        let own = self.language_recipes.iter().map(|recipe| recipe.name.clone());
        LANGUAGE_RECIPES.names().map(str::to_owned).chain(own).collect()
    }

    /// The recipe for image cells of that name.
    pub(crate) fn image_recipe(&self, name: &str) -> Result<Recipe> {
        match self.recipes.iter().find(|recipe| recipe.name == name) {
            Some(own) => Ok(own.clone()),
            None => Recipe::named(name).map_err(|_| {
                anyhow!("unknown recipe `{name}`; known are {}", self.recipe_names().join(", "))
            }),
        }
    }

    /// The recipe for recurrent cells of that name.
    pub(crate) fn recipe_for_language(&self, name: &str) -> Result<LanguageRecipe> {
        match self.language_recipes.iter().find(|recipe| recipe.name == name) {
            Some(own) => Ok(own.clone()),
            None => LanguageRecipe::named(name).map_err(|_| {
                let known = self.language_recipe_names().join(", ");
                anyhow!("no recipe `{name}` for language models; there are {known}")
            }),
        }
    }

    /// The cells that a recipe of that name trains, where the name says so.
    pub(crate) fn kind_of_recipe(&self, name: Option<&str>) -> Option<SpaceKind> {
        let name = name?;
        self.language_recipe_names().iter().any(|known| known == name).then_some(SpaceKind::Rnn)
    }
}

/// The kinds of searches that `nao search` carries out; a strategy that looks at labels of a table needs a table.
pub(crate) fn in_runs(kind: SearchKind) -> bool {
    kind != SearchKind::CheapTrials
}

/// The kinds that `nao bench` carries out.
pub(crate) fn in_tables(kind: SearchKind) -> bool {
    matches!(kind, SearchKind::Trials | SearchKind::CheapTrials)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::AnySpaceOptions;

    #[test]
    fn every_listed_space_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        std::fs::write(&file, "name = 'own'\n[[position]]\nname = 'a'\nchoices = ['x']\n").unwrap();
        let known =
            Registries::default().space("mine", "a space of a test", nao_space::DartsSpace::default());
        for entry in known.spaces.entries() {
            let space = Some(entry.name.replace("FILE", &file.display().to_string()));
            let options = AnySpaceOptions { space, ops: None, nodes: None, encoding: None, order: None };
            assert_eq!(options.entry(&known.spaces).unwrap().name, entry.name);
            options.make(&known.spaces).unwrap_or_else(|error| panic!("{}: {error:#}", entry.name));
            assert!(!entry.about.is_empty());
        }
        let options = AnySpaceOptions {
            space: Some("his".into()),
            ops: None,
            nodes: None,
            encoding: None,
            order: None,
        };
        let message = options.entry(&known.spaces).map(drop).unwrap_err().to_string();
        assert!(message.contains("choice:FILE, mine"), "{message}");
    }

    #[test]
    #[should_panic(expected = "registered already")]
    fn no_two_recipes_have_one_name() {
        drop(Registries::default().recipe(Recipe::named("digits").unwrap()));
    }
}
