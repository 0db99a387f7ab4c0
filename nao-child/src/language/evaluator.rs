//! Recurrent cells measured by training language models.

use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use nao_space::network::LanguageModelSkeleton;
use nao_space::{
    Checkpointing, EvaluationError, Evaluator, Measurement, Objective, Progress, RnnArch, Trial, quantity,
};

use super::recipe::LanguageRecipe;
use super::training::LanguageTraining;
use crate::data::TextData;
use crate::evaluator::panics_are_outcomes;
use crate::recipe::RecipeError;
use crate::train::{OnCheckpointError, TrainOptions};

/// Trains a language model around every cell and measures its perplexity on the validation text, at the best epoch as
/// the authors do (docs/specification.md, c.3). It depends on the trial's cell and seed, the recipe and the text, on
/// nothing else. The test text is not looked at.
///
/// `extra` holds `train_loss` (nats per word in the last epoch), `last_perplexity`, `scored_epoch`, `rollbacks` (returns
/// to the best weights), and `averaged_after` where weights were averaged.
pub struct LanguageEvaluator {
    text: Arc<TextData>,
    recipe: LanguageRecipe,
    device: Device,
}

impl LanguageEvaluator {
    /// An evaluator on a text.
    ///
    /// # Errors
    /// When a setting of the recipe cannot be.
    pub fn new(text: Arc<TextData>, recipe: LanguageRecipe, device: Device) -> Result<Self, RecipeError> {
        recipe.check()?;
        Ok(LanguageEvaluator { text, recipe, device })
    }

    fn train(
        &self,
        trial: &Trial<RnnArch>,
        checkpoint: Option<&Checkpointing>,
        progress: &mut dyn Progress,
    ) -> Result<Measurement, EvaluationError> {
        let started = Instant::now();
        let (recipe, text) = (&self.recipe, &self.text);
        let sizes = LanguageModelSkeleton { vocabulary: text.vocabulary.len(), hidden: recipe.hidden };
        let cost = sizes
            .cost(&trial.arch)
            .map_err(|error| EvaluationError::Unsuitable { message: error.to_string() })?;
        let options = TrainOptions {
            checkpoint: checkpoint.cloned(),
            on_checkpoint_error: OnCheckpointError::Warn,
            ..TrainOptions::default()
        };
        let training = LanguageTraining::new(&trial.arch, text.clone(), recipe.clone())?;
        let training = training.seed(trial.seed).device(self.device.clone()).options(options);
        let trained = training.run_with(progress)?;
        let last = trained.epochs.last();
        let if_known = [
            (quantity::TRAIN_LOSS, last.map(|last| last.train_loss)),
            (quantity::LAST_PERPLEXITY, last.and_then(|last| last.value)),
            (quantity::AVERAGED_AFTER, trained.averaged_after.map(f64::from)),
        ];
        let measured = Measurement::new(self.objective(), trained.perplexity)
            .at(recipe.fidelity())
            .with_cost(cost.params, cost.macs)
            .in_seconds(started.elapsed().as_secs_f64())
            .with(quantity::SCORED_EPOCH, f64::from(trained.epoch))
            .with(quantity::ROLLBACKS, f64::from(trained.rollbacks));
        let known = if_known.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Ok(known.fold(measured, |measured, (name, value)| measured.with(name, value)))
    }
}

impl Evaluator<RnnArch> for LanguageEvaluator {
    fn objective(&self) -> Objective {
        Objective::validation_perplexity()
    }

    fn evaluate(
        &self,
        trial: &Trial<RnnArch>,
        progress: &mut dyn Progress,
    ) -> Result<Measurement, EvaluationError> {
        panics_are_outcomes(|| self.train(trial, None, progress))
    }

    fn evaluate_resumably(
        &self,
        trial: &Trial<RnnArch>,
        checkpoint: &Checkpointing,
        progress: &mut dyn Progress,
    ) -> Result<Measurement, EvaluationError> {
        panics_are_outcomes(|| self.train(trial, Some(checkpoint), progress))
    }
}

#[cfg(test)]
mod tests {
    use nao_space::{Quiet, RnnSpace, Space, TrialId};

    use super::*;
    use crate::language::Dropouts;

    #[test]
    fn a_trial_measures_perplexity_to_be_minimised() {
        let words: Vec<u32> = (0..400).map(|word| [0, 3, 1, 4, 2][word % 5]).collect();
        let text = TextData {
            vocabulary: ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(),
            train: words.clone(),
            validation: words[..50].to_vec(),
            test: words[..50].to_vec(),
            origin: vec![],
        };
        let recipe = LanguageRecipe {
            hidden: 8,
            epochs: 3,
            batch: 4,
            validation_batch: 2,
            dropouts: Dropouts::default(),
            ..LanguageRecipe::named("ptb-search").unwrap()
        };
        let evaluator = LanguageEvaluator::new(Arc::new(text), recipe.clone(), Device::flex()).unwrap();
        let space = RnnSpace::new(2, Default::default()).unwrap();
        let trial = |learning_rate| {
            let recipe = LanguageRecipe { learning_rate, ..recipe.clone() };
            let evaluator = LanguageEvaluator::new(evaluator.text.clone(), recipe, Device::flex()).unwrap();
            let arch = space.parse("0 0 1 1").unwrap();
            evaluator.evaluate(&Trial { id: TrialId(1), arch, seed: 7 }, &mut Quiet)
        };
        let measured = trial(5.0).unwrap();
        assert_eq!(measured.objective, Objective::validation_perplexity());
        assert!((1.0..5.5).contains(&measured.value), "{measured:?}");
        // The word at hand says the next: training helps, and less perplexity is more merit.
        let untrained = trial(1e-9).unwrap();
        assert!((untrained.value - 5.0).abs() < 0.1, "{untrained:?}");
        let merit = |measured: &Measurement| measured.objective.merit(measured.value);
        assert!(merit(&measured) > merit(&untrained));
        assert_eq!(measured.params, 5 * 8 + 5 + 16 * 16 + 2 * 8 * 16);
        assert_eq!(trial(5.0).unwrap().value, measured.value);
        assert!(matches!(trial(1e38), Err(EvaluationError::NotFinite { .. })));
    }
}
