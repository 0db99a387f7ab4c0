//! The training loop for images.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use nao_space::network::NetworkPlan;
use nao_space::notation::ParseError;
use nao_space::seed::rng_for;
use nao_space::{Checkpointing, EpochReport, Progress};

use super::batch::batch_of;
use super::checkpoint::{Checkpoint, CheckpointError, Position};
use super::checkpoint_writer::{CheckpointWriter, OnCheckpointError};
use super::evaluate::{BATCH, Evaluation, evaluate_while};
use super::schedule::cosine;
use super::sgd::{Sgd, SgdSettings};
use crate::data::Split;
use crate::data::augment::{ChannelScale, varied};
use crate::data::split::shuffle;
use crate::names::{NameConvention, NamesError, load_tensors, save_tensors, tensor_names};
use crate::network::{Dropping, Logits, Network, Pass, TrainPass};
use crate::op::drop::DropPathSchedule;
use crate::op::loss::{cross_entropy, target_rows};
use crate::recipe::{Recipe, RecipeError, Score};

/// What surrounds a training but does not change its result, with one exception: [`initial`](TrainOptions::initial).
#[derive(Clone, Debug, Default)]
pub struct TrainOptions {
    /// Where the state is saved after epochs, and at the next batch once the caller asks to stop; and read from if it is there: a training that was interrupted or killed goes on from the last saved batch
    /// and ends with the same result.
    pub checkpoint: Option<Checkpointing>,
    /// What becomes of the training where that fails.
    pub on_checkpoint_error: OnCheckpointError,
    /// Where the network is saved, for use, whenever its held-out accuracy is the best so far (with
    /// [`Score::LastEpoch`]: at the end).
    pub best: Option<PathBuf>,
    /// Wall time after which the training stops with [`TrainError::TimeLimit`].
    pub time_limit: Option<Duration>,
    /// Measures the held-out accuracy after every epoch, even where the recipe's score does not need it.
    pub measure_every_epoch: bool,
    /// Tensors to start from instead of fresh ones, by their V1 names; the others are drawn. A training that goes on from
    /// a checkpoint has started already and does not look at them.
    pub initial: BTreeMap<String, TensorData>,
}

/// A training that ended well.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network after the last epoch, on the plain device.
    pub network: Network,
    /// The score: the held-out accuracy of the epoch that the recipe names, 0 to 1.
    pub accuracy: f64,
    /// The epoch of the score, counted from 1.
    pub scored_epoch: u32,
    /// How the network after the last epoch did on the held-out images.
    pub last: Evaluation,
    /// Mean training loss of the last epoch.
    pub train_loss: f64,
    /// Every epoch; of the epochs before a resumption, those that the checkpoint remembers.
    pub epochs: Vec<EpochReport>,
}

/// Why a training did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The loss is no longer a finite number.
    #[error("the loss became {loss} in epoch {epoch}; a lower learning rate may help")]
    NotFinite {
        /// The epoch, counted from 1.
        epoch: u32,
        /// The loss.
        loss: f64,
    },
    /// The time limit was reached.
    #[error("stopped after the time limit of {} s", .limit.as_secs_f64())]
    TimeLimit {
        /// The limit.
        limit: Duration,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The recipe has a value out of range, or is for other data.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// An architecture that the supernet has no weights for.
    #[error(transparent)]
    Architecture(#[from] ParseError),
    /// Initial tensors that do not fit the network.
    #[error(transparent)]
    Initial(#[from] NamesError),
    /// A checkpoint could not be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Trains the network of `plan` on `split` as `recipe` says, and reports every epoch.
///
/// The result depends on plan, recipe, split, seed and initial tensors alone, not on threads, other options or interruptions:
/// weights, order and variation of images, and everything dropped come from generators made of (seed,
/// purpose, epoch).
///
/// `device` is plain; autodiff is added here.
///
/// # Errors
/// When the recipe does not fit the data, the loss becomes infinite or NaN, the time is up, the caller asks
/// to stop, or a checkpoint fails.
pub fn train_network(
    plan: &NetworkPlan,
    recipe: &Recipe,
    split: &Split,
    seed: u64,
    device: &Device,
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<Trained, TrainError> {
    let started = Instant::now();
    recipe.check(&split.data)?;
    let plain = device.clone().without_autodiff();
    let trained_on = plain.clone().autodiff();
    let scale = ChannelScale::new(recipe.augmentation.normalisation, split);
    let network = Network::new(plan, &mut rng_for(seed, "weights", 0), &trained_on);
    let network = started_from(network, plan, &options.initial)?;
    let fresh = move || Checkpoint::fresh(network.clone(), Sgd::new(SgdSettings::from(recipe)));
    let save = |state: &Checkpoint, path: &Path| state.save(plan, recipe, seed, path);
    let mut writer = CheckpointWriter::new(options.checkpoint.as_ref(), options.on_checkpoint_error);
    let earlier = writer.earlier(|path| Checkpoint::load(fresh(), plan, recipe, seed, path), progress)?;
    let mut state = earlier.unwrap_or_else(fresh);
    let steps_per_epoch = split.train.len().div_ceil(recipe.batch);
    let setting = Setting { recipe, split, seed, device: &trained_on, scale: &scale, steps_per_epoch };
    let mut last = None;
    while state.epoch < recipe.epochs {
        let epoch = state.epoch;
        let rate = cosine(epoch, recipe.cosine_epochs, recipe.learning_rate, recipe.learning_rate_min);
        let keep_going = || {
            if progress.should_stop() {
                return Err(TrainError::Interrupted);
            }
            match options.time_limit {
                Some(limit) if started.elapsed() > limit => Err(TrainError::TimeLimit { limit }),
                _ => Ok(()),
            }
        };
        let train_loss = setting.epoch(&mut state, rate, keep_going);
        if let Err(TrainError::Interrupted) = train_loss {
            writer.save(|path| save(&state, path), progress)?;
        }
        let train_loss = train_loss?;
        let is_last = epoch + 1 == recipe.epochs;
        let measured = is_last || recipe.score == Score::BestEpoch || options.measure_every_epoch;
        let evaluation = measured.then(|| setting.judged(&state.network.valid(), &plain, &*progress));
        if let Some(Err(TrainError::Interrupted)) = evaluation {
            // At the end of the epoch, which is not over: the next piece measures it first.
            writer.save(|path| save(&state, path), progress)?;
        }
        let evaluation = evaluation.transpose()?;
        (state.epoch, state.position) = (epoch + 1, Position::default());
        let report = EpochReport {
            epoch: state.epoch,
            epochs: recipe.epochs,
            train_loss,
            value: evaluation.map(|e| e.accuracy),
            learning_rate: rate,
        };
        progress.epoch(&report);
        state.reports.push(report);
        if let Some(evaluation) = evaluation {
            last = Some(evaluation);
            let scored = is_last || recipe.score == Score::BestEpoch;
            if scored && state.scored.is_none_or(|(best, _)| evaluation.accuracy > best) {
                state.scored = Some((evaluation.accuracy, state.epoch));
                if let Some(path) = &options.best {
                    super::checkpoint::save_network(&state.network, plan, NameConvention::V1, path)?;
                }
            }
        }
        writer.epoch_is_over(|path| save(&state, path), progress)?;
    }
    let network = state.network.valid();
    let last = match last {
        Some(last) => last,
        // The checkpoint was of a finished training.
        None => setting.judged(&network, &plain, &*progress)?,
    };
    let (accuracy, scored_epoch) = state.scored.unwrap_or((last.accuracy, state.epoch));
    let train_loss = state.reports.last().map_or(f64::NAN, |report| report.train_loss);
    Ok(Trained { network, accuracy, scored_epoch, last, train_loss, epochs: state.reports })
}

/// The network with some of its tensors replaced.
fn started_from(
    network: Network,
    plan: &NetworkPlan,
    initial: &BTreeMap<String, TensorData>,
) -> Result<Network, TrainError> {
    if initial.is_empty() {
        return Ok(network);
    }
    let names = tensor_names(plan, NameConvention::V1);
    let mut tensors = save_tensors(&network, &names);
    tensors.extend(initial.iter().map(|(name, data)| (name.clone(), data.clone())));
    Ok(load_tensors(network, &names, tensors)?)
}

/// What stays the same over the epochs.
struct Setting<'a> {
    recipe: &'a Recipe,
    split: &'a Split,
    seed: u64,
    device: &'a Device,
    scale: &'a ChannelScale,
    steps_per_epoch: usize,
}

impl Setting<'_> {
    /// Judges a network by the held-out images, unless the caller asks to stop.
    fn judged(
        &self,
        network: &Network,
        device: &Device,
        progress: &dyn Progress,
    ) -> Result<Evaluation, TrainError> {
        let keep_going = || if progress.should_stop() { Err(TrainError::Interrupted) } else { Ok(()) };
        let Split { data, held_out, .. } = self.split;
        evaluate_while(network, data, held_out, self.scale, BATCH, device, keep_going)
    }

    /// What is left of a pass over the training images. Returns the mean loss per image of the whole pass. Where it is
    /// broken off, the state is that after the last batch.
    fn epoch(
        &self,
        state: &mut Checkpoint,
        rate: f64,
        keep_going: impl Fn() -> Result<(), TrainError>,
    ) -> Result<f64, TrainError> {
        let index = u64::from(state.epoch);
        let mut order = self.split.train.clone();
        shuffle(&mut order, &mut rng_for(self.seed, "order", index));
        let mut image_rng = rng_for(self.seed, "augment", index);
        let mut drop_rng = rng_for(self.seed, "drop", index);
        image_rng.set_word_pos(state.position.augment);
        drop_rng.set_word_pos(state.position.drop);
        for (step, images) in order.chunks(self.recipe.batch).enumerate().skip(state.position.step) {
            keep_going()?;
            let data = &self.split.data;
            let (inputs, labels) = batch_of(data, images, self.device, |image, inputs| {
                varied(data, image, self.scale, &self.recipe.augmentation, &mut image_rng, inputs);
            });
            let dropping = Dropping {
                rng: &mut drop_rng,
                drop_path: DropPathSchedule {
                    keep: self.recipe.drop_path_keep,
                    total_steps: self.steps_per_epoch * self.recipe.epochs as usize,
                },
                step: state.epoch as usize * self.steps_per_epoch + step,
                dropout_keep: self.recipe.dropout_keep,
            };
            let mut statistics = Vec::new();
            let mut pass = Pass::Train(TrainPass::dropping(dropping, &mut statistics));
            let network = state.network.clone();
            let logits = network.forward(inputs, &mut pass);
            let loss = training_loss(logits, &labels, self.recipe, self.device);
            let value = f64::from(loss.clone().into_scalar::<f32>());
            if !value.is_finite() {
                return Err(TrainError::NotFinite { epoch: state.epoch + 1, loss: value });
            }
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let (network, norm) = state.sgd.step(network, gradients, rate);
            if !norm.is_finite() {
                return Err(TrainError::NotFinite { epoch: state.epoch + 1, loss: norm });
            }
            state.network = network.apply_statistics(statistics);
            state.position = Position {
                step: step + 1,
                loss_sum: state.position.loss_sum + value * images.len() as f64,
                augment: image_rng.get_word_pos(),
                drop: drop_rng.get_word_pos(),
            };
        }
        Ok(state.position.loss_sum / self.split.train.len() as f64)
    }
}

/// The loss that a recipe trains by: cross entropy, and that of the auxiliary head as it weighs.
pub(crate) fn training_loss(logits: Logits, labels: &[u8], recipe: &Recipe, device: &Device) -> Tensor<1> {
    let classes = logits.main.dims()[1];
    let targets = target_rows(labels, classes, recipe.label_smoothing, device);
    let main = cross_entropy(logits.main, targets.clone());
    match logits.auxiliary {
        Some(auxiliary) => main + cross_entropy(auxiliary, targets) * recipe.auxiliary_weight,
        None => main,
    }
}
