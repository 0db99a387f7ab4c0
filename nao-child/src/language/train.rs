//! Training a language model (docs/specification.md, e.3): SGD on segments of random length, then averaged weights.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::GradientsParams;
use nao_space::seed::rng_for;
use nao_space::{Checkpointing, EpochReport, Progress, RnnArch};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::average::Average;
use super::cell::CellWeights;
use super::checkpoint::{Best, Checkpoint, Position, save_language_weights};
use super::dropout::LanguagePass;
use super::evaluate::{ReadingLayout, evaluate_while};
use super::model::{LanguageModel, Tokens};
use super::recipe::{LanguageRecipe, LanguageRecipeError};
use crate::op::init::standard_normal;
use crate::train::checkpoint_writer::CheckpointWriter;
use crate::train::{CheckpointError, OnCheckpointError, Sgd, SgdSettings};

/// Why a language model was not trained.
#[derive(Debug, thiserror::Error)]
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
    /// A checkpoint could not be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// What a training of a language model keeps on disk; nothing changes its result.
#[derive(Clone, Debug, Default)]
pub struct LanguageTrainOptions {
    /// Where the state is saved after epochs, and at the next segment once the caller asks to stop; what is there already is gone on with.
    pub checkpoint: Option<Checkpointing>,
    /// What becomes of the training where that fails.
    pub on_checkpoint_error: OnCheckpointError,
    /// Where the weights of the best epoch are kept.
    pub best: Option<PathBuf>,
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
/// When a setting cannot be, a text is too short, the loss leaves the finite numbers too often, `progress` says stop, or
/// a checkpoint fails.
pub fn train_language_model<W: CellWeights>(
    model: LanguageModel<W>,
    arch: &RnnArch,
    [training, validation]: [&[u32]; 2],
    recipe: &LanguageRecipe,
    seed: u64,
    options: &LanguageTrainOptions,
    progress: &mut dyn Progress,
) -> Result<TrainedLanguageModel<W>, LanguageTrainError> {
    recipe.check()?;
    let texts = [("training", training, recipe.batch), ("validation", validation, recipe.validation_batch)];
    for (part, text, batch) in texts {
        if text.len() / batch < 2 {
            return Err(LanguageTrainError::TooShort { part, words: text.len(), batch });
        }
    }
    let fresh = move || Checkpoint::fresh(model.clone());
    let save = |state: &Checkpoint<W>, path: &Path| state.save(arch, recipe, seed, path);
    let mut writer = CheckpointWriter::new(options.checkpoint.as_ref(), options.on_checkpoint_error);
    let earlier = writer.earlier(|path| Checkpoint::load(fresh(), arch, recipe, seed, path), progress)?;
    let mut state = earlier.unwrap_or_else(fresh);
    let mut sgd = sgd(recipe);
    while state.epoch < recipe.epochs {
        let train_loss = run_epoch(&mut state, &mut sgd, arch, training, recipe, seed, progress);
        if let Err(LanguageTrainError::Interrupted) = train_loss {
            writer.save(|path| save(&state, path), progress)?;
        }
        let train_loss = train_loss?;
        let judged = judged(&state);
        let layout = ReadingLayout { batch: recipe.validation_batch, segment: recipe.segment };
        // A pass that ended at a loss that is no number is not at its end, and could not be gone on with.
        let is_stoppable = train_loss.is_finite();
        let keep_going = || match is_stoppable && progress.should_stop() {
            true => Err(LanguageTrainError::Interrupted),
            false => Ok(()),
        };
        let evaluation = evaluate_while(&judged.valid(), arch, validation, layout, keep_going);
        if let Err(LanguageTrainError::Interrupted) = evaluation {
            writer.save(|path| save(&state, path), progress)?;
        }
        let evaluation = evaluation?.expect("the text is long enough");
        state.epoch += 1;
        (state.position, state.memory) = (Position::default(), None);
        // A loss of a thousand nats is a number, the perplexity it stands for is none that could be kept or compared.
        if train_loss.is_finite() && evaluation.perplexity().is_finite() {
            let report = EpochReport {
                epoch: state.epoch,
                epochs: recipe.epochs,
                train_loss,
                value: Some(evaluation.perplexity()),
                learning_rate: recipe.learning_rate,
            };
            progress.epoch(&report);
            state.reports.push(report);
            let perplexity = evaluation.perplexity();
            if state.best.as_ref().is_none_or(|best| perplexity < best.perplexity) {
                if let Some(path) = &options.best {
                    save_language_weights(&judged, path)?;
                }
                state.best = Some(Best { model: judged, perplexity, epoch: state.epoch });
            }
            if state.average.is_none() && has_stalled(&state.losses, evaluation.nll, recipe.patience) {
                state.average = Some(Average::default());
                state.averaged_after = Some(state.epoch);
            }
            state.losses.push(evaluation.nll);
        } else {
            let loss = if train_loss.is_finite() { evaluation.nll } else { train_loss };
            state = roll_back(state, loss, recipe, progress)?;
            sgd = self::sgd(recipe);
        }
        writer.epoch_is_over(|path| save(&state, path), progress)?;
    }
    let Checkpoint { best, epoch, averaged_after, rollbacks, reports, .. } = state;
    let Best { model, perplexity, epoch } =
        best.ok_or(LanguageTrainError::NotFinite { epoch, loss: f64::NAN, rollbacks })?;
    Ok(TrainedLanguageModel { model, perplexity, epoch, averaged_after, rollbacks, epochs: reports })
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
) -> Result<Checkpoint<W>, LanguageTrainError> {
    let Checkpoint { epoch, rollbacks, .. } = state;
    let (true, Some(best)) = (rollbacks < recipe.rollbacks, &state.best) else {
        return Err(LanguageTrainError::NotFinite { epoch, loss, rollbacks });
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

/// What is left of a pass over the text. Returns the mean loss per word of the whole pass, without penalties; it is not
/// finite where a step was not, and the pass ends there. Where it is broken off, the state is that after the last segment.
fn run_epoch<W: CellWeights>(
    state: &mut Checkpoint<W>,
    sgd: &mut Sgd,
    arch: &RnnArch,
    text: &[u32],
    recipe: &LanguageRecipe,
    seed: u64,
    progress: &dyn Progress,
) -> Result<f64, LanguageTrainError> {
    let part = text.len() / recipe.batch;
    let rows = |from: usize, to: usize| {
        let row = |step| (0..recipe.batch).map(|column| text[column * part + step]).collect();
        let rows: Vec<Vec<u32>> = (from..to).map(row).collect();
        Tokens::new(&rows).expect("rows are as wide as the batch")
    };
    let index = u64::from(state.epoch) + 1;
    let mut lengths = rng_for(seed, "segments", index);
    let mut masks = rng_for(seed, "masks", index);
    lengths.set_word_pos(state.position.lengths);
    masks.set_word_pos(state.position.masks);
    while state.position.start + 1 < part {
        if progress.should_stop() {
            return Err(LanguageTrainError::Interrupted);
        }
        let Position { start, loss_sum, .. } = state.position;
        let length = segment_length(recipe, &mut lengths);
        let end = (start + length).min(part - 1);
        let memory = state.memory.take().unwrap_or_else(|| state.model.blank_memory(recipe.batch));
        let mut pass = LanguagePass::Train { dropouts: recipe.dropouts, rng: &mut masks };
        let output = state.model.forward(arch, &rows(start, end), memory, &mut pass);
        let loss = output.loss(&rows(start + 1, end + 1), recipe.regularisation());
        let nll = f64::from(loss.nll.into_scalar::<f32>());
        if !nll.is_finite() {
            return Ok(nll);
        }
        let gradients = GradientsParams::from_grads(loss.total.backward(), &state.model);
        let rate = recipe.learning_rate * length as f64 / recipe.segment as f64;
        state.model = sgd.step(state.model.clone(), gradients, rate).0;
        if let Some(average) = &mut state.average {
            average.add(&state.model);
        }
        state.memory = Some(output.memory.detach());
        state.position = Position {
            start: end,
            loss_sum: loss_sum + nll * (end - start) as f64,
            lengths: lengths.get_word_pos(),
            masks: masks.get_word_pos(),
        };
    }
    Ok(state.position.loss_sum / (part - 1) as f64)
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
    use burn::tensor::Device;
    use nao_space::network::LanguageModelSkeleton;
    use nao_space::{Quiet, RnnSpace, Space};

    use super::*;
    use crate::language::{Dropouts, RecurrentCell};

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
        train_with(recipe, seed, &LanguageTrainOptions::default(), &mut Quiet)
    }

    fn train_with(
        recipe: &LanguageRecipe,
        seed: u64,
        options: &LanguageTrainOptions,
        progress: &mut dyn Progress,
    ) -> Result<TrainedLanguageModel<RecurrentCell>, LanguageTrainError> {
        let sizes = LanguageModelSkeleton { vocabulary: 5, hidden: recipe.hidden };
        let device = Device::flex().autodiff();
        let model = LanguageModel::new(sizes, 3, &mut rng_for(seed, "weights", 0), &device);
        let arch = RnnSpace::new(3, Default::default()).unwrap().parse("0 0 1 1 2 0").unwrap();
        let words = if recipe.name == RESTLESS { noise } else { text };
        train_language_model(model, &arch, [&words(800), &words(101)], recipe, seed, options, progress)
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
        assert!(!has_stalled(&[3.0, 2.0, 1.0], 2.5, 3));
        assert!(has_stalled(&[2.0, 3.0, 3.0, 3.0], 2.5, 3));
        assert!(!has_stalled(&[2.0, 1.0, 1.0, 1.0], 1.5, 3));
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
        let options = LanguageTrainOptions {
            checkpoint: Some(Checkpointing::every_epoch(folder.path().join("checkpoint.safetensors"))),
            best: Some(folder.path().join("weights.safetensors")),
            ..LanguageTrainOptions::default()
        };
        for epochs in [1, averaged_after] {
            let stopped = train_with(&restless, 1, &options, &mut StopAfter(epochs));
            assert!(matches!(stopped, Err(LanguageTrainError::Interrupted)));
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
        assert!(matches!(
            train(&LanguageRecipe { clip: 0.0, ..recipe() }, 1),
            Err(LanguageTrainError::Recipe(_))
        ));
    }
}
