//! Recurrent cells, trained as language models.

use std::sync::Arc;

use burn::tensor::Device;
use nao_space::network::{Cost, LanguageModelSkeleton};
use nao_space::search::RoundLimits;
use nao_space::seed::rng_for;
use nao_space::{Fidelity, Objective, RnnArch, RnnSpace, Space};

use super::{CellRecipe, CellRecipeError, SharedEvaluator};
use crate::data::{DataSource, TextData};
use crate::language::{LanguageEvaluator, LanguageRecipe};

/// The largest vocabulary that counts as that of the Penn Treebank; WikiText-2 has three times as many words.
const PTB_WORDS: usize = 20_000;

impl CellRecipe for LanguageRecipe {
    type Space = RnnSpace;
    type Data = TextData;

    fn built_in(name: &str) -> Result<Self, CellRecipeError> {
        Ok(LanguageRecipe::named(name)?)
    }

    fn for_search(_: &TextData) -> Option<Self> {
        LanguageRecipe::named("text-small").ok()
    }

    fn for_final_training(data: &TextData) -> Option<Self> {
        let small = data.vocabulary.len() <= PTB_WORDS;
        LanguageRecipe::named(if small { "ptb-final" } else { "wt2-final" }).ok()
    }

    fn settings_of_epochs() -> &'static [&'static str] {
        &["epochs"]
    }

    fn cost(&self, arch: &RnnArch, data: &TextData) -> Result<Cost, CellRecipeError> {
        let sizes = LanguageModelSkeleton { vocabulary: data.vocabulary.len(), hidden: self.hidden };
        sizes.cost(arch).map_err(CellRecipeError::Network)
    }

    fn fidelity(&self) -> Fidelity {
        LanguageRecipe::fidelity(self)
    }

    fn rounds(&self, _: &DataSource) -> (RoundLimits, Option<usize>) {
        match self.name.as_str() {
            // The paper's sizes (docs/specification.md, d.2), as for images.
            "ptb-search" => (RoundLimits { initial: 600, per_round: 200, budget: 1_000 }, None),
            _ => (RoundLimits { initial: 16, per_round: 8, budget: 32 }, Some(5)),
        }
    }

    fn check_fit(&self, data: &TextData, space: &RnnSpace, seed: u64) -> Result<(), CellRecipeError> {
        self.check()?;
        for (part, words, batch) in [
            ("training", data.train.len(), self.batch),
            ("validation", data.validation.len(), self.validation_batch),
        ] {
            if words / batch < 2 {
                return Err(CellRecipeError::ShortText { part, words, batch });
            }
        }
        // Whether the sizes are within bounds does not depend on the cells: any one tells.
        self.cost(&space.sample(&mut rng_for(seed, "geometry", 0)), data)?;
        Ok(())
    }

    fn counts(&self, data: &Arc<TextData>) -> Result<Vec<(String, usize)>, CellRecipeError> {
        let parts = [("train", &data.train), ("validation", &data.validation), ("test", &data.test)];
        Ok(parts.map(|(part, words)| (part.to_owned(), words.len())).to_vec())
    }

    fn objective() -> Objective {
        Objective::validation_perplexity()
    }

    fn evaluator(
        self,
        data: Arc<TextData>,
        device: Device,
    ) -> Result<SharedEvaluator<RnnArch>, CellRecipeError> {
        Ok(Box::new(LanguageEvaluator::new(data, self, device)?))
    }
}
