//! The search loop: a step of the mixtures on validation images, a step of the weights on training images.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use nao_space::network::RelaxedPlan;
use nao_space::seed::rng_for;
use nao_space::{CellRole, CnnArch, DartsSpace, EpochReport, Progress, Relaxation, Space};
use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::bilevel::{Virtual, first_order, second_order};
use super::network::{Mixtures, RelaxedNetwork};
use super::recipe::{Order, RelaxedRecipe};
use crate::data::Split;
use crate::data::split::shuffle;
use crate::network::{Pass, TrainPass};
use crate::op::loss::{cross_entropy, target_rows};
use crate::op::norm::BatchStatistics;
use crate::train::checkpoint_writer::CheckpointWriter;
use crate::train::evaluate::{BATCH, judge};
use crate::train::options::TimeBudget;
use crate::train::schedule::cosine;
use crate::train::{ImageBatch, ImageLoader, NotFinite, Sgd, TrainError, TrainOptions, step};
use nao_kernels::nn::standard_normal;

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
/// When the recipe does not fit the data, the loss becomes infinite or NaN, the time is up, `progress` says stop, or a
/// checkpoint fails.
pub fn search_relaxed(
    recipe: &RelaxedRecipe,
    split: &Split,
    seed: u64,
    device: &Device,
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<RelaxedOutcome, TrainError> {
    recipe.check(&split.data)?;
    let plan = RelaxedPlan::new(&recipe.skeleton(&split.data))?;
    let plain = device.clone().without_autodiff();
    let device = plain.clone().autodiff();
    let loader = ImageLoader::new(split, recipe.weights.augmentation, &device);
    let search = Search { recipe, split, seed, plain, device, loader, time: TimeBudget::starting(options) };
    let mut writer = CheckpointWriter::new(options);
    let load = |path: &Path| search.fresh(&plan).load(recipe, seed, path);
    let earlier = writer.earlier(load, progress)?;
    let mut state = earlier.unwrap_or_else(|| search.fresh(&plan));
    let save = |state: &State, path: &Path| state.save(recipe, seed, path);
    while (state.epochs.len() as u32) < recipe.weights.epochs {
        let epoch = search.epoch(&mut state, &*progress);
        let epoch = writer.saved_if_interrupted(epoch, |path| save(&state, path), progress)?;
        progress.epoch(&epoch.report);
        state.epochs.push(epoch);
        state.position = Position::default();
        writer.epoch_is_over(|path| save(&state, path), progress)?;
    }
    let State { relaxation, epochs, .. } = state;
    Ok(RelaxedOutcome { arch: relaxation.derive(), relaxation, epochs })
}

/// What stays the same over the epochs.
struct Search<'a> {
    recipe: &'a RelaxedRecipe,
    split: &'a Split,
    seed: u64,
    plain: Device,
    /// With autodiff.
    device: Device,
    loader: ImageLoader,
    time: TimeBudget,
}

/// Images with what is right about them.
struct Batch {
    images: Tensor<4>,
    targets: Tensor<2>,
}

impl Search<'_> {
    /// The state before the first epoch.
    fn fresh(&self, plan: &RelaxedPlan) -> State {
        let mut logits = rng_for(self.seed, "mixtures", 0);
        State {
            network: RelaxedNetwork::new(plan, &mut rng_for(self.seed, "weights", 0), &self.device),
            sgd: Sgd::new(self.recipe.weights.sgd()),
            relaxation: Relaxation::of(|| self.recipe.initial_deviation * standard_normal(&mut logits)),
            adam: Adam::new(),
            epochs: Vec::new(),
            position: Position::default(),
        }
    }

    /// One pass over the training images, or what is left of it.
    fn epoch(&self, state: &mut State, progress: &dyn Progress) -> Result<RelaxedEpoch, TrainError> {
        let weights = &self.recipe.weights;
        let done = state.epochs.len() as u32;
        let rate = cosine(done, weights.cosine_epochs, weights.learning_rate, weights.learning_rate_min);
        self.train(state, rate, progress)?;
        let report = EpochReport {
            epoch: done + 1,
            epochs: weights.epochs,
            train_loss: state.position.loss_sum / self.split.train.len() as f64,
            value: Some(self.accuracy(state, progress)?),
            learning_rate: rate,
        };
        let genotype = DartsSpace::default().format(&state.relaxation.derive());
        let entropy = [CellRole::Normal, CellRole::Reduction].map(|role| state.relaxation.entropy(role));
        Ok(RelaxedEpoch { report, genotype, entropy })
    }

    /// A step of the mixtures and a step of the weights for each batch that is left. Where it is broken off, the state is
    /// that after the last batch.
    fn train(&self, state: &mut State, rate: f64, progress: &dyn Progress) -> Result<(), TrainError> {
        let (index, batch) = (state.epochs.len() as u64, self.recipe.weights.batch);
        let rng = |purpose| rng_for(self.seed, purpose, index);
        let batches = self.loader.batches(&self.split.train, batch, rng("order"), rng("augment"));
        let mut batches = batches.resumed(state.position.step, state.position.augment);
        let mut of_mixtures = self.split.held_out.clone();
        shuffle(&mut of_mixtures, &mut rng("mixture order"));
        let mut of_mixtures = of_mixtures.chunks(batch).cycle().skip(state.position.step);
        while let Some(training) = batches.next() {
            self.time.check(progress)?;
            let images = training.labels.len();
            let training = self.with_targets(training);
            let others = of_mixtures.next().expect("there are held-out images");
            let validation = self.with_targets(batches.batch_of_others(others));
            self.mixture_step(state, &training, &validation, rate);
            let loss = self
                .weight_step(state, &training, rate)
                .map_err(|error| TrainError::not_finite(index as u32 + 1, error))?;
            state.position = Position {
                step: batches.step(),
                loss_sum: state.position.loss_sum + loss * images as f64,
                augment: batches.words(),
            };
        }
        Ok(())
    }

    /// The accuracy on the images that the mixtures learn from.
    fn accuracy(&self, state: &State, progress: &dyn Progress) -> Result<f64, TrainError> {
        let network = state.network.valid();
        let mixtures = Mixtures::plain(&state.relaxation, &self.plain);
        let classify = |inputs| network.forward(inputs, &mixtures, &mut Pass::Eval);
        let keep_going = || self.time.check(progress);
        let (data, held_out) = (&self.split.data, self.split.held_out.chunks(BATCH));
        Ok(judge(data, held_out, &self.loader.scale, &self.plain, classify, keep_going)?.accuracy)
    }

    fn with_targets(&self, ImageBatch { inputs, labels }: ImageBatch) -> Batch {
        let (classes, smoothing) = (self.split.data.classes.len(), self.recipe.weights.label_smoothing);
        Batch { images: inputs, targets: target_rows(&labels, classes, smoothing, &self.device) }
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
            Order::First => first_order(network, relaxation, &self.device, on(validation)),
            Order::Second => {
                let weights = &self.recipe.weights;
                let step = Virtual {
                    rate,
                    momentum: weights.momentum,
                    weight_decay: weights.weight_decay,
                    buffers: sgd.buffers(),
                };
                second_order(network, relaxation, &self.device, &step, on(training), on(validation))
            }
        };
        adam.step(relaxation, &gradient, &self.recipe.mixtures);
    }

    /// Returns the loss before the step.
    fn weight_step(&self, state: &mut State, training: &Batch, rate: f64) -> Result<f64, NotFinite> {
        let mixtures = Mixtures::new(&state.relaxation, &self.device);
        let taken = step(&state.network, &mut state.sgd, rate, |network, statistics| {
            loss(network, &mixtures, &training.images, &training.targets, statistics)
        });
        let (network, loss) = taken?.finite()?;
        state.network = network;
        Ok(loss)
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
            let options = TrainOptions::kept_at(folder.path().join("search.safetensors"));
            let search = |options: &TrainOptions, progress: &mut dyn Progress| {
                search_relaxed(&recipe, &split, 5, &Device::flex(), options, progress)
            };
            let whole = search(&TrainOptions::default(), &mut Quiet).unwrap();
            assert_eq!(whole.epochs.len(), 2);
            assert!(whole.epochs[1].report.train_loss < whole.epochs[0].report.train_loss);
            assert_eq!(DartsSpace::default().check(&whole.arch), Ok(()));
            let stopped = search(&options, &mut StopAfter(1));
            assert!(matches!(stopped, Err(TrainError::Interrupted)));
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
            search_relaxed(&recipe, &split(), 5, &Device::flex(), &TrainOptions::default(), &mut Quiet)
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
