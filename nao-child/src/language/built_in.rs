//! The built-in recipes of language models.

use super::dropout::Dropouts;
use super::recipe::LanguageRecipe;
use crate::recipe::{RecipeEntry, RecipeError, RecipeTable};

/// The built-in recipes for language models.
pub const LANGUAGE_RECIPES: RecipeTable<LanguageRecipe> = RecipeTable::new(&[
    RecipeEntry { name: "text-small", about: "a search on any text, in minutes", recipe: text_small },
    RecipeEntry {
        name: "ptb-search",
        about: "the children of the authors' search on the Penn Treebank",
        recipe: ptb_search,
    },
    RecipeEntry {
        name: "ptb-final",
        about: "the published final training on the Penn Treebank",
        recipe: ptb_final,
    },
    RecipeEntry { name: "wt2-final", about: "the published final training on WikiText-2", recipe: wt2_final },
]);

impl LanguageRecipe {
    /// The built-in recipe of that name; see [`LANGUAGE_RECIPES`].
    ///
    /// # Errors
    /// When there is none: lists the names.
    pub fn named(name: &str) -> Result<Self, RecipeError> {
        LANGUAGE_RECIPES.named(name)
    }
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
        for name in LANGUAGE_RECIPES.names() {
            let recipe = LanguageRecipe::named(name).unwrap();
            assert_eq!(recipe.name, name);
            recipe.check().unwrap();
        }
        assert!(LanguageRecipe::named("ptb").unwrap_err().to_string().contains("ptb-search, ptb-final"));
    }
}
