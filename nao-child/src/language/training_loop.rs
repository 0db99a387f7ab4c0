//! Training a language model (docs/specification.md, e.3): SGD on segments of random length, then averaged weights.

use std::path::Path;

use burn::module::Module;
use nao_space::seed::rng_for;
use nao_space::{EpochReport, Progress, RnnArch};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::average::Average;
use super::cell::CellWeights;
use super::checkpoint::{Best, Checkpoint, Position, save_language_weights};
use super::dropout::LanguagePass;
use super::evaluate::{LanguageEvaluation, ReadingLayout, evaluate_while};
use super::model::{LanguageModel, Tokens};
use super::recipe::LanguageRecipe;
use crate::train::checkpoint_writer::CheckpointWriter;
use crate::train::options::TimeBudget;
use crate::train::{
    CheckpointError, Loss, NotFinite, Sgd, SgdSettings, Step, TrainError, TrainOptions, step,
};
use nao_kernels::nn::standard_normal;

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

impl<W: CellWeights> TrainedLanguageModel<W> {
    /// Writes the weights under the authors' names; [`load_language_weights`](super::load_language_weights) reads them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        save_language_weights(&self.model, path)
    }
}

/// The training of one language model.
pub(super) struct LanguageTrainingSettings<'a> {
    pub arch: &'a RnnArch,
    /// The words that are trained on.
    pub training: &'a [u32],
    /// The words that choose the epoch.
    pub validation: &'a [u32],
    pub recipe: &'a LanguageRecipe,
    pub seed: u64,
    pub options: &'a TrainOptions,
    /// Where the weights of the best epoch are kept.
    pub best: Option<&'a Path>,
}

impl LanguageTrainingSettings<'_> {
    /// Trains `model`, on an autodiff device. Lengths of segments and masks follow from the seed.
    pub fn train<W: CellWeights>(
        &self,
        model: LanguageModel<W>,
        progress: &mut dyn Progress,
    ) -> Result<TrainedLanguageModel<W>, TrainError> {
        let LanguageTrainingSettings { arch, recipe, seed, options, .. } = *self;
        let time = TimeBudget::starting(options);
        let fresh = move || Checkpoint::fresh(model.clone());
        let save = |state: &Checkpoint<W>, path: &Path| state.save(arch, recipe, seed, path);
        let mut writer = CheckpointWriter::new(options);
        let earlier = writer.earlier(|path| Checkpoint::load(fresh(), arch, recipe, seed, path), progress)?;
        let mut state = earlier.unwrap_or_else(fresh);
        let mut sgd = sgd(recipe);
        while state.epoch < recipe.epochs {
            let train_loss = self.epoch(&mut state, &mut sgd, || time.check(&*progress));
            let train_loss = writer.saved_if_interrupted(train_loss, |path| save(&state, path), progress)?;
            let judged = judged(&state);
            // A pass that ended at a loss that is no number is not at its end, and could not be gone on with.
            let keep_going = || if train_loss.is_finite() { time.check(&*progress) } else { Ok(()) };
            let evaluation = self.evaluate(&judged, keep_going);
            let evaluation = writer.saved_if_interrupted(evaluation, |path| save(&state, path), progress)?;
            state.epoch += 1;
            (state.position, state.memory) = (Position::default(), None);
            // A loss of a thousand nats is a number, the perplexity it stands for is none that could be kept or compared.
            if train_loss.is_finite() && evaluation.perplexity().is_finite() {
                self.take(&mut state, judged, train_loss, evaluation, progress)?;
            } else {
                let loss = if train_loss.is_finite() { evaluation.nll } else { train_loss };
                state = roll_back(state, loss, recipe, progress)?;
                sgd = self::sgd(recipe);
            }
            writer.epoch_is_over(|path| save(&state, path), progress)?;
        }
        let Checkpoint { best, epoch, averaged_after, rollbacks, reports, .. } = state;
        let Best { model, perplexity, epoch } =
            best.ok_or(TrainError::NotFinite { epoch, loss: f64::NAN, rollbacks })?;
        Ok(TrainedLanguageModel { model, perplexity, epoch, averaged_after, rollbacks, epochs: reports })
    }

    /// Judges a model by the validation text.
    fn evaluate<W: CellWeights>(
        &self,
        model: &LanguageModel<W>,
        keep_going: impl Fn() -> Result<(), TrainError>,
    ) -> Result<LanguageEvaluation, TrainError> {
        let layout = ReadingLayout { batch: self.recipe.validation_batch, segment: self.recipe.segment };
        let evaluation = evaluate_while(&model.valid(), self.arch, self.validation, layout, keep_going)?;
        evaluation.ok_or(too_short("validation", self.validation, self.recipe.validation_batch))
    }

    /// Takes an epoch in whose numbers are finite: reports it, keeps its weights if they are the best so far, and begins
    /// to average once the loss has stalled.
    fn take<W: CellWeights>(
        &self,
        state: &mut Checkpoint<W>,
        judged: LanguageModel<W>,
        train_loss: f64,
        evaluation: LanguageEvaluation,
        progress: &mut dyn Progress,
    ) -> Result<(), TrainError> {
        let (recipe, perplexity) = (self.recipe, evaluation.perplexity());
        let report = EpochReport {
            epoch: state.epoch,
            epochs: recipe.epochs,
            train_loss,
            value: Some(perplexity),
            learning_rate: recipe.learning_rate,
        };
        progress.epoch(&report);
        state.reports.push(report);
        if state.best.as_ref().is_none_or(|best| perplexity < best.perplexity) {
            if let Some(path) = self.best {
                save_language_weights(&judged, path)?;
            }
            state.best = Some(Best { model: judged, perplexity, epoch: state.epoch });
        }
        if state.average.is_none() && has_stalled(&state.losses, evaluation.nll, recipe.patience) {
            state.average = Some(Average::default());
            state.averaged_after = Some(state.epoch);
        }
        state.losses.push(evaluation.nll);
        Ok(())
    }

    /// What is left of a pass over the text. Returns the mean loss per word of the whole pass, without penalties; it is not
    /// finite where a step was not, and the pass ends there. Where it is broken off, the state is that after the last
    /// segment.
    fn epoch<W: CellWeights>(
        &self,
        state: &mut Checkpoint<W>,
        sgd: &mut Sgd,
        keep_going: impl Fn() -> Result<(), TrainError>,
    ) -> Result<f64, TrainError> {
        let LanguageTrainingSettings { arch, training, recipe, seed, .. } = *self;
        let part = training.len() / recipe.batch;
        let rows = |from: usize, to: usize| {
            let row = |step| (0..recipe.batch).map(|column| training[column * part + step]).collect();
            let rows: Vec<Vec<u32>> = (from..to).map(row).collect();
            Tokens::new(&rows).expect("rows are as wide as the batch")
        };
        let index = u64::from(state.epoch) + 1;
        let [mut lengths, mut masks] = ["segments", "masks"].map(|purpose| rng_for(seed, purpose, index));
        lengths.set_word_pos(state.position.lengths);
        masks.set_word_pos(state.position.masks);
        while state.position.start + 1 < part {
            keep_going()?;
            let Position { start, loss_sum, .. } = state.position;
            let length = segment_length(recipe, &mut lengths);
            let end = (start + length).min(part - 1);
            let memory = state.memory.take().unwrap_or_else(|| state.model.blank_memory(recipe.batch));
            let rate = recipe.learning_rate * length as f64 / recipe.segment as f64;
            let mut left = None;
            let taken = step(&state.model, sgd, rate, |model, _| {
                let mut pass = LanguagePass::Train { dropouts: recipe.dropouts, rng: &mut masks };
                let output = model.forward(arch, &rows(start, end), memory, &mut pass);
                let loss = output.loss(&rows(start + 1, end + 1), recipe.regularisation());
                left = Some(output.memory.detach());
                Loss { total: loss.total, reported: loss.nll }
            });
            let Step { module, loss: nll, .. } = match taken {
                Ok(step) => step,
                Err(NotFinite { loss }) => return Ok(loss),
            };
            state.model = module;
            if let Some(average) = &mut state.average {
                average.add(&state.model);
            }
            state.memory = left;
            state.position = Position {
                start: end,
                loss_sum: loss_sum + nll * (end - start) as f64,
                lengths: lengths.get_word_pos(),
                masks: masks.get_word_pos(),
            };
        }
        Ok(state.position.loss_sum / (part - 1) as f64)
    }
}

/// # Errors
/// When one of the texts is too short to be read in as many parts as the recipe says.
pub(super) fn check_lengths(
    training: &[u32],
    validation: &[u32],
    recipe: &LanguageRecipe,
) -> Result<(), TrainError> {
    let texts = [("training", training, recipe.batch), ("validation", validation, recipe.validation_batch)];
    match texts.into_iter().find(|(_, text, batch)| text.len() / batch < 2) {
        Some((part, text, batch)) => Err(too_short(part, text, batch)),
        None => Ok(()),
    }
}

fn too_short(part: &'static str, text: &[u32], batch: usize) -> TrainError {
    TrainError::TooShort { part, words: text.len(), batch }
}

fn sgd(recipe: &LanguageRecipe) -> Sgd {
    Sgd::new(SgdSettings {
        momentum: 0.0,
        nesterov: false,
        weight_decay: recipe.weight_decay,
        clip: recipe.clip,
    })
}

/// Goes back to the best weights after a loss that is no finite number, as often as the recipe forgives.
fn roll_back<W: CellWeights>(
    state: Checkpoint<W>,
    loss: f64,
    recipe: &LanguageRecipe,
    progress: &mut dyn Progress,
) -> Result<Checkpoint<W>, TrainError> {
    let Checkpoint { epoch, rollbacks, .. } = state;
    let (true, Some(best)) = (rollbacks < recipe.rollbacks, &state.best) else {
        return Err(TrainError::NotFinite { epoch, loss, rollbacks });
    };
    progress.warning(&format!(
        "the loss became {loss} in epoch {epoch}: back to the weights of epoch {}, return {} of at most {}",
        best.epoch,
        rollbacks + 1,
        recipe.rollbacks
    ));
    Ok(Checkpoint {
        model: best.model.clone(),
        rollbacks: rollbacks + 1,
        // The average was over weights that led astray.
        average: state.average.is_some().then(Average::default),
        ..state
    })
}

/// Whether a loss is above the best of those more than `patience` epochs before it.
fn has_stalled(losses: &[f64], loss: f64, patience: usize) -> bool {
    let older = &losses[..losses.len().saturating_sub(patience)];
    older.iter().any(|&old| loss > old)
}

/// The weights that are judged: averaged ones, once there are any.
fn judged<W: CellWeights>(state: &Checkpoint<W>) -> LanguageModel<W> {
    match &state.average {
        Some(average) if average.count > 0 => average.weights(state.model.clone()),
        _ => state.model.clone(),
    }
}

/// The length of the next segment.
fn segment_length(recipe: &LanguageRecipe, rng: &mut ChaCha8Rng) -> usize {
    let base =
        if rng.random_bool(recipe.halved) { recipe.segment as f64 / 2.0 } else { recipe.segment as f64 };
    let length = (base + recipe.jitter * standard_normal(rng)) as usize;
    length.clamp(recipe.shortest, recipe.longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_has_stalled_that_is_above_an_older_one() {
        assert!(!has_stalled(&[3.0, 2.0, 1.0], 2.5, 3));
        assert!(has_stalled(&[2.0, 3.0, 3.0, 3.0], 2.5, 3));
        assert!(!has_stalled(&[2.0, 1.0, 1.0, 1.0], 1.5, 3));
    }
}
