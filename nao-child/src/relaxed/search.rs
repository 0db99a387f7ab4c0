//! The search loop: a step of the mixtures on validation images, a step of the weights on training images.

use std::path::PathBuf;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use nao_space::network::RelaxedPlan;
use nao_space::seed::rng_for;
use nao_space::{CellRole, CnnArch, DartsSpace, EpochReport, Progress, Relaxation, Space};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::bilevel::{Virtual, first_order, second_order};
use super::network::{Mixtures, RelaxedNetwork};
use super::recipe::{Order, RelaxedRecipe};
use crate::data::Split;
use crate::data::augment::{ChannelScale, varied};
use crate::data::split::shuffle;
use crate::network::{Pass, TrainPass};
use crate::op::init::standard_normal;
use crate::op::loss::{cross_entropy, target_rows};
use crate::op::norm::BatchStatistics;
use crate::train::evaluate::{BATCH, judge};
use crate::train::schedule::cosine;
use crate::train::{Sgd, SgdSettings, TrainError, batch_of};

/// What a search keeps on disk; nothing changes its result.
#[derive(Clone, Debug, Default)]
pub struct RelaxedOptions {
    /// Where the state after each epoch is kept; what is there already is gone on with.
    pub checkpoint: Option<PathBuf>,
}

/// Where a search stood after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelaxedEpoch {
    /// Losses, and the accuracy of the relaxed network on the images that the mixtures learn from.
    #[serde(flatten)]
    pub report: EpochReport,
    /// The cells that would be derived, as DARTS writes them.
    pub genotype: String,
    /// The mean entropy of the mixtures of normal and reduction cells, in nats.
    pub entropy: [f64; 2],
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct RelaxedOutcome {
    /// The derived cells.
    pub arch: CnnArch,
    /// The logits of the mixtures that they were derived from.
    pub relaxation: Relaxation,
    /// The way there.
    pub epochs: Vec<RelaxedEpoch>,
}

/// Everything that changes.
pub(super) struct State {
    pub network: RelaxedNetwork,
    pub sgd: Sgd,
    pub relaxation: Relaxation,
    pub adam: Adam,
    pub epochs: Vec<RelaxedEpoch>,
    /// Where the next epoch stands; between two epochs at its beginning.
    pub position: Position,
}

/// How far an epoch has come: what of its state neither is in the network nor follows from seed and epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Batches done.
    pub step: usize,
    /// Sum of the losses of the images in them.
    pub loss_sum: f64,
    /// Words that were taken from the generator that varies images.
    pub augment: u128,
}

/// Searches the cells of DARTS on the images of a split: the weights learn from its training images, the mixtures from
/// its held-out ones. The result depends on recipe, split and seed alone.
///
/// `device` is plain; autodiff is added here.
///
/// # Errors
/// When the recipe does not fit the data, the loss becomes infinite or NaN, `progress` says stop, or a checkpoint fails.
pub fn search_relaxed(
    recipe: &RelaxedRecipe,
    split: &Split,
    seed: u64,
    device: &Device,
    options: &RelaxedOptions,
    progress: &mut dyn Progress,
) -> Result<RelaxedOutcome, RelaxedError> {
    recipe.check(&split.data).map_err(TrainError::from)?;
    let plan = RelaxedPlan::new(&recipe.skeleton(&split.data))?;
    let plain = device.clone().without_autodiff();
    let setting = Setting {
        recipe,
        split,
        seed,
        device: &plain.clone().autodiff(),
        scale: &ChannelScale::new(recipe.weights.augmentation.normalisation, split),
    };
    let mut logits = rng_for(seed, "mixtures", 0);
    let mut state = State {
        network: RelaxedNetwork::new(&plan, &mut rng_for(seed, "weights", 0), setting.device),
        sgd: Sgd::new(SgdSettings::from(&recipe.weights)),
        relaxation: Relaxation::of(|| recipe.initial_deviation * standard_normal(&mut logits)),
        adam: Adam::new(),
        epochs: Vec::new(),
        position: Position::default(),
    };
    if let Some(path) = options.checkpoint.as_ref().filter(|path| path.exists()) {
        state = state.load(recipe, seed, path).map_err(TrainError::from)?;
    }
    while (state.epochs.len() as u32) < recipe.weights.epochs {
        let epoch = setting.epoch(&mut state, &plain, progress);
        if let (Err(TrainError::Interrupted), Some(path)) = (&epoch, &options.checkpoint) {
            state.save(recipe, seed, path).map_err(TrainError::from)?;
        }
        let epoch = epoch?;
        progress.epoch(&epoch.report);
        state.epochs.push(epoch);
        state.position = Position::default();
        if let Some(path) = &options.checkpoint {
            state.save(recipe, seed, path).map_err(TrainError::from)?;
        }
    }
    let State { relaxation, epochs, .. } = state;
    Ok(RelaxedOutcome { arch: relaxation.derive(), relaxation, epochs })
}

/// Why a search in a relaxed network did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelaxedError {
    /// As in any training.
    #[error(transparent)]
    Training(#[from] TrainError),
    /// Images that the network cannot be laid out for.
    #[error(transparent)]
    Geometry(#[from] nao_space::network::GeometryError),
}

/// What stays the same over the epochs.
struct Setting<'a> {
    recipe: &'a RelaxedRecipe,
    split: &'a Split,
    seed: u64,
    device: &'a Device,
    scale: &'a ChannelScale,
}

/// Images with what is right about them.
struct Batch {
    images: Tensor<4>,
    targets: Tensor<2>,
}

impl Setting<'_> {
    /// One pass over the training images.
    fn epoch(
        &self,
        state: &mut State,
        plain: &Device,
        progress: &dyn Progress,
    ) -> Result<RelaxedEpoch, TrainError> {
        let weights = &self.recipe.weights;
        let done = state.epochs.len() as u32;
        let index = u64::from(done);
        let rate = cosine(done, weights.cosine_epochs, weights.learning_rate, weights.learning_rate_min);
        let mut order = self.split.train.clone();
        shuffle(&mut order, &mut rng_for(self.seed, "order", index));
        let mut of_mixtures = self.split.held_out.clone();
        shuffle(&mut of_mixtures, &mut rng_for(self.seed, "mixture order", index));
        let mut of_mixtures = of_mixtures.chunks(weights.batch).cycle().skip(state.position.step);
        let mut rng = rng_for(self.seed, "augment", index);
        rng.set_word_pos(state.position.augment);
        let keep_going = || if progress.should_stop() { Err(TrainError::Interrupted) } else { Ok(()) };
        for images in order.chunks(weights.batch).skip(state.position.step) {
            keep_going()?;
            let training = self.batch(images, &mut rng);
            let validation = self.batch(of_mixtures.next().expect("there are held-out images"), &mut rng);
            self.mixture_step(state, &training, &validation, rate);
            let loss = self.weight_step(state, &training, rate);
            if !loss.is_finite() {
                return Err(TrainError::NotFinite { epoch: done + 1, loss });
            }
            state.position = Position {
                step: state.position.step + 1,
                loss_sum: state.position.loss_sum + loss * images.len() as f64,
                augment: rng.get_word_pos(),
            };
        }
        let network = state.network.valid();
        let mixtures = Mixtures::plain(&state.relaxation, plain);
        let classify = |inputs| network.forward(inputs, &mixtures, &mut Pass::Eval);
        let held_out = self.split.held_out.chunks(BATCH);
        let accuracy = judge(&self.split.data, held_out, self.scale, plain, classify, keep_going)?.accuracy;
        let report = EpochReport {
            epoch: done + 1,
            epochs: weights.epochs,
            train_loss: state.position.loss_sum / self.split.train.len() as f64,
            value: Some(accuracy),
            learning_rate: rate,
        };
        let genotype = DartsSpace::default().format(&state.relaxation.derive());
        let entropy = [CellRole::Normal, CellRole::Reduction].map(|role| state.relaxation.entropy(role));
        Ok(RelaxedEpoch { report, genotype, entropy })
    }

    fn batch(&self, images: &[usize], rng: &mut ChaCha8Rng) -> Batch {
        let data = &self.split.data;
        let Setting { recipe: RelaxedRecipe { weights, .. }, .. } = self;
        let (images, labels) = batch_of(data, images, self.device, |image, inputs| {
            varied(data, image, self.scale, &weights.augmentation, rng, inputs);
        });
        let targets = target_rows(&labels, data.classes.len(), weights.label_smoothing, self.device);
        Batch { images, targets }
    }

    fn mixture_step(&self, state: &mut State, training: &Batch, validation: &Batch, rate: f64) {
        let State { network, relaxation, sgd, adam, .. } = state;
        let on = |batch: &Batch| {
            let (images, targets) = (batch.images.clone(), batch.targets.clone());
            move |network: &RelaxedNetwork, mixtures: &Mixtures| {
                // The norms' running statistics are moved by the steps of the weights alone.
                loss(network, mixtures, &images, &targets, &mut Vec::new())
            }
        };
        let gradient = match self.recipe.order {
            Order::First => first_order(network, relaxation, self.device, on(validation)),
            Order::Second => {
                let weights = &self.recipe.weights;
                let step = Virtual {
                    rate,
                    momentum: weights.momentum,
                    weight_decay: weights.weight_decay,
                    buffers: &sgd.buffers,
                };
                second_order(network, relaxation, self.device, &step, on(training), on(validation))
            }
        };
        adam.step(relaxation, &gradient, &self.recipe.mixtures);
    }

    /// Returns the loss before the step, or the norm of its gradient if that is no finite number.
    fn weight_step(&self, state: &mut State, training: &Batch, rate: f64) -> f64 {
        let mixtures = Mixtures::new(&state.relaxation, self.device);
        let mut statistics = Vec::new();
        let loss = loss(&state.network, &mixtures, &training.images, &training.targets, &mut statistics);
        let value = f64::from(loss.clone().into_scalar::<f32>());
        if !value.is_finite() {
            return value;
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &state.network);
        let (network, norm) = state.sgd.step(state.network.clone(), gradients, rate);
        state.network = network.apply_statistics(statistics);
        if norm.is_finite() { value } else { norm }
    }
}

fn loss(
    network: &RelaxedNetwork,
    mixtures: &Mixtures,
    images: &Tensor<4>,
    targets: &Tensor<2>,
    statistics: &mut Vec<BatchStatistics>,
) -> Tensor<1> {
    let mut pass = Pass::Train(TrainPass::without_dropping(statistics));
    cross_entropy(network.forward(images.clone(), mixtures, &mut pass), targets.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nao_space::Quiet;

    use super::*;
    use crate::data::digits;
    use crate::recipe::{Recipe, Structure};

    fn recipe(order: Order) -> RelaxedRecipe {
        let small = RelaxedRecipe::small(order, &digits());
        let structure = Structure { width: 2, ..small.weights.structure };
        let weights = Recipe { epochs: 2, batch: 32, cosine_epochs: 2, structure, ..small.weights };
        RelaxedRecipe { weights, ..small }
    }

    /// Few images, half of them for the mixtures.
    fn split() -> Split {
        let mut split = Split::validation(Arc::new(digits()), 750, 1).unwrap();
        split.train.truncate(64);
        split.held_out.truncate(64);
        split
    }

    struct StopAfter(u32);

    impl Progress for StopAfter {
        fn epoch(&mut self, _: &EpochReport) {
            self.0 -= 1;
        }

        fn should_stop(&self) -> bool {
            self.0 == 0
        }
    }

    #[test]
    fn a_search_that_was_stopped_goes_on_to_the_same_cells() {
        for order in [Order::First, Order::Second] {
            let (recipe, split) = (recipe(order), split());
            let folder = tempfile::tempdir().unwrap();
            let options = RelaxedOptions { checkpoint: Some(folder.path().join("search.safetensors")) };
            let search = |options: &RelaxedOptions, progress: &mut dyn Progress| {
                search_relaxed(&recipe, &split, 5, &Device::flex(), options, progress)
            };
            let whole = search(&RelaxedOptions::default(), &mut Quiet).unwrap();
            assert_eq!(whole.epochs.len(), 2);
            assert!(whole.epochs[1].report.train_loss < whole.epochs[0].report.train_loss);
            assert_eq!(DartsSpace::default().check(&whole.arch), Ok(()));
            let stopped = search(&options, &mut StopAfter(1));
            assert!(matches!(stopped, Err(RelaxedError::Training(TrainError::Interrupted))));
            let resumed = search(&options, &mut Quiet).unwrap();
            assert_eq!(resumed.relaxation, whole.relaxation);
            assert_eq!(resumed.epochs, whole.epochs);
            let other = RelaxedRecipe { initial_deviation: 0.5, ..recipe.clone() };
            let error = search_relaxed(&other, &split, 5, &Device::flex(), &options, &mut Quiet).unwrap_err();
            assert!(error.to_string().contains("recipe"), "{error}");
        }
    }

    /// Operations that carry the images win against those that do not, once there is something to learn.
    #[test]
    fn mixtures_leave_where_they_began() {
        let recipe = RelaxedRecipe { initial_deviation: 0.0, ..recipe(Order::First) };
        let found =
            search_relaxed(&recipe, &split(), 5, &Device::flex(), &RelaxedOptions::default(), &mut Quiet)
                .unwrap();
        let uniform = 8f64.ln();
        assert!(
            found.epochs[1].entropy.iter().all(|&entropy| entropy < uniform - 1e-7),
            "{:?}",
            found.epochs
        );
        assert!(found.epochs[1].entropy[0] < found.epochs[0].entropy[0]);
        assert!(recipe.check(&digits()).is_ok());
        let wrong = RelaxedRecipe { initial_deviation: f64::NAN, ..recipe };
        assert!(wrong.check(&digits()).unwrap_err().to_string().contains("initial_deviation"));
    }
}
