//! Whole trainings on the digits: determinism, learning, failures, resumption.

use std::sync::Arc;
use std::time::Duration;

use burn::tensor::Device;
use nao_child::train::checkpoint::open_network;
use nao_child::train::evaluate;
use nao_child::{ImageData, Recipe, Split, TrainError, TrainEvaluator, TrainOptions, Training, digits};
use nao_space::network::NetworkPlan;
use nao_space::seed::rng_for;
use nao_space::{
    CnnArch, CnnSpace, EpochReport, EvaluationError, Evaluator, Measurement, Progress, Quiet, Space, Trial,
    TrialId,
};

fn arch(index: u64) -> CnnArch {
    CnnSpace::default().sample(&mut rng_for(11, "arch", index))
}

fn recipe() -> Recipe {
    let mut recipe = Recipe { epochs: 2, cosine_epochs: 2, ..Recipe::named("digits").unwrap() };
    recipe.structure.width = 4;
    recipe.dropout_keep = 0.8;
    recipe.drop_path_keep = 0.8;
    recipe.augmentation.crop_padding = 1;
    recipe
}

fn evaluator(recipe: Recipe) -> TrainEvaluator {
    TrainEvaluator::new(Arc::new(digits()), recipe, Device::flex()).unwrap()
}

fn trial(index: u64) -> Trial<CnnArch> {
    Trial { id: TrialId(index), arch: arch(index), seed: 100 + index }
}

fn measure(recipe: Recipe, index: u64) -> Measurement {
    let mut measurement = evaluator(recipe).evaluate(&trial(index), &mut Quiet).unwrap();
    measurement.seconds = 0.0;
    measurement
}

#[test]
fn equal_trials_give_equal_bits_and_other_seeds_do_not() {
    let first = measure(recipe(), 1);
    assert_eq!(first, measure(recipe(), 1));
    let other = evaluator(recipe()).evaluate(&Trial { seed: 7, ..trial(1) }, &mut Quiet).unwrap();
    assert_ne!(first.extra["train_loss"], other.extra["train_loss"]);
    assert_eq!((first.params, first.macs), (other.params, other.macs));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| measure(recipe(), 2))
    };
    assert_eq!(with(1), with(2));
}

/// Overfits a handful of digits to near zero loss.
#[test]
fn a_handful_of_digits_is_learnt_by_heart() {
    let all = digits();
    let few = 16;
    let data = ImageData {
        pixels: all.pixels[..2 * few * all.shape.len()].to_vec(),
        labels: all.labels[..2 * few].to_vec(),
        development: 2 * few,
        ..all
    };
    let mut recipe = Recipe { epochs: 60, cosine_epochs: 60, batch: few, ..recipe() };
    recipe.dropout_keep = 1.0;
    recipe.drop_path_keep = 1.0;
    recipe.augmentation.crop_padding = 0;
    let split = Split::validation(Arc::new(data), few, 1).unwrap();
    let plan = NetworkPlan::new(&arch(3), &recipe.skeleton(&split.data)).unwrap();
    let trained = Training::of_plan(plan, recipe, split).unwrap().seed(1).run().unwrap();
    assert!(trained.train_loss < 0.02, "loss {}", trained.train_loss);
}

#[test]
fn a_diverging_training_fails_with_its_epoch() {
    let mut recipe = recipe();
    recipe.learning_rate = 1e30;
    recipe.clip = 0.0;
    let error = evaluator(recipe).evaluate(&trial(1), &mut Quiet).unwrap_err();
    assert!(matches!(error, EvaluationError::NotFinite { epoch: 1, .. }), "{error:?}");
}

#[test]
fn a_time_limit_ends_a_trial() {
    let evaluator = evaluator(recipe()).with_time_limit(Some(Duration::from_millis(1)));
    let error = evaluator.evaluate(&trial(1), &mut Quiet).unwrap_err();
    assert_eq!(error, EvaluationError::TimeLimit { seconds: 0.001 });
}

#[test]
fn images_that_cannot_be_halved_twice_are_unsuitable() {
    let all = digits();
    let (height, area) = (6, 6 * 8);
    let mut data = ImageData { pixels: Vec::new(), ..all.clone() };
    data.shape.height = height;
    for image in 0..all.len() {
        data.pixels.extend_from_slice(&all.image(image)[..area]);
    }
    let evaluator = TrainEvaluator::new(Arc::new(data), recipe(), Device::flex()).unwrap();
    let error = evaluator.evaluate(&trial(1), &mut Quiet).unwrap_err();
    assert!(
        matches!(&error, EvaluationError::Unsuitable { message } if message.contains("3x4")),
        "{error:?}"
    );
}

/// Stops, or panics, after some epochs; keeps the reports.
struct Until {
    epochs: u32,
    panic: bool,
    seen: Vec<EpochReport>,
}

impl Progress for Until {
    fn epoch(&mut self, report: &EpochReport) {
        assert!(!self.panic, "progress fell over");
        self.seen.push(report.clone());
    }

    fn should_stop(&self) -> bool {
        self.seen.len() >= self.epochs as usize
    }
}

#[test]
fn a_panic_inside_fails_the_trial_alone() {
    let mut progress = Until { epochs: 9, panic: true, seen: vec![] };
    let error = evaluator(recipe()).evaluate(&trial(1), &mut progress).unwrap_err();
    assert_eq!(error, EvaluationError::Panicked { message: "progress fell over".into() });
}

#[test]
fn an_interrupted_training_goes_on_from_its_checkpoint_to_the_same_end() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe { epochs: 3, cosine_epochs: 3, ..recipe() };
    let split = Split::test(Arc::new(digits())).unwrap();
    let plan = NetworkPlan::new(&arch(4), &recipe.skeleton(&split.data)).unwrap();
    let of_seed = |plan: &NetworkPlan, seed| {
        Training::of_plan(plan.clone(), recipe.clone(), split.clone()).unwrap().seed(seed)
    };
    let whole = of_seed(&plan, 5).run().unwrap();
    let options = TrainOptions::kept_at(folder.path().join("child/state.safetensors"));
    let best = folder.path().join("best.safetensors");
    let kept = |training: Training| training.options(options.clone()).keep_best(&best);
    let training = kept(of_seed(&plan, 5));
    let mut until = Until { epochs: 2, panic: false, seen: vec![] };
    let stopped = training.run_with(&mut until).unwrap_err();
    assert!(matches!(stopped, TrainError::Interrupted));
    let resumed = training.run().unwrap();
    assert_eq!((resumed.last, resumed.epochs.clone()), (whole.last, whole.epochs));

    // The file of the best network is the network.
    let device = Device::flex();
    let loaded = open_network(&plan, &best, &device).unwrap();
    let scale = nao_child::data::augment::ChannelScale::new(recipe.augmentation.normalisation, &split);
    let again = evaluate(&loaded, &split.data, &split.held_out, &scale, 250, &device);
    assert_eq!(again, resumed.last);

    // Another seed or another cell is not mixed in.
    let other = kept(of_seed(&plan, 6)).run().unwrap_err();
    assert!(other.to_string().contains("another seed (found 5, expected 6)"), "{other}");
    let other_plan = NetworkPlan::new(&arch(5), &recipe.skeleton(&split.data)).unwrap();
    let other = kept(of_seed(&other_plan, 5)).run().unwrap_err();
    assert!(other.to_string().contains("do not fit the network"), "{other}");
}

#[test]
fn a_damaged_checkpoint_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    std::fs::write(&path, b"not a checkpoint").unwrap();
    let split = Split::test(Arc::new(digits())).unwrap();
    let plan = NetworkPlan::new(&arch(4), &recipe().skeleton(&split.data)).unwrap();
    let training = Training::of_plan(plan, recipe(), split).unwrap();
    let error = training.options(TrainOptions::kept_at(path)).run().unwrap_err();
    assert!(error.to_string().contains("state.safetensors: not a safetensors file of weights"), "{error}");
    assert!(error.to_string().contains("may also be deleted: the training then starts afresh"), "{error}");
}
