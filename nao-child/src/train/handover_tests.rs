//! Trials that are handed from one process to another, within and between epochs, end as if nobody had stopped them.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use burn::tensor::Device;
use nao_space::{
    Checkpointing, CnnArch, CnnSpace, EpochReport, EvaluationError, Evaluator, Measurement, OpSet, Progress,
    Quiet, Space, Trial, TrialId,
};
use serde_json::Value;

use super::tensor_file::{read_texts, write};
use crate::data::ImageData;
use crate::recipe::{Recipe, Score};
use crate::{TrainEvaluator, digits};

/// Says stop after some batches, of training or of what it is judged by; keeps what it hears.
pub(crate) struct Piece {
    batches: u32,
    asked: Cell<u32>,
    pub epochs: Vec<EpochReport>,
    pub warnings: Vec<String>,
}

impl Piece {
    pub fn of(batches: u32) -> Self {
        Piece { batches, asked: Cell::new(0), epochs: Vec::new(), warnings: Vec::new() }
    }

    pub fn endless() -> Self {
        Piece::of(u32::MAX)
    }
}

impl Progress for Piece {
    fn epoch(&mut self, report: &EpochReport) {
        self.epochs.push(report.clone());
    }

    fn warning(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }

    fn should_stop(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.asked.get() > self.batches
    }
}

/// What is known of a trial when it is over, however many processes it took.
#[derive(Debug, PartialEq)]
pub(crate) struct FinishedTraining {
    pub measurement: Measurement,
    pub epochs: Vec<EpochReport>,
    pub warnings: Vec<String>,
    /// The file after the last epoch: weights, momentum, averages, scores and reports, to the bit.
    pub file: Vec<u8>,
}

/// Tries in pieces of so many batches, each of which knows the file alone. Returns the number of pieces, too.
pub(crate) fn in_pieces<A>(
    evaluator: &impl Evaluator<A>,
    trial: &Trial<A>,
    folder: &Path,
    batches: u32,
) -> (FinishedTraining, u32) {
    let checkpoint = Checkpointing::every_epoch(folder.join(format!("{batches}.safetensors")));
    let mut pieces = 1;
    let (mut epochs, mut warnings) = (Vec::new(), Vec::new());
    loop {
        let mut piece = Piece::of(batches);
        let outcome = evaluator.evaluate_resumably(trial, &checkpoint, &mut piece);
        epochs.append(&mut piece.epochs);
        warnings.append(&mut piece.warnings);
        match outcome {
            Ok(measurement) => {
                let measurement = Measurement { seconds: 0.0, ..measurement };
                let file = fs::read(&checkpoint.path).unwrap();
                return (FinishedTraining { measurement, epochs, warnings, file }, pieces);
            }
            Err(error) => assert_eq!(error, EvaluationError::Interrupted),
        }
        pieces += 1;
        assert!(pieces < 1000, "no piece gets on: {warnings:?}");
    }
}

/// Files that no training can go on with, made of one that it can: what is wrong, and the bytes.
pub(crate) fn torn(whole: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("cut off in the header", whole[..40].to_vec()),
        ("cut off in the tensors", whole[..whole.len() - 100].to_vec()),
        ("garbage", vec![0xa5; whole.len()]),
    ]
}

/// Checks that a trial whose file is `bytes` warns once, starts afresh and ends as always.
pub(crate) fn starts_afresh<A>(
    evaluator: &impl Evaluator<A>,
    trial: &Trial<A>,
    checkpoint: &Checkpointing,
    (what, bytes): (&str, Vec<u8>),
    whole: &FinishedTraining,
) {
    fs::write(&checkpoint.path, bytes).unwrap();
    let mut piece = Piece::endless();
    let measurement = evaluator.evaluate_resumably(trial, checkpoint, &mut piece).unwrap();
    assert_eq!(Measurement { seconds: 0.0, ..measurement }, whole.measurement, "{what}");
    assert_eq!(piece.epochs, whole.epochs, "{what}");
    assert!(fs::read(&checkpoint.path).unwrap() == whole.file, "{what}: another end");
    let [warning] = &piece.warnings[..] else { panic!("{what}: {:?}", piece.warnings) };
    assert!(warning.starts_with("the training starts afresh: "), "{what}: {warning}");
}

/// Takes from a checkpoint what earlier versions did not write.
pub(crate) fn as_before_positions(path: &Path, later: [&str; 2]) {
    let (tensors, text) = read_texts(path).unwrap();
    let mut meta: Value = serde_json::from_str(&text.unwrap()).unwrap();
    for field in later {
        assert!(meta.as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    write(tensors, Some(&meta), path).unwrap();
}

const IMAGES: usize = 60;
const BATCH: usize = 4;
const EPOCHS: u32 = 3;
/// 30 images in batches of 4; the last has 2.
const STEPS: u32 = 8;

/// Everything random is on, and every kind of state there is: momentum, running statistics, the best epoch.
fn recipe() -> Recipe {
    let mut recipe = Recipe {
        epochs: EPOCHS,
        cosine_epochs: EPOCHS,
        batch: BATCH,
        nesterov: true,
        dropout_keep: 0.8,
        drop_path_keep: 0.6,
        validation_fraction: 0.5,
        score: Score::BestEpoch,
        ..Recipe::named("digits").unwrap()
    };
    recipe.structure.width = 2;
    recipe.augmentation.flip = true;
    recipe.augmentation.cutout = 3;
    recipe
}

fn evaluator(recipe: Recipe) -> TrainEvaluator {
    let all = digits();
    let pixels = all.pixels[..IMAGES * all.shape.len()].to_vec();
    let few = ImageData { pixels, labels: all.labels[..IMAGES].to_vec(), development: IMAGES, ..all };
    TrainEvaluator::new(Arc::new(few), recipe, Device::flex()).unwrap()
}

fn trial(cell: &str, seed: u64) -> Trial<CnnArch> {
    let space = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    Trial { id: TrialId(1), arch: space.parse(&format!("{cell} {cell}")).unwrap(), seed }
}

/// A separable convolution, a maximum pool, another convolution, the identity.
const CELL: &str = "0 0 1 3 2 1 1 4";

/// The same tensors: the pool is of averages.
const OTHER_CELL: &str = "0 0 1 2 2 1 1 4";

fn whole(folder: &Path) -> FinishedTraining {
    let (whole, pieces) = in_pieces(&evaluator(recipe()), &trial(CELL, 5), folder, u32::MAX);
    assert_eq!((pieces, whole.warnings.len()), (1, 0));
    whole
}

#[test]
fn a_trial_cut_anywhere_ends_as_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (evaluator, trial) = (evaluator(recipe()), trial(CELL, 5));
    let whole = whole(folder.path());
    let plain = evaluator.evaluate(&trial, &mut Quiet).unwrap();
    assert_eq!(Measurement { seconds: 0.0, ..plain }, whole.measurement);
    // After those of training one batch judges.
    let steps = STEPS + 1;
    for batches in [1, 3, 5, STEPS, steps, steps + 1, 2 * steps - 1] {
        let (over, pieces) = in_pieces(&evaluator, &trial, folder.path(), batches);
        assert_eq!(pieces, (EPOCHS * steps).div_ceil(batches), "pieces of {batches} batches");
        assert!(over == whole, "pieces of {batches} batches end otherwise");
    }
}

/// As when a job is stopped while it loads its data.
#[test]
fn a_trial_stopped_before_its_first_batch_leaves_a_file_to_go_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let (evaluator, trial) = (evaluator(recipe()), trial(CELL, 5));
    let whole = whole(folder.path());
    let checkpoint = Checkpointing::every_epoch(folder.path().join("sub/trial.safetensors"));
    for batches in [0, STEPS + 1, 0] {
        let stopped = evaluator.evaluate_resumably(&trial, &checkpoint, &mut Piece::of(batches));
        assert_eq!(stopped, Err(EvaluationError::Interrupted));
        assert!(checkpoint.path.is_file());
    }
    let mut piece = Piece::endless();
    let measurement = evaluator.evaluate_resumably(&trial, &checkpoint, &mut piece).unwrap();
    assert_eq!(Measurement { seconds: 0.0, ..measurement }, whole.measurement);
    assert_eq!(piece.epochs, whole.epochs[1..]);
    assert!(fs::read(&checkpoint.path).unwrap() == whole.file);
}

/// As when somebody else was first, and has cleared everything away.
#[test]
fn a_folder_that_is_removed_is_not_made_again() {
    struct Removing<'a>(&'a std::path::Path, Piece);

    impl Progress for Removing<'_> {
        fn epoch(&mut self, report: &EpochReport) {
            let _ = fs::remove_dir_all(self.0);
            self.1.epoch(report);
        }

        fn warning(&mut self, message: &str) {
            self.1.warning(message);
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let (evaluator, trial) = (evaluator(recipe()), trial(CELL, 5));
    let plain = evaluator.evaluate(&trial, &mut Quiet).unwrap();
    let sub = folder.path().join("sub");
    fs::create_dir(&sub).unwrap();
    let checkpoint = Checkpointing::every_epoch(sub.join("trial.safetensors"));
    let mut removing = Removing(&sub, Piece::endless());
    let measurement = evaluator.evaluate_resumably(&trial, &checkpoint, &mut removing).unwrap();
    assert_eq!(measurement.value, plain.value);
    let warnings = &removing.1.warnings;
    assert!(
        !warnings.is_empty() && warnings.iter().all(|warning| warning.contains("is gone")),
        "{warnings:?}"
    );
    assert!(!sub.exists());
}

#[test]
fn a_file_that_is_torn_or_of_another_training_costs_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let evaluator = evaluator(recipe());
    let whole = whole(folder.path());
    let checkpoint = Checkpointing::every_epoch(folder.path().join("trial.safetensors"));
    let stopped = |trial: &Trial<CnnArch>, evaluator: &TrainEvaluator| {
        let _ = fs::remove_file(&checkpoint.path);
        let stopped = evaluator.evaluate_resumably(trial, &checkpoint, &mut Piece::of(STEPS + 2));
        assert_eq!(stopped, Err(EvaluationError::Interrupted));
        fs::read(&checkpoint.path).unwrap()
    };
    let trial = trial(CELL, 5);
    let mut files = torn(&stopped(&trial, &evaluator));
    files.push(("another seed", stopped(&self::trial(CELL, 6), &evaluator)));
    files.push(("another cell", stopped(&self::trial(OTHER_CELL, 5), &evaluator)));
    let slower = self::evaluator(Recipe { learning_rate: 0.01, ..recipe() });
    files.push(("another recipe", stopped(&trial, &slower)));
    for file in files {
        starts_afresh(&evaluator, &trial, &checkpoint, file, &whole);
    }
}

#[test]
fn a_file_that_cannot_be_written_costs_warnings() {
    let folder = tempfile::tempdir().unwrap();
    let (evaluator, trial) = (evaluator(recipe()), trial(CELL, 5));
    let whole = whole(folder.path());
    let no_folder = folder.path().join("file");
    fs::write(&no_folder, "in the way").unwrap();
    let checkpoint = Checkpointing::every_epoch(no_folder.join("trial.safetensors"));
    let mut piece = Piece::endless();
    let measurement = evaluator.evaluate_resumably(&trial, &checkpoint, &mut piece).unwrap();
    assert_eq!(Measurement { seconds: 0.0, ..measurement }, whole.measurement);
    assert_eq!(piece.warnings.len(), EPOCHS as usize);
    assert!(piece.warnings[0].contains("cannot be written"), "{:?}", piece.warnings);
    let mut piece = Piece::of(2);
    let stopped = evaluator.evaluate_resumably(&trial, &checkpoint, &mut piece);
    assert_eq!((stopped, piece.warnings.len()), (Err(EvaluationError::Interrupted), 1));
}

#[test]
fn a_file_from_before_positions_were_kept_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let (evaluator, trial) = (evaluator(recipe()), trial(CELL, 5));
    let whole = whole(folder.path());
    let checkpoint = Checkpointing::every_epoch(folder.path().join("trial.safetensors"));
    let stopped = evaluator.evaluate_resumably(&trial, &checkpoint, &mut Piece::of(STEPS + 1));
    assert_eq!(stopped, Err(EvaluationError::Interrupted));
    as_before_positions(&checkpoint.path, ["position", "cells"]);
    let mut piece = Piece::endless();
    let measurement = evaluator.evaluate_resumably(&trial, &checkpoint, &mut piece).unwrap();
    assert_eq!(Measurement { seconds: 0.0, ..measurement }, whole.measurement);
    assert_eq!((piece.epochs, piece.warnings), (whole.epochs[1..].to_vec(), Vec::new()));
    assert!(fs::read(&checkpoint.path).unwrap() == whole.file);
}

/// Looks at each epoch whether the one before was saved.
struct Saved<'a> {
    path: &'a Path,
    seen: Vec<bool>,
}

impl Progress for Saved<'_> {
    fn epoch(&mut self, _: &EpochReport) {
        self.seen.push(self.path.is_file());
    }
}

#[test]
fn epochs_are_saved_no_oftener_than_the_interval() {
    let folder = tempfile::tempdir().unwrap();
    let (evaluator, trial) = (evaluator(recipe()), trial(CELL, 5));
    let saves = [("often", Duration::ZERO, true), ("seldom", Duration::MAX, false)];
    for (name, interval, between) in saves {
        let checkpoint = Checkpointing { path: folder.path().join(name), interval };
        let mut saved = Saved { path: &checkpoint.path, seen: Vec::new() };
        evaluator.evaluate_resumably(&trial, &checkpoint, &mut saved).unwrap();
        assert_eq!(saved.seen, [false, between, between], "{name}");
        assert_eq!(checkpoint.path.is_file(), between, "{name}");
    }
}
