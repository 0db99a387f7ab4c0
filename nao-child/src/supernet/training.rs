//! Training shared weights: one architecture per step.

use burn::tensor::Device;
use nao_space::CnnArch;
use nao_space::seed::rng_for;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::child::Norms;
use super::shared_weights::Purpose;
use super::weights::Supernet;
use crate::data::Split;
use crate::data::split::shuffle;
use crate::network::{Dropping, Pass, TrainPass};
use crate::op::drop::DropPathSchedule;
use crate::recipe::{Recipe, RecipeError};
use crate::train::evaluate::{BATCH, Evaluation, judge};
use crate::train::image::training_loss;
use crate::train::schedule::cosine;
use crate::train::{ImageBatch, ImageLoader, Sgd, TrainError, step};

/// The shared weights of a space while they learn: each step trains the network of one architecture on one batch of
/// images. What other architectures use alone stays as it is, momentum and all; in the authors' code it decays and drifts
/// on.
///
/// Who chooses the architectures is up to the caller: [`epoch`](SharedTraining::epoch) draws them from whatever it is
/// given; a search that alternates between weights and a policy calls [`step`](SharedTraining::step) and
/// [`score_on`](SharedTraining::score_on) with architectures of its own.
#[derive(Debug)]
pub struct SharedTraining {
    pub(super) supernet: Supernet,
    pub(super) sgd: Sgd,
    recipe: Recipe,
    split: Split,
    loader: ImageLoader,
    seed: u64,
    /// Epochs done.
    pub(super) epoch: u32,
    /// Where the next one stands; between two epochs at its beginning.
    pub(super) position: Position,
}

/// How far an epoch has come: what of its state neither is in the weights nor follows from seed and epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Steps done.
    step: usize,
    /// Sum of the losses of the images in them.
    loss_sum: f64,
    /// Words that were taken from the generator that varies images.
    augment: u128,
    /// Words that were taken from the generator of what is dropped.
    drop: u128,
    /// Words that were taken from the generator that draws architectures.
    architecture: u128,
}

/// Where a step stands in its schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// The learning rate.
    pub rate: f64,
    /// Drop-path over the schedule.
    pub drop_path: DropPathSchedule,
    /// The step of the schedule, counted from 0.
    pub step: usize,
}

impl SharedTraining {
    /// A training that has not begun, of weights on the images of `split`.
    ///
    /// # Errors
    /// When the recipe does not fit the data.
    pub fn new(supernet: Supernet, recipe: Recipe, split: Split, seed: u64) -> Result<Self, RecipeError> {
        recipe.check(&split.data)?;
        let loader = ImageLoader::new(&split, recipe.augmentation, &supernet.device().clone().autodiff());
        let sgd = Sgd::new(recipe.sgd());
        Ok(SharedTraining {
            supernet,
            sgd,
            recipe,
            split,
            loader,
            seed,
            epoch: 0,
            position: Position::default(),
        })
    }

    /// The weights as they are now.
    pub fn supernet(&self) -> &Supernet {
        &self.supernet
    }

    /// How they are trained.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The images trained on and validated on.
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// The seed of order, variation and dropping.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Epochs done.
    pub fn epochs(&self) -> u32 {
        self.epoch
    }

    /// Steps per epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.split.train.len().div_ceil(self.recipe.batch)
    }

    /// What is left of a pass over the training images, as epoch `at` of a schedule of `of`. `draw` gives the architecture of
    /// each step and may use the generator, which is that of the epoch. Returns the mean loss per image of the whole pass.
    /// Where `keep_going` breaks it off, the state is that after the last step, and can be saved.
    ///
    /// # Errors
    /// When an architecture is not of the space, the loss becomes infinite or NaN, or `keep_going` refuses.
    pub fn epoch(
        &mut self,
        at: u32,
        of: u32,
        mut draw: impl FnMut(&mut ChaCha8Rng) -> CnnArch,
        keep_going: impl Fn() -> Result<(), TrainError>,
    ) -> Result<f64, TrainError> {
        let index = u64::from(self.epoch);
        let rng = |purpose| rng_for(self.seed, purpose, index);
        let [order, variation] = ["shared order", "shared augment"].map(rng);
        let [mut drop_rng, mut arch_rng] = ["shared drop", "shared architecture"].map(rng);
        let batches = self.loader.batches(&self.split.train, self.recipe.batch, order, variation);
        let mut batches = batches.resumed(self.position.step, self.position.augment);
        drop_rng.set_word_pos(self.position.drop);
        arch_rng.set_word_pos(self.position.architecture);
        let steps_per_epoch = self.steps_per_epoch();
        let Recipe { cosine_epochs, learning_rate, learning_rate_min, .. } = self.recipe;
        let rate = cosine(at, cosine_epochs, learning_rate, learning_rate_min);
        let drop_path =
            DropPathSchedule { keep: self.recipe.drop_path_keep, total_steps: steps_per_epoch * of as usize };
        while let Some(batch) = batches.next() {
            keep_going()?;
            let (arch, images) = (draw(&mut arch_rng), batch.labels.len());
            let moment = Moment { rate, drop_path, step: at as usize * steps_per_epoch + batches.step() - 1 };
            let loss = self.step(&arch, batch, moment, &mut drop_rng)?;
            self.position = Position {
                step: batches.step(),
                loss_sum: self.position.loss_sum + loss * images as f64,
                augment: batches.words(),
                drop: drop_rng.get_word_pos(),
                architecture: arch_rng.get_word_pos(),
            };
        }
        self.epoch += 1;
        let Position { loss_sum, .. } = std::mem::take(&mut self.position);
        Ok(loss_sum / self.split.train.len() as f64)
    }

    /// The validation images in batches of the recipe's size, in an order that is another for each `index`: what a policy is
    /// rewarded by, batch by batch.
    pub fn validation_minibatches(&self, index: u64) -> Vec<Vec<usize>> {
        let mut images = self.split.held_out.clone();
        shuffle(&mut images, &mut rng_for(self.seed, "validation minibatches", index));
        images.chunks(self.recipe.batch).map(<[usize]>::to_vec).collect()
    }

    /// Images of the data, varied as the recipe has it.
    pub fn training_batch(&self, images: &[usize], rng: &mut ChaCha8Rng) -> ImageBatch {
        self.loader.batch(images, rng)
    }

    /// One step of the weights that an architecture uses. Everything dropped is drawn from `rng`. Returns the loss before
    /// the step.
    ///
    /// # Errors
    /// When the architecture is not of the space, or the loss becomes infinite or NaN.
    pub fn step(
        &mut self,
        arch: &CnnArch,
        batch: ImageBatch,
        moment: Moment,
        rng: &mut ChaCha8Rng,
    ) -> Result<f64, TrainError> {
        let child = self.supernet.child(arch, Purpose::Train)?;
        let Moment { rate, drop_path, step: at } = moment;
        let dropping = Dropping { rng, drop_path, step: at, dropout_keep: self.recipe.dropout_keep };
        let device = self.device().clone().autodiff();
        let taken = step(&child, &mut self.sgd, rate, |child, statistics| {
            let mut pass = Pass::Train(TrainPass::dropping(dropping, statistics));
            training_loss(child.forward(batch.inputs, &mut pass), &batch.labels, &self.recipe, &device)
        });
        let (child, loss) = taken
            .and_then(|step| step.finite())
            .map_err(|error| TrainError::not_finite(self.epoch + 1, error))?;
        self.supernet.write_back(&child);
        Ok(loss)
    }

    /// Judges an architecture by some images as they are, such as a batch of the validation images.
    ///
    /// # Errors
    /// When the architecture is not of the space.
    pub fn score_on(&self, arch: &CnnArch, images: &[usize], norms: Norms) -> Result<Evaluation, TrainError> {
        let child = self.supernet.child(arch, Purpose::Infer)?;
        let classify = |inputs| child.judge(inputs, norms);
        let never_stops = || Ok(());
        judge(&self.split.data, even_parts(images), &self.loader.scale, self.device(), classify, never_stops)
    }

    fn device(&self) -> &Device {
        self.supernet.device()
    }
}

/// Images in as few batches as there have to be, all but equal in size: where norms use the statistics of a batch, a small
/// last one would be judged worse.
fn even_parts(images: &[usize]) -> impl Iterator<Item = &[usize]> {
    let parts = images.len().div_ceil(BATCH).max(1);
    images.chunks(images.len().div_ceil(parts).max(1))
}
