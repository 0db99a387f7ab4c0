//! The training loop for images.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use nao_kernels::nn::Sgd;
use nao_space::network::NetworkPlan;
use nao_space::seed::rng_for;
use nao_space::{EpochReport, Progress};

use super::batches::ImageLoader;
use super::checkpoint::{Checkpoint, CheckpointError, Position, save_network};
use super::checkpoint_writer::CheckpointWriter;
use super::error::TrainError;
use super::evaluate::{Evaluation, evaluate_by};
use super::options::{TimeBudget, TrainOptions, if_asked_to_go_on};
use super::schedule::cosine;
use super::step::step;
use crate::data::Split;
use crate::names::{NameConvention, load_tensors, save_tensors, tensor_names};
use crate::network::{Dropping, Logits, Network, Pass, TrainPass};
use crate::op::drop::DropPathSchedule;
use crate::op::loss::{cross_entropy, target_rows};
use crate::recipe::{Recipe, Score};

/// All that a training depends on, and what surrounds it.
#[derive(Clone, Debug)]
pub(super) struct TrainingSettings {
    pub plan: NetworkPlan,
    pub recipe: Recipe,
    pub split: Split,
    pub seed: u64,
    /// Without autodiff.
    pub device: Device,
    pub options: TrainOptions,
    /// Where the best network is kept.
    pub best: Option<PathBuf>,
    pub measures_every_epoch: bool,
    /// Tensors to start from, by their V1 names.
    pub initial: BTreeMap<String, TensorData>,
}

/// A training that ended well.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network after the last epoch, on the plain device.
    pub network: Network,
    /// What it is built from.
    pub plan: NetworkPlan,
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

impl Trained {
    /// Writes the network's parameters and running statistics, under the authors' V1 names;
    /// [`open_network`](super::checkpoint::open_network) reads them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        save_network(&self.network, &self.plan, NameConvention::V1, path)
    }
}

/// A training under way.
pub(super) struct ImageTraining<'a> {
    training: &'a TrainingSettings,
    /// With autodiff.
    device: Device,
    loader: ImageLoader,
    time: TimeBudget,
    writer: CheckpointWriter<'a>,
    state: Checkpoint,
    /// How the network did after the last epoch, once that is over.
    last: Option<Evaluation>,
}

impl<'a> ImageTraining<'a> {
    /// Goes on from the checkpoint, where there is one, or begins.
    pub fn begin(training: &'a TrainingSettings, progress: &mut dyn Progress) -> Result<Self, TrainError> {
        let TrainingSettings { plan, recipe, split, seed, .. } = training;
        let time = TimeBudget::starting(&training.options);
        let device = training.device.clone().autodiff();
        let network = Network::new(plan, &mut rng_for(*seed, "weights", 0), &device);
        let network = started_from(network, plan, &training.initial)?;
        let fresh = || Checkpoint::fresh(network.clone(), Sgd::new(recipe.sgd()));
        let writer = CheckpointWriter::new(&training.options);
        let earlier =
            writer.earlier(|path| Checkpoint::load(fresh(), plan, recipe, *seed, path), progress)?;
        let state = earlier.unwrap_or_else(fresh);
        let loader = ImageLoader::new(split, recipe.augmentation, &device);
        Ok(ImageTraining { training, device, loader, time, writer, state, last: None })
    }

    /// Trains what is left.
    pub fn finish(mut self, progress: &mut dyn Progress) -> Result<Trained, TrainError> {
        while self.state.epoch < self.training.recipe.epochs {
            self.epoch(progress)?;
        }
        let network = self.state.network.valid();
        let last = match self.last {
            Some(last) => last,
            // The checkpoint was of a finished training.
            None => self.judged(progress)?,
        };
        let Checkpoint { epoch, scored, reports, .. } = self.state;
        let (accuracy, scored_epoch) = scored.unwrap_or((last.accuracy, epoch));
        let train_loss = reports.last().map_or(f64::NAN, |report| report.train_loss);
        let plan = self.training.plan.clone();
        Ok(Trained { network, plan, accuracy, scored_epoch, last, train_loss, epochs: reports })
    }

    /// One epoch, or what is left of it: trains, judges, reports and saves.
    fn epoch(&mut self, progress: &mut dyn Progress) -> Result<(), TrainError> {
        let TrainingSettings { recipe, measures_every_epoch, .. } = self.training;
        let epoch = self.state.epoch;
        let rate = cosine(epoch, recipe.cosine_epochs, recipe.learning_rate, recipe.learning_rate_min);
        let trained = self.train(rate, &*progress);
        let train_loss = self.saved_if_interrupted(trained, progress)?;
        let is_last = epoch + 1 == recipe.epochs;
        let is_scored = is_last || recipe.score == Score::BestEpoch;
        // An interruption leaves the end of an epoch that is not over: the next piece judges first.
        let judged = (is_scored || *measures_every_epoch).then(|| self.judged(&*progress)).transpose();
        let evaluation = self.saved_if_interrupted(judged, progress)?;
        (self.state.epoch, self.state.position) = (epoch + 1, Position::default());
        let report = EpochReport {
            epoch: epoch + 1,
            epochs: recipe.epochs,
            train_loss,
            value: evaluation.map(|evaluation| evaluation.accuracy),
            learning_rate: rate,
        };
        progress.epoch(&report);
        self.state.reports.push(report);
        self.last = evaluation;
        if let Some(evaluation) = evaluation.filter(|_| is_scored) {
            self.score(evaluation)?;
        }
        let (state, training) = (&self.state, self.training);
        self.writer.epoch_is_over(|path| save(state, training, path), progress)?;
        Ok(())
    }

    fn saved_if_interrupted<T>(
        &mut self,
        part: Result<T, TrainError>,
        progress: &mut dyn Progress,
    ) -> Result<T, TrainError> {
        let (state, training) = (&self.state, self.training);
        self.writer.saved_if_interrupted(part, |path| save(state, training, path), progress)
    }

    /// Takes an accuracy as the score if it is the best so far.
    fn score(&mut self, Evaluation { accuracy, .. }: Evaluation) -> Result<(), TrainError> {
        if self.state.scored.is_none_or(|(best, _)| accuracy > best) {
            self.state.scored = Some((accuracy, self.state.epoch));
            if let Some(path) = &self.training.best {
                save_network(&self.state.network, &self.training.plan, NameConvention::V1, path)?;
            }
        }
        Ok(())
    }

    /// Judges the network by the held-out images, unless the caller asks to stop.
    fn judged(&self, progress: &dyn Progress) -> Result<Evaluation, TrainError> {
        let TrainingSettings { split, device, .. } = self.training;
        let network = self.state.network.valid();
        evaluate_by(&network, &self.loader, &split.held_out, device, || if_asked_to_go_on(progress))
    }

    /// What is left of a pass over the training images. Returns the mean loss per image of the whole pass. Where it is
    /// broken off, the state is that after the last batch.
    fn train(&mut self, rate: f64, progress: &dyn Progress) -> Result<f64, TrainError> {
        let TrainingSettings { recipe, split, seed, .. } = self.training;
        let state = &mut self.state;
        let index = u64::from(state.epoch);
        let [order, variation] = ["order", "augment"].map(|purpose| rng_for(*seed, purpose, index));
        let batches = self.loader.batches(&split.train, recipe.batch, order, variation);
        let mut batches = batches.resumed(state.position.step, state.position.augment);
        let mut drop_rng = rng_for(*seed, "drop", index);
        drop_rng.set_word_pos(state.position.drop);
        let per_epoch = split.train.len().div_ceil(recipe.batch);
        let drop_path =
            DropPathSchedule { keep: recipe.drop_path_keep, total_steps: per_epoch * recipe.epochs as usize };
        while let Some(batch) = batches.next() {
            self.time.check(progress)?;
            let taken = step(&state.network, &mut state.sgd, rate, |network, statistics| {
                let dropping = Dropping {
                    rng: &mut drop_rng,
                    drop_path,
                    step: state.epoch as usize * per_epoch + batches.step() - 1,
                    dropout_keep: recipe.dropout_keep,
                };
                let mut pass = Pass::Train(TrainPass::dropping(dropping, statistics));
                training_loss(network.forward(batch.inputs, &mut pass), &batch.labels, recipe, &self.device)
            });
            let (network, loss) = taken
                .and_then(|step| step.finite())
                .map_err(|error| TrainError::not_finite(state.epoch + 1, error))?;
            state.network = network;
            state.position = Position {
                step: batches.step(),
                loss_sum: state.position.loss_sum + loss * batch.labels.len() as f64,
                augment: batches.words(),
                drop: drop_rng.get_word_pos(),
            };
        }
        Ok(state.position.loss_sum / split.train.len() as f64)
    }
}

fn save(state: &Checkpoint, training: &TrainingSettings, path: &Path) -> Result<(), CheckpointError> {
    state.save(&training.plan, &training.recipe, training.seed, path)
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
