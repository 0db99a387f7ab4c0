//! As for images: trainings of language models that are handed on end as if nobody had stopped them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use nao_space::seed::rng_for;
use nao_space::{
    Checkpointing, EpochReport, EvaluationError, Evaluator, Measurement, Progress, Quiet, RnnArch, RnnSpace,
    Space, Trial, TrialId,
};
use rand::RngExt;

use super::{Dropouts, LanguageEvaluator, LanguageRecipe};
use crate::data::TextData;
use crate::train::handover_tests::{
    FinishedTraining, Piece, as_before_positions, in_pieces, starts_afresh, torn,
};

/// Segments of very unequal lengths, every dropout and both penalties; averaging begins early, for nothing can be learned
/// of the text.
fn recipe() -> LanguageRecipe {
    LanguageRecipe {
        hidden: 8,
        epochs: 5,
        batch: 4,
        learning_rate: 5.0,
        dropouts: Dropouts { word: 0.1, input: 0.2, x: 0.2, hidden: 0.2, output: 0.3 },
        segment: 8,
        halved: 0.5,
        jitter: 3.0,
        shortest: 2,
        longest: 15,
        patience: 1,
        validation_batch: 2,
        ..LanguageRecipe::named("ptb-search").unwrap()
    }
}

/// Weights double with every step, until the perplexity is no number any more.
fn growing() -> LanguageRecipe {
    LanguageRecipe {
        learning_rate: 3.0,
        weight_decay: 1.0,
        jitter: 0.5,
        halved: 0.0,
        rollbacks: 9,
        ..recipe()
    }
}

fn evaluator(recipe: LanguageRecipe) -> LanguageEvaluator {
    let mut rng = rng_for(0, "noise", 0);
    let mut noise = |words: usize| (0..words).map(|_| rng.random_range(0..5)).collect::<Vec<u32>>();
    let text = TextData {
        vocabulary: ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(),
        train: noise(240),
        validation: noise(61),
        test: noise(61),
        origin: vec![],
    };
    LanguageEvaluator::new(Arc::new(text), recipe, Device::flex()).unwrap()
}

fn trial(cell: &str, seed: u64) -> Trial<RnnArch> {
    let arch = RnnSpace::new(3, Default::default()).unwrap().parse(cell).unwrap();
    Trial { id: TrialId(1), arch, seed }
}

const CELL: &str = "0 0 1 1 2 0";

/// The same tensors: one node has another activation.
const OTHER_CELL: &str = "0 0 1 0 2 0";

fn whole(evaluator: &LanguageEvaluator, folder: &Path) -> FinishedTraining {
    let (whole, pieces) = in_pieces(evaluator, &trial(CELL, 5), folder, u32::MAX);
    assert_eq!(pieces, 1);
    whole
}

#[test]
fn a_trial_cut_anywhere_ends_as_the_whole() {
    for (recipe, rolls_back) in [(recipe(), false), (growing(), true)] {
        let folder = tempfile::tempdir().unwrap();
        let (evaluator, trial) = (evaluator(recipe), trial(CELL, 5));
        let whole = whole(&evaluator, folder.path());
        let extra = &whole.measurement.extra;
        // Averaging goes on in the middle of epochs that are handed on.
        assert!(rolls_back || extra["averaged_after"] <= 3.0, "{extra:?}");
        assert_eq!(extra["rollbacks"] > 0.0, rolls_back, "{extra:?}");
        assert_eq!(whole.warnings.is_empty(), !rolls_back, "{:?}", whole.warnings);
        let plain = evaluator.evaluate(&trial, &mut Quiet).unwrap();
        assert_eq!(Measurement { seconds: 0.0, ..plain }, whole.measurement);
        // Four segments judge, and are read at a stretch or once more.
        for (batches, least) in [(4, 9), (5, 8), (6, 7), (7, 5), (11, 3)] {
            let (over, pieces) = in_pieces(&evaluator, &trial, folder.path(), batches);
            assert!(pieces >= least, "{pieces} pieces of {batches} segments");
            assert!(over == whole, "pieces of {batches} segments end otherwise");
        }
    }
}

#[test]
fn a_trial_stopped_before_its_first_segment_leaves_a_file_to_go_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let (evaluator, trial) = (evaluator(recipe()), trial(CELL, 5));
    let whole = whole(&evaluator, folder.path());
    let checkpoint = Checkpointing::every_epoch(folder.path().join("trial.safetensors"));
    for batches in [0, 3, 0] {
        let stopped = evaluator.evaluate_resumably(&trial, &checkpoint, &mut Piece::of(batches));
        assert_eq!(stopped, Err(EvaluationError::Interrupted));
        assert!(checkpoint.path.is_file());
    }
    let measurement = evaluator.evaluate_resumably(&trial, &checkpoint, &mut Piece::endless()).unwrap();
    assert_eq!(Measurement { seconds: 0.0, ..measurement }, whole.measurement);
    assert!(fs::read(&checkpoint.path).unwrap() == whole.file);
}

#[test]
fn a_file_that_is_torn_or_of_another_training_costs_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let evaluator = evaluator(recipe());
    let whole = whole(&evaluator, folder.path());
    let checkpoint = Checkpointing::every_epoch(folder.path().join("trial.safetensors"));
    let stopped = |trial: &Trial<RnnArch>, evaluator: &LanguageEvaluator| {
        let _ = fs::remove_file(&checkpoint.path);
        let stopped = evaluator.evaluate_resumably(trial, &checkpoint, &mut Piece::of(9));
        assert_eq!(stopped, Err(EvaluationError::Interrupted));
        fs::read(&checkpoint.path).unwrap()
    };
    let trial = trial(CELL, 5);
    let mut files = torn(&stopped(&trial, &evaluator));
    files.push(("another seed", stopped(&self::trial(CELL, 6), &evaluator)));
    files.push(("another cell", stopped(&self::trial(OTHER_CELL, 5), &evaluator)));
    let slower = self::evaluator(LanguageRecipe { learning_rate: 1.0, ..recipe() });
    files.push(("another recipe", stopped(&trial, &slower)));
    for file in files {
        starts_afresh(&evaluator, &trial, &checkpoint, file, &whole);
    }
}

/// Such files were written between two epochs: so is this one.
#[test]
fn a_file_from_before_positions_were_kept_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let (evaluator, trial) = (evaluator(recipe()), trial(CELL, 5));
    let whole = whole(&evaluator, folder.path());
    let checkpoint = Checkpointing::every_epoch(folder.path().join("trial.safetensors"));
    let mut first = StopsAfterAnEpoch(false);
    let stopped = evaluator.evaluate_resumably(&trial, &checkpoint, &mut first);
    assert_eq!(stopped, Err(EvaluationError::Interrupted));
    as_before_positions(&checkpoint.path, ["position", "cell"]);
    let mut piece = Piece::endless();
    let measurement = evaluator.evaluate_resumably(&trial, &checkpoint, &mut piece).unwrap();
    assert_eq!(Measurement { seconds: 0.0, ..measurement }, whole.measurement);
    assert_eq!((piece.epochs, piece.warnings), (whole.epochs[1..].to_vec(), Vec::new()));
    assert!(fs::read(&checkpoint.path).unwrap() == whole.file);
}

struct StopsAfterAnEpoch(bool);

impl Progress for StopsAfterAnEpoch {
    fn epoch(&mut self, _: &EpochReport) {
        self.0 = true;
    }

    fn should_stop(&self) -> bool {
        self.0
    }
}
