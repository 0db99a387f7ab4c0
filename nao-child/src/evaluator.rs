//! Architectures measured by training them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use nao_space::network::NetworkPlan;
use nao_space::{
    Checkpointing, CnnArch, EvaluationError, Evaluator, Measurement, Objective, Progress, Trial, quantity,
};

use crate::data::{ImageData, Split};
use crate::recipe::{Recipe, RecipeError};
use crate::train::{OnCheckpointError, TrainOptions, Training};

/// Trains every architecture from scratch and measures its validation accuracy.
///
/// The value is that of the epoch named by the recipe's [`Score`](crate::recipe::Score). It depends on the
/// trial's architecture and seed, the recipe and the data, on nothing else.
///
/// `extra` holds `train_loss` (mean of the last epoch), `held_out_loss` and `last_accuracy` (after the last
/// epoch), and `scored_epoch`.
pub struct TrainEvaluator {
    split: Split,
    recipe: Recipe,
    device: Device,
    time_limit: Option<Duration>,
}

impl TrainEvaluator {
    /// An evaluator that trains on a part of `data` and validates on the rest of its development images,
    /// split as the recipe says. The test images are not looked at.
    ///
    /// # Errors
    /// When the recipe is for other data, has a value out of range, or leaves no images on one side.
    pub fn new(data: Arc<ImageData>, recipe: Recipe, device: Device) -> Result<Self, RecipeError> {
        recipe.check(&data)?;
        let split = recipe.split(&data)?;
        Ok(TrainEvaluator { split, recipe, device: device.without_autodiff(), time_limit: None })
    }

    /// Gives up on trials that take longer; where a trial is tried in pieces, on pieces.
    #[must_use]
    pub fn with_time_limit(self, limit: Option<Duration>) -> Self {
        TrainEvaluator { time_limit: limit, ..self }
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The images trained on and validated on.
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// The network that an architecture becomes.
    ///
    /// # Errors
    /// When it does not fit the images: says which sizes.
    pub fn plan(&self, arch: &CnnArch) -> Result<NetworkPlan, EvaluationError> {
        NetworkPlan::new(arch, &self.recipe.skeleton(&self.split.data))
            .map_err(|error| EvaluationError::Unsuitable { message: error.to_string() })
    }

    fn train(
        &self,
        trial: &Trial<CnnArch>,
        checkpoint: Option<&Checkpointing>,
        progress: &mut dyn Progress,
    ) -> Result<Measurement, EvaluationError> {
        let started = Instant::now();
        let plan = self.plan(&trial.arch)?;
        let options = TrainOptions {
            checkpoint: checkpoint.cloned(),
            on_checkpoint_error: OnCheckpointError::Warn,
            time_limit: self.time_limit,
        };
        let (recipe, split) = (self.recipe.clone(), self.split.clone());
        let training = Training::of_plan(plan, recipe, split)?.seed(trial.seed).device(self.device.clone());
        let trained = training.options(options).run_with(progress)?;
        let cost = trained.plan.cost();
        Ok(Measurement::new(self.objective(), trained.accuracy)
            .at(self.recipe.fidelity())
            .with_cost(cost.params, cost.macs)
            .in_seconds(started.elapsed().as_secs_f64())
            .with(quantity::TRAIN_LOSS, trained.train_loss)
            .with(quantity::HELD_OUT_LOSS, trained.last.loss)
            .with(quantity::LAST_ACCURACY, trained.last.accuracy)
            .with(quantity::SCORED_EPOCH, f64::from(trained.scored_epoch)))
    }
}

impl Evaluator<CnnArch> for TrainEvaluator {
    fn objective(&self) -> Objective {
        Objective::validation_accuracy()
    }

    fn evaluate(
        &self,
        trial: &Trial<CnnArch>,
        progress: &mut dyn Progress,
    ) -> Result<Measurement, EvaluationError> {
        panics_are_outcomes(|| self.train(trial, None, progress))
    }

    fn evaluate_resumably(
        &self,
        trial: &Trial<CnnArch>,
        checkpoint: &Checkpointing,
        progress: &mut dyn Progress,
    ) -> Result<Measurement, EvaluationError> {
        panics_are_outcomes(|| self.train(trial, Some(checkpoint), progress))
    }
}

/// Evaluates; nothing but a whole file outlives a trial, so nothing can be left half changed by a panic.
pub(crate) fn panics_are_outcomes(
    evaluate: impl FnOnce() -> Result<Measurement, EvaluationError>,
) -> Result<Measurement, EvaluationError> {
    catch_unwind(AssertUnwindSafe(evaluate))
        .unwrap_or_else(|panic| Err(EvaluationError::Panicked { message: panic_message(&*panic) }))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
