//! A training of one language model, from its settings to its result.

use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use nao_space::network::{LanguageModelSkeleton, OutputMean};
use nao_space::seed::rng_for;
use nao_space::{Progress, Quiet, RnnArch};

use super::cell::{CellWeights, RecurrentCell};
use super::model::LanguageModel;
use super::recipe::LanguageRecipe;
use super::training_loop::{LanguageTrainingSettings, TrainedLanguageModel, check_lengths};
use crate::data::TextData;
use crate::train::{TrainError, TrainOptions};

/// A training of one language model on a text. The result depends on cell, text, recipe and seed alone.
///
/// ```
/// use std::sync::Arc;
/// use nao_child::data::TextData;
/// use nao_child::language::{LanguageRecipe, LanguageTraining};
/// use nao_space::{RnnSpace, Space};
///
/// let words: Vec<u32> = (0..400).map(|word| [0, 3, 1, 4, 2][word % 5]).collect();
/// let text = TextData {
///     vocabulary: ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(),
///     train: words.clone(),
///     validation: words[..50].to_vec(),
///     test: words[..50].to_vec(),
///     origin: vec![],
/// };
/// let named = LanguageRecipe::named("text-small")?;
/// let recipe = LanguageRecipe { hidden: 8, batch: 4, validation_batch: 2, ..named };
/// let arch = RnnSpace::new(2, Default::default())?.parse("0 0 1 1")?;
/// let trained = LanguageTraining::new(&arch, Arc::new(text), recipe)?.seed(7).run()?;
/// let folder = tempfile::tempdir()?;
/// trained.save(&folder.path().join("model.safetensors"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LanguageTraining {
    arch: RnnArch,
    text: Arc<TextData>,
    recipe: LanguageRecipe,
    mean: OutputMean,
    seed: u64,
    device: Device,
    options: TrainOptions,
    best: Option<PathBuf>,
}

impl LanguageTraining {
    /// Trains a model around a cell on the training text, and chooses the epoch by the validation text. Of seed 0 and on
    /// the CPU, unless something else is said.
    ///
    /// # Errors
    /// When a setting cannot be, or a text is too short.
    pub fn new(arch: &RnnArch, text: Arc<TextData>, recipe: LanguageRecipe) -> Result<Self, TrainError> {
        recipe.check()?;
        check_lengths(&text.train, &text.validation, &recipe)?;
        Ok(LanguageTraining {
            arch: arch.clone(),
            text,
            recipe,
            mean: OutputMean::Searched,
            seed: 0,
            device: Device::flex(),
            options: TrainOptions::default(),
            best: None,
        })
    }

    /// The seed of weights, lengths of segments and masks.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The device that it runs on; autodiff is added here.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = device.without_autodiff();
        self
    }

    /// What surrounds it.
    #[must_use]
    pub fn options(mut self, options: TrainOptions) -> Self {
        self.options = options;
        self
    }

    /// Keeps the weights of the best epoch in that file.
    #[must_use]
    pub fn keep_best(mut self, file: impl Into<PathBuf>) -> Self {
        self.best = Some(file.into());
        self
    }

    /// The states of the cell whose mean is its output.
    #[must_use]
    pub fn mean(mut self, mean: OutputMean) -> Self {
        self.mean = mean;
        self
    }

    /// The sizes of the model.
    pub fn skeleton(&self) -> LanguageModelSkeleton {
        LanguageModelSkeleton { vocabulary: self.text.vocabulary.len(), hidden: self.recipe.hidden }
    }

    /// Trains without anybody who follows.
    ///
    /// # Errors
    /// See [`run_with`](LanguageTraining::run_with).
    pub fn run(&self) -> Result<TrainedLanguageModel<RecurrentCell>, TrainError> {
        self.run_with(&mut Quiet)
    }

    /// Trains, and reports every epoch.
    ///
    /// # Errors
    /// When the loss leaves the finite numbers too often, the time is up, `progress` says stop, or a checkpoint fails.
    pub fn run_with(
        &self,
        progress: &mut dyn Progress,
    ) -> Result<TrainedLanguageModel<RecurrentCell>, TrainError> {
        let (nodes, device) = (self.arch.nodes().len(), self.device.clone().autodiff());
        let model =
            LanguageModel::new(self.skeleton(), nodes, &mut rng_for(self.seed, "weights", 0), &device);
        self.run_from(model.with_mean(self.mean.clone()), progress)
    }

    /// Trains a model of one's own, on an autodiff device, in place of a fresh one.
    ///
    /// # Errors
    /// As [`run_with`](LanguageTraining::run_with).
    pub fn run_from<W: CellWeights>(
        &self,
        model: LanguageModel<W>,
        progress: &mut dyn Progress,
    ) -> Result<TrainedLanguageModel<W>, TrainError> {
        let settings = LanguageTrainingSettings {
            arch: &self.arch,
            training: &self.text.train,
            validation: &self.text.validation,
            recipe: &self.recipe,
            seed: self.seed,
            options: &self.options,
            best: self.best.as_deref(),
        };
        settings.train(model, progress)
    }
}

#[cfg(test)]
mod tests {
    use nao_space::{EpochReport, RnnSpace, Space};
    use rand::RngExt;

    use super::*;
    use crate::language::Dropouts;

    fn recipe() -> LanguageRecipe {
        LanguageRecipe {
            hidden: 16,
            epochs: 12,
            batch: 4,
            learning_rate: 2.0,
            dropouts: Dropouts::default(),
            segment: 10,
            jitter: 1.0,
            validation_batch: 2,
            ..LanguageRecipe::named("ptb-search").unwrap()
        }
    }

    /// A text in which every word says the next.
    fn text(words: u32) -> Vec<u32> {
        (0..words).map(|word| [0, 3, 1, 4, 2][word as usize % 5]).collect()
    }

    fn train(recipe: &LanguageRecipe, seed: u64) -> Result<TrainedLanguageModel<RecurrentCell>, TrainError> {
        train_with(recipe, seed, &TrainOptions::default(), &mut Quiet)
    }

    fn train_with(
        recipe: &LanguageRecipe,
        seed: u64,
        options: &TrainOptions,
        progress: &mut dyn Progress,
    ) -> Result<TrainedLanguageModel<RecurrentCell>, TrainError> {
        let arch = RnnSpace::new(3, Default::default()).unwrap().parse("0 0 1 1 2 0").unwrap();
        let words = if recipe.name == RESTLESS { noise } else { text };
        let text = TextData {
            vocabulary: ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(),
            train: words(800),
            validation: words(101),
            test: Vec::new(),
            origin: Vec::new(),
        };
        let training = LanguageTraining::new(&arch, Arc::new(text), recipe.clone())?.seed(seed);
        training.options(options.clone()).run_with(progress)
    }

    const RESTLESS: &str = "restless";

    /// A training whose loss wanders about, as nothing can be learned of its text.
    fn restless() -> LanguageRecipe {
        LanguageRecipe { name: RESTLESS.to_owned(), learning_rate: 5.0, patience: 1, ..recipe() }
    }

    fn noise(words: u32) -> Vec<u32> {
        let mut rng = rng_for(0, "noise", u64::from(words));
        (0..words).map(|_| rng.random_range(0..5)).collect()
    }

    #[test]
    fn a_text_that_says_its_next_word_is_learned() {
        let trained = train(&recipe(), 1).unwrap();
        assert!(trained.epochs[0].value.unwrap() > 1.5, "{:?}", trained.epochs[0]);
        assert!(trained.perplexity < 1.2, "{}", trained.perplexity);
        assert_eq!(trained.rollbacks, 0);
        // Same seed, same result; another seed, another.
        assert_eq!(train(&recipe(), 1).unwrap().epochs, trained.epochs);
        assert_ne!(train(&recipe(), 2).unwrap().epochs, trained.epochs);
    }

    #[test]
    fn weights_are_averaged_once_the_loss_has_stalled() {
        let restless = restless();
        let trained = train(&restless, 1).unwrap();
        assert!(trained.averaged_after.is_some_and(|epoch| epoch < restless.epochs), "{trained:?}");
    }

    /// Stops after some epochs.
    struct StopAfter(u32);

    impl Progress for StopAfter {
        fn epoch(&mut self, _: &EpochReport) {
            self.0 -= 1;
        }

        fn should_stop(&self) -> bool {
            self.0 == 0
        }
    }

    /// Before weights are averaged, and after.
    #[test]
    fn a_training_that_was_stopped_goes_on_to_the_same_end() {
        let restless = restless();
        let whole = train(&restless, 1).unwrap();
        let averaged_after = whole.averaged_after.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let options = TrainOptions::kept_at(folder.path().join("checkpoint.safetensors"));
        for epochs in [1, averaged_after] {
            let stopped = train_with(&restless, 1, &options, &mut StopAfter(epochs));
            assert!(matches!(stopped, Err(TrainError::Interrupted)));
        }
        let resumed = train_with(&restless, 1, &options, &mut Quiet).unwrap();
        assert_eq!(resumed.epochs, whole.epochs);
        assert_eq!((resumed.perplexity, resumed.epoch), (whole.perplexity, whole.epoch));
        let other = train_with(&restless, 2, &options, &mut Quiet).unwrap_err().to_string();
        assert!(other.contains("another seed"), "{other}");
    }

    #[test]
    fn a_training_that_leaves_the_numbers_is_given_up_with_the_reason() {
        let wild = LanguageRecipe { learning_rate: 1e38, clip: 1e38, rollbacks: 1, ..recipe() };
        let error = train(&wild, 1).unwrap_err();
        assert!(error.to_string().contains("lower learning_rate"), "{error}");
    }

    #[test]
    fn texts_that_are_too_short_and_settings_that_cannot_be_are_refused() {
        let error = train(&LanguageRecipe { batch: 500, ..recipe() }, 1).unwrap_err();
        assert!(error.to_string().contains("training text has 800 words"), "{error}");
        assert!(matches!(train(&LanguageRecipe { clip: 0.0, ..recipe() }, 1), Err(TrainError::Recipe(_))));
    }
}
