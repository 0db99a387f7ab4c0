//! A training of one network on images, from its settings to its result.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::{Device, TensorData};
use nao_space::network::NetworkPlan;
use nao_space::{CnnArch, Progress, Quiet};

use super::error::TrainError;
use super::image::{ImageTraining, Trained, TrainingSettings};
use super::options::TrainOptions;
use crate::data::{ImageData, Split};
use crate::recipe::Recipe;

/// A training of one network on images.
///
/// The result depends on plan, recipe, split, seed and initial tensors alone, not on threads, options or interruptions:
/// weights, order and variation of images, and everything dropped come from generators made of (seed, purpose, epoch).
///
/// ```
/// use std::sync::Arc;
/// use burn::tensor::Device;
/// use nao_child::recipe::Structure;
/// use nao_child::train::checkpoint::open_network;
/// use nao_child::train::evaluate_held_out;
/// use nao_child::{Recipe, Training, digits};
/// use nao_space::seed::rng_for;
/// use nao_space::{CnnSpace, Space};
///
/// let digits_recipe = Recipe::named("digits")?;
/// let structure = Structure { width: 2, ..digits_recipe.structure };
/// let recipe = Recipe { epochs: 1, structure, ..digits_recipe };
/// let arch = CnnSpace::default().sample(&mut rng_for(7, "example", 0));
/// let trained = Training::new(&arch, Arc::new(digits()), recipe.clone())?.seed(7).run()?;
/// println!("validation accuracy {:.3}", trained.accuracy);
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("network.safetensors");
/// trained.save(&file)?;
///
/// let network = open_network(&trained.plan, &file, &Device::flex())?;
/// let split = recipe.split(&Arc::new(digits()))?;
/// assert_eq!(evaluate_held_out(&network, &recipe, &split, &Device::flex()), trained.last);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Training {
    settings: TrainingSettings,
}

impl Training {
    /// Trains an architecture on a part of the images, and judges it by the rest of those that are not for testing, as
    /// the recipe says. Of seed 0 and on the CPU, unless something else is said.
    ///
    /// # Errors
    /// When the recipe does not fit the data, or the network does not fit the images: says which sizes.
    pub fn new(arch: &CnnArch, data: Arc<ImageData>, recipe: Recipe) -> Result<Self, TrainError> {
        recipe.check(&data)?;
        let plan = NetworkPlan::new(arch, &recipe.skeleton(&data))?;
        let split = recipe.split(&data)?;
        Training::of_plan(plan, recipe, split)
    }

    /// Trains the network of a plan on a split.
    ///
    /// # Errors
    /// When the recipe does not fit the data.
    pub fn of_plan(plan: NetworkPlan, recipe: Recipe, split: Split) -> Result<Self, TrainError> {
        recipe.check(&split.data)?;
        let settings = TrainingSettings {
            plan,
            recipe,
            split,
            seed: 0,
            device: Device::flex(),
            options: TrainOptions::default(),
            best: None,
            measures_every_epoch: false,
            initial: BTreeMap::new(),
        };
        Ok(Training { settings })
    }

    /// The seed of weights, order, variation and dropping.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// The device that it runs on; autodiff is added here.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.settings.device = device.without_autodiff();
        self
    }

    /// What surrounds it.
    #[must_use]
    pub fn options(mut self, options: TrainOptions) -> Self {
        self.settings.options = options;
        self
    }

    /// Keeps the network in that file, for use, whenever its held-out accuracy is the best so far (where the recipe's
    /// score is that of the last epoch: at the end).
    #[must_use]
    pub fn keep_best(mut self, file: impl Into<PathBuf>) -> Self {
        self.settings.best = Some(file.into());
        self
    }

    /// Whether the held-out accuracy is measured after every epoch, even where the recipe's score does not need it.
    #[must_use]
    pub fn measure_every_epoch(mut self, measures: bool) -> Self {
        self.settings.measures_every_epoch = measures;
        self
    }

    /// Tensors to start from instead of fresh ones, by their V1 names; the others are drawn. A training that goes on from
    /// a checkpoint has started already and does not use them.
    #[must_use]
    pub fn start_from(mut self, initial: BTreeMap<String, TensorData>) -> Self {
        self.settings.initial = initial;
        self
    }

    /// Trains without anybody who follows.
    ///
    /// # Errors
    /// See [`run_with`](Training::run_with).
    pub fn run(&self) -> Result<Trained, TrainError> {
        self.run_with(&mut Quiet)
    }

    /// Trains, and reports every epoch.
    ///
    /// # Errors
    /// When initial tensors do not fit, the loss becomes infinite or NaN, the time is up, `progress` says stop, or a
    /// checkpoint fails.
    pub fn run_with(&self, progress: &mut dyn Progress) -> Result<Trained, TrainError> {
        ImageTraining::begin(&self.settings, progress)?.finish(progress)
    }
}
