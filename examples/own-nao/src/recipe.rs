//! A recipe of your own.

use nao_child::Recipe;

/// One epoch in a narrow network: enough to see which cells learn at all.
pub fn glance() -> Recipe {
    let mut recipe = Recipe::named("digits").expect("nao-child has a recipe for its own data");
    recipe.name = "glance".to_owned();
    recipe.source = "this example".to_owned();
    recipe.epochs = 1;
    recipe.cosine_epochs = 1;
    recipe.structure.width = 4;
    recipe
}
