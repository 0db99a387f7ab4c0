//! Image cells, trained as classifiers.

use std::sync::Arc;

use burn::tensor::Device;
use nao_space::network::{Convention, Cost, NetworkPlan};
use nao_space::search::RoundLimits;
use nao_space::seed::rng_for;
use nao_space::{CnnArch, CnnSpace, Fidelity, Objective, Space};

use super::{CellRecipe, CellRecipeError, SharedEvaluator};
use crate::data::{DataSource, ImageData, Split};
use crate::evaluator::TrainEvaluator;
use crate::recipe::Recipe;

impl CellRecipe for Recipe {
    type Space = CnnSpace;
    type Data = ImageData;

    fn built_in(name: &str) -> Result<Self, CellRecipeError> {
        Ok(Recipe::named(name)?)
    }

    fn for_search(data: &ImageData) -> Option<Self> {
        Recipe::default_for(data)
    }

    fn for_final_training(data: &ImageData) -> Option<Self> {
        Recipe::named(&format!("{}-final", data.name)).ok()
    }

    /// Another number of epochs takes the whole cosine along: a training that ends early at a high rate tells little.
    fn settings_of_epochs() -> &'static [&'static str] {
        &["epochs", "cosine_epochs"]
    }

    fn convention(&self) -> Option<Convention> {
        Some(self.structure.convention)
    }

    fn with_convention(mut self, convention: Convention) -> Self {
        self.structure.convention = convention;
        self
    }

    fn cost(&self, arch: &CnnArch, data: &ImageData) -> Result<Cost, CellRecipeError> {
        let plan = NetworkPlan::new(arch, &self.skeleton(data)).map_err(CellRecipeError::Network)?;
        Ok(plan.cost())
    }

    fn fidelity(&self) -> Fidelity {
        Recipe::fidelity(self)
    }

    /// Small pools keep the paper's share of parents: the best third of the first round (docs/specification.md, d.2).
    fn rounds(&self, source: &DataSource) -> (RoundLimits, Option<usize>) {
        match source {
            DataSource::Digits => (RoundLimits { initial: 24, per_round: 8, budget: 48 }, Some(8)),
            // The paper's sizes (docs/specification.md, d.2): 600 random cells, about 1,000 in all.
            _ if self.name == "search" => (RoundLimits { initial: 600, per_round: 200, budget: 1_000 }, None),
            _ => (RoundLimits { initial: 16, per_round: 8, budget: 32 }, Some(5)),
        }
    }

    fn check_fit(&self, data: &ImageData, space: &CnnSpace, seed: u64) -> Result<(), CellRecipeError> {
        self.check(data)?;
        // Whether the images fit does not depend on the cells: any one tells.
        let arch = space.sample(&mut rng_for(seed, "geometry", 0));
        NetworkPlan::new(&arch, &self.skeleton(data)).map_err(CellRecipeError::Images)?;
        Ok(())
    }

    fn counts(&self, data: &Arc<ImageData>) -> Result<Vec<(String, usize)>, CellRecipeError> {
        let split = Split::validation(data.clone(), self.validation_images(data), self.split_seed)?;
        Ok(vec![
            ("train".to_owned(), split.train.len()),
            (split.held_out_name.to_owned(), split.held_out.len()),
            ("test".to_owned(), data.test_len()),
        ])
    }

    fn objective() -> Objective {
        Objective::validation_accuracy()
    }

    fn evaluator(
        self,
        data: Arc<ImageData>,
        device: Device,
    ) -> Result<SharedEvaluator<CnnArch>, CellRecipeError> {
        Ok(Box::new(TrainEvaluator::new(data, self, device)?))
    }
}
