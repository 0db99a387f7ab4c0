//! How thoroughly a training tries an architecture: its recipe by name, and by a digest of everything in it.

use nao_space::Fidelity;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::data::hexadecimal;

/// Bytes of the digest: enough that no two recipes of a run fall together, and short enough to be read.
const DIGEST_BYTES: usize = 8;

/// The fidelity of a recipe of that name and number of epochs. Its digest is that of every setting that can change a
/// score: all but the name, which stands beside it, and the words that say where the settings come from.
pub(crate) fn fidelity_of<R: Serialize>(name: impl Into<String>, epochs: u32, recipe: &R) -> Fidelity {
    let mut settings = serde_json::to_value(recipe).expect("plain data is JSON");
    forget_words(&mut settings);
    settings.sort_all_objects();
    let digest = Sha256::digest(settings.to_string());
    Fidelity::new(name, epochs).with_digest(hexadecimal(&digest[..DIGEST_BYTES]))
}

/// Takes names and sources out, of parts of the recipe as well.
fn forget_words(settings: &mut Value) {
    let Some(fields) = settings.as_object_mut() else { return };
    fields.retain(|field, value| !(value.is_string() && matches!(field.as_str(), "name" | "source")));
    fields.values_mut().for_each(forget_words);
}

#[cfg(test)]
mod tests {
    use crate::language::LanguageRecipe;
    use crate::recipe::Recipe;

    #[test]
    fn every_setting_is_part_of_a_fidelity_and_no_word_is() {
        let digits = Recipe::named("digits").unwrap();
        let digest = |recipe: &Recipe| recipe.fidelity().digest.unwrap();
        let worded = Recipe { name: "mine".into(), source: "elsewhere".into(), ..digits.clone() };
        assert_eq!(digest(&worded), digest(&digits));
        assert_eq!(digest(&digits).len(), 16);
        let mut wide = digits.clone();
        wide.structure.width += 2;
        let slow = Recipe { learning_rate: digits.learning_rate / 2.0, ..digits.clone() };
        let split = Recipe { split_seed: digits.split_seed + 1, ..digits.clone() };
        for other in [wide, slow, split] {
            assert_ne!(digest(&other), digest(&digits), "{other}");
        }
        let text = LanguageRecipe::named("text-small").unwrap();
        let wider = LanguageRecipe { hidden: text.hidden + 1, ..text.clone() };
        assert_ne!(text.fidelity(), wider.fidelity());
    }
}
