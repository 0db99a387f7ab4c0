//! Named, fully resolved training recipes. A recipe and a seed are all that a training needs besides the
//! architecture and the data.

mod built_in;
mod check;
mod error;
mod settings;
mod table;

pub(crate) use built_in::{cifar10_small, digits, search};
pub use error::RecipeError;
pub use settings::{Recipe, Score, Structure};
pub use table::{RECIPES, RecipeEntry, RecipeTable};

#[cfg(test)]
mod tests {
    use super::built_in::{cifar10_final, digits};
    use super::*;
    use crate::data::digits as digit_images;

    /// Another recipe is a function and an entry; messages list it.
    #[test]
    fn a_recipe_is_added_by_an_entry() {
        fn dummy() -> Recipe {
            Recipe { name: "dummy".into(), ..digits() }
        }
        static ENTRIES: [RecipeEntry<Recipe>; 2] = [
            RecipeEntry { name: "digits", about: "the digits", recipe: digits },
            RecipeEntry { name: "dummy", about: "for a test", recipe: dummy },
        ];
        let table = RecipeTable::new(&ENTRIES);
        assert_eq!(table.named("dummy").unwrap(), dummy());
        assert_eq!(table.all(), [digits(), dummy()]);
        let error = table.named("dumy").unwrap_err().to_string();
        assert_eq!(error, "unknown recipe `dumy`; known are digits, dummy");
    }

    #[test]
    fn every_name_is_a_recipe_and_an_unknown_one_is_answered_with_the_list() {
        for (name, recipe) in RECIPES.names().zip(Recipe::all()) {
            assert_eq!(recipe.name, name);
            assert_eq!(Recipe::named(name).unwrap(), recipe);
        }
        let error = Recipe::named("imagenet").unwrap_err().to_string();
        assert!(error.contains("`imagenet`") && error.contains("cifar10-final"), "{error}");
    }

    /// A recipe is not run on data that it is not for.
    #[test]
    fn a_recipe_for_other_data_is_refused_with_the_fitting_one() {
        let error = Recipe::named("cifar10-final").unwrap().check(&digit_images()).unwrap_err().to_string();
        assert!(error.starts_with("recipe `cifar10-final` is for cifar10, not for digits"), "{error}");
        assert!(error.ends_with("for digits use `digits` or `digits-final`"), "{error}");
        Recipe::named("digits").unwrap().check(&digit_images()).unwrap();
        let own = Recipe { data: "any".into(), ..Recipe::named("search").unwrap() };
        own.check(&digit_images()).unwrap();
    }

    #[test]
    fn recipes_survive_json_and_unknown_fields_do_not() {
        for recipe in Recipe::all() {
            let text = serde_json::to_string(&recipe).unwrap();
            assert_eq!(serde_json::from_str::<Recipe>(&text).unwrap(), recipe);
            let odd = text.replacen("\"batch\"", "\"batsch\":1,\"batch\"", 1);
            assert!(serde_json::from_str::<Recipe>(&odd).unwrap_err().to_string().contains("batsch"));
        }
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let recipe = Recipe { dropout_keep: 0.0, ..digits() };
        let error = recipe.check(&digit_images()).unwrap_err().to_string();
        assert!(error.contains("dropout_keep is 0, it must be above 0"), "{error}");
    }

    #[test]
    fn the_printed_form_shows_every_value() {
        let text = cifar10_final().to_string();
        for line in [
            "augmentation.cutout          16",
            "structure.width              36",
            "drop_path_keep               0.8",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
