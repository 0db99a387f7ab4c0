//! Training a language model (spec e.3): SGD on segments of random length, then averaged weights.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use nao_space::seed::rng_for;
use nao_space::{EpochReport, Progress, RnnArch};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::cell::CellWeights;
use super::dropout::LanguagePass;
use super::evaluate::{Reading, foresee};
use super::model::{LanguageModel, Tokens};
use super::recipe::{LanguageRecipe, LanguageRecipeError};
use crate::train::{Sgd, SgdSettings};

/// The shortest segment.
const SHORTEST: usize = 5;

/// How much longer than its base a segment may be.
const LONGER: usize = 20;

/// Why a language model was not trained.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LanguageTrainError {
    /// A setting that cannot be.
    #[error(transparent)]
    Recipe(#[from] LanguageRecipeError),
    /// A text with which nothing can be trained or judged.
    #[error(
        "the {part} text has {words} words, too few for {batch} parts of at least 2; take a smaller batch"
    )]
    TooShort {
        /// `training` or `validation`.
        part: &'static str,
        /// Its number of words.
        words: usize,
        /// In how many parts it is read.
        batch: usize,
    },
    /// The training left the finite numbers more often than the recipe forgives.
    #[error(
        "the loss became {loss} in epoch {epoch}, after {rollbacks} returns to the best weights; lower learning_rate"
    )]
    NotFinite {
        /// The epoch, counted from 1.
        epoch: u32,
        /// The loss.
        loss: f64,
        /// How often the best weights were taken up again before.
        rollbacks: u32,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Interrupted,
}

/// A trained language model.
#[derive(Clone, Debug)]
pub struct TrainedLanguageModel<W: CellWeights> {
    /// The weights of the best epoch: averaged ones, once averaging has begun.
    pub model: LanguageModel<W>,
    /// Its validation perplexity.
    pub perplexity: f64,
    /// The epoch of those weights, counted from 1.
    pub epoch: u32,
    /// The epoch after which weights were averaged, if they were.
    pub averaged_after: Option<u32>,
    /// How often the training returned to its best weights from numbers that were not finite.
    pub rollbacks: u32,
    /// The learning curve; values are validation perplexities.
    pub epochs: Vec<EpochReport>,
}

/// Trains `model`, on an autodiff device, with the cell of `arch`. Lengths of segments and masks follow from `seed`.
///
/// # Errors
/// When a setting cannot be, a text is too short, the loss leaves the finite numbers too often, or `progress` says stop.
pub fn train_language_model<W: CellWeights>(
    model: LanguageModel<W>,
    arch: &RnnArch,
    [training, validation]: [&[u32]; 2],
    recipe: &LanguageRecipe,
    seed: u64,
    progress: &mut dyn Progress,
) -> Result<TrainedLanguageModel<W>, LanguageTrainError> {
    recipe.check()?;
    let texts = [("training", training, recipe.batch), ("validation", validation, recipe.validation_batch)];
    for (part, text, batch) in texts {
        if text.len() / batch < 2 {
            return Err(LanguageTrainError::TooShort { part, words: text.len(), batch });
        }
    }
    let sgd =
        SgdSettings { momentum: 0.0, nesterov: false, weight_decay: recipe.weight_decay, clip: recipe.clip };
    let mut state = State { model, sgd: Sgd::new(sgd), average: None };
    let mut best: Option<TrainedLanguageModel<W>> = None;
    let (mut losses, mut reports, mut rollbacks) = (Vec::new(), Vec::new(), 0);
    let mut averaged_after = None;
    for epoch in 1..=recipe.epochs {
        let train_loss = state.epoch(arch, training, recipe, seed, epoch, progress)?;
        let judged = state.judged();
        let reading = Reading { batch: recipe.validation_batch, segment: recipe.segment };
        let foresight = foresee(&judged.valid(), arch, validation, reading).expect("the text is long enough");
        if !(train_loss.is_finite() && foresight.nll.is_finite()) {
            let loss = if train_loss.is_finite() { foresight.nll } else { train_loss };
            let (true, Some(best)) = (rollbacks < recipe.rollbacks, &best) else {
                return Err(LanguageTrainError::NotFinite { epoch, loss, rollbacks });
            };
            rollbacks += 1;
            // The average was over weights that led astray.
            state = State {
                model: best.model.clone(),
                sgd: Sgd::new(sgd),
                average: state.average.map(|_| Average::default()),
            };
            continue;
        }
        let perplexity = foresight.perplexity();
        let report = EpochReport {
            epoch,
            epochs: recipe.epochs,
            train_loss,
            value: Some(perplexity),
            learning_rate: recipe.learning_rate,
        };
        progress.epoch(&report);
        reports.push(report);
        if best.as_ref().is_none_or(|best| perplexity < best.perplexity) {
            best = Some(TrainedLanguageModel {
                model: judged,
                perplexity,
                epoch,
                averaged_after,
                rollbacks,
                epochs: Vec::new(),
            });
        }
        if state.average.is_none() && has_stalled(&losses, foresight.nll, recipe.patience) {
            state.average = Some(Average::default());
            averaged_after = Some(epoch);
        }
        losses.push(foresight.nll);
    }
    let best =
        best.ok_or(LanguageTrainError::NotFinite { epoch: recipe.epochs, loss: f64::NAN, rollbacks })?;
    Ok(TrainedLanguageModel { averaged_after, rollbacks, epochs: reports, ..best })
}

/// Whether a loss is above the best of those more than `patience` epochs before it.
fn has_stalled(losses: &[f64], loss: f64, patience: usize) -> bool {
    let older = &losses[..losses.len().saturating_sub(patience)];
    older.iter().any(|&old| loss > old)
}

/// What changes from step to step.
struct State<W: CellWeights> {
    model: LanguageModel<W>,
    sgd: Sgd,
    average: Option<Average>,
}

impl<W: CellWeights> State<W> {
    /// One pass over the text. Returns the mean loss per word, without penalties; it is not finite where a step was not,
    /// and the pass ends there.
    fn epoch(
        &mut self,
        arch: &RnnArch,
        text: &[u32],
        recipe: &LanguageRecipe,
        seed: u64,
        epoch: u32,
        progress: &dyn Progress,
    ) -> Result<f64, LanguageTrainError> {
        let part = text.len() / recipe.batch;
        let rows = |from: usize, to: usize| {
            let row = |step| (0..recipe.batch).map(|column| text[column * part + step]).collect();
            let rows: Vec<Vec<u32>> = (from..to).map(row).collect();
            Tokens::new(&rows).expect("rows are as wide as the batch")
        };
        let mut lengths = rng_for(seed, "segments", u64::from(epoch));
        let mut masks = rng_for(seed, "masks", u64::from(epoch));
        let mut memory = self.model.blank_memory(recipe.batch);
        let (mut start, mut sum) = (0, 0.0);
        while start + 1 < part {
            if progress.should_stop() {
                return Err(LanguageTrainError::Interrupted);
            }
            let length = segment_length(recipe, &mut lengths);
            let end = (start + length).min(part - 1);
            let mut pass = LanguagePass::Train { dropouts: recipe.dropouts, rng: &mut masks };
            let output = self.model.forward(arch, &rows(start, end), memory, &mut pass);
            let loss = output.loss(&rows(start + 1, end + 1), recipe.regularisation());
            let nll = f64::from(loss.nll.into_scalar::<f32>());
            if !nll.is_finite() {
                return Ok(nll);
            }
            let gradients = GradientsParams::from_grads(loss.total.backward(), &self.model);
            let rate = recipe.learning_rate * length as f64 / recipe.segment as f64;
            self.model = self.sgd.step(self.model.clone(), gradients, rate).0;
            if let Some(average) = &mut self.average {
                average.add(&self.model);
            }
            memory = output.memory.detach();
            sum += nll * (end - start) as f64;
            start = end;
        }
        Ok(sum / (part - 1) as f64)
    }

    /// The weights that are judged: averaged ones, once there are any.
    fn judged(&self) -> LanguageModel<W> {
        match &self.average {
            Some(average) if average.count > 0 => average.weights(self.model.clone()),
            _ => self.model.clone(),
        }
    }
}

/// The length of the next segment.
fn segment_length(recipe: &LanguageRecipe, rng: &mut ChaCha8Rng) -> usize {
    let base =
        if rng.random_bool(recipe.halved) { recipe.segment as f64 / 2.0 } else { recipe.segment as f64 };
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    // Box and Muller; 1 - u keeps the logarithm away from 0.
    let normal = (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos();
    let length = (base + recipe.jitter * normal) as usize;
    length.max(SHORTEST).min(recipe.segment + LONGER)
}

/// The mean of the weights over steps.
#[derive(Clone, Debug, Default)]
struct Average {
    means: HashMap<ParamId, Tensor<1>>,
    count: u64,
}

impl Average {
    fn add<W: CellWeights>(&mut self, model: &LanguageModel<W>) {
        struct Add<'a>(&'a mut Average);
        impl ModuleMapper for Add<'_> {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let value = param.val().without_autodiff().flatten::<1>(0, D - 1);
                let mean = match self.0.means.remove(&param.id) {
                    Some(mean) => mean.clone() + (value - mean).div_scalar(self.0.count as f64),
                    None => value,
                };
                self.0.means.insert(param.id, mean);
                param
            }
        }
        self.count += 1;
        let _ = model.clone().map(&mut Add(self));
    }

    fn weights<W: CellWeights>(&self, model: LanguageModel<W>) -> LanguageModel<W> {
        struct Replace<'a>(&'a Average);
        impl ModuleMapper for Replace<'_> {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let Some(mean) = self.0.means.get(&param.id) else { return param };
                let mean = mean.clone();
                param.map(|weight| Tensor::from_inner(mean.reshape(weight.dims())).require_grad())
            }
        }
        model.map(&mut Replace(self))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use nao_space::network::LanguageModelSkeleton;
    use nao_space::{Quiet, RnnSpace, Space};

    use super::*;
    use crate::rnn::{Dropouts, RecurrentCell};

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

    fn train(
        recipe: &LanguageRecipe,
        seed: u64,
    ) -> Result<TrainedLanguageModel<RecurrentCell>, LanguageTrainError> {
        let sizes = LanguageModelSkeleton { vocabulary: 5, hidden: recipe.hidden };
        let device = Device::flex().autodiff();
        let model = LanguageModel::new(sizes, 3, &mut rng_for(seed, "weights", 0), &device);
        let arch = RnnSpace::new(3, Default::default()).unwrap().parse("0 0 1 1 2 0").unwrap();
        train_language_model(model, &arch, [&text(800), &text(101)], recipe, seed, &mut Quiet)
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
        assert!(!has_stalled(&[3.0, 2.0, 1.0], 2.5, 3));
        assert!(has_stalled(&[2.0, 3.0, 3.0, 3.0], 2.5, 3));
        assert!(!has_stalled(&[2.0, 1.0, 1.0, 1.0], 1.5, 3));
        // At this rate the loss wanders about.
        let restless = LanguageRecipe { learning_rate: 30.0, clip: 1.0, patience: 1, ..recipe() };
        let trained = train(&restless, 1).unwrap();
        assert!(trained.averaged_after.is_some_and(|epoch| epoch < restless.epochs), "{trained:?}");
    }

    #[test]
    fn the_mean_of_weights_is_their_mean() {
        let sizes = LanguageModelSkeleton { vocabulary: 5, hidden: 4 };
        let device = Device::flex().autodiff();
        let model = LanguageModel::new(sizes, 1, &mut rng_for(1, "weights", 0), &device);
        struct Shift(f32);
        impl ModuleMapper for Shift {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                param.map(|weight| Tensor::from_inner(weight.without_autodiff() + self.0).require_grad())
            }
        }
        let mut average = Average::default();
        for shift in [0.0, 1.0, 5.0] {
            average.add(&model.clone().map(&mut Shift(shift)));
        }
        let values = |model: &LanguageModel<RecurrentCell>| -> Vec<f32> {
            model.output_bias.val().into_data().iter::<f32>().collect()
        };
        let (mean, plain) = (values(&average.weights(model.clone())), values(&model));
        for (mean, plain) in mean.iter().zip(plain) {
            assert!((mean - plain - 2.0).abs() < 1e-6, "{mean} {plain}");
        }
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
        assert!(matches!(
            train(&LanguageRecipe { clip: 0.0, ..recipe() }, 1),
            Err(LanguageTrainError::Recipe(_))
        ));
    }
}
