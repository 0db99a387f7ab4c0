//! Trials and what they measure. A score is never a bare number: its objective, split, fidelity and seed
//! travel with it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::text::counted;

/// The number of a trial within its run: from 1, ascending, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrialId(pub u64);

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether larger or smaller values of an objective are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Larger is better.
    Maximize,
    /// Smaller is better.
    Minimize,
}

impl Direction {
    /// A value with its sign turned where needed, so that larger is always better. Turned twice it is itself.
    pub fn merit(self, value: f64) -> f64 {
        match self {
            Direction::Maximize => value,
            Direction::Minimize => -value,
        }
    }
}

/// What a search optimises: a named quantity with direction, unit and the data split it is taken on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// Such as `accuracy`.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
    /// Such as `fraction` (0 to 1).
    pub unit: String,
    /// Such as `validation`.
    pub split: String,
}

impl Objective {
    /// The share of validation images that are classified rightly, 0 to 1.
    pub fn validation_accuracy() -> Self {
        Objective {
            name: "accuracy".into(),
            direction: Direction::Maximize,
            unit: "fraction".into(),
            split: "validation".into(),
        }
    }

    /// How perplexed a language model is by validation text: the exponential of the mean negative log likelihood per
    /// word; 1 is perfect foresight.
    pub fn validation_perplexity() -> Self {
        Objective {
            name: "perplexity".into(),
            direction: Direction::Minimize,
            unit: "perplexity".into(),
            split: "validation".into(),
        }
    }

    /// The value with its sign turned where needed, so that larger is always better.
    pub fn merit(&self, value: f64) -> f64 {
        self.direction.merit(value)
    }
}

/// How thoroughly an architecture was tried: scores of different fidelities are not comparable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fidelity {
    /// The recipe of the training.
    pub recipe: String,
    /// Its number of epochs.
    pub epochs: u32,
    /// A digest of all settings of the recipe: two widths are two fidelities. `None` where none was taken, as in
    /// measurements of version 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Fidelity {
    /// The fidelity of a recipe that its name and its number of epochs describe.
    pub fn new(recipe: impl Into<String>, epochs: u32) -> Self {
        Fidelity { recipe: recipe.into(), epochs, digest: None }
    }

    /// The same with a digest of all settings of the recipe.
    pub fn with_digest(self, digest: impl Into<String>) -> Self {
        Fidelity { digest: Some(digest.into()), ..self }
    }
}

impl fmt::Display for Fidelity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.recipe, counted(self.epochs, "epoch"))
    }
}

/// One architecture to be tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial<A> {
    /// Its number.
    pub id: TrialId,
    /// What to try.
    pub arch: A,
    /// The seed of everything random in it.
    pub seed: u64,
}

/// What one trial measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// What was measured.
    pub objective: Objective,
    /// The value, in the objective's unit.
    pub value: f64,
    /// How thoroughly.
    pub fidelity: Fidelity,
    /// Trainable scalars, auxiliary head excluded.
    pub params: u64,
    /// Multiply-accumulates of one forward pass of one example, auxiliary head excluded.
    pub macs: u64,
    /// Wall time of the trial in seconds. It and what is said of memory are all that may differ between two runs of one
    /// seed.
    pub seconds: f64,
    /// Further named quantities; [`quantity`] has the names that this workspace uses.
    pub extra: BTreeMap<String, f64>,
}

/// The names of quantities in [`Measurement::extra`].
pub mod quantity {
    /// Mean training loss of the last epoch, nats.
    pub const TRAIN_LOSS: &str = "train_loss";
    /// Mean loss on the held-out examples, nats.
    pub const HELD_OUT_LOSS: &str = "held_out_loss";
    /// Accuracy after the last epoch, 0 to 1.
    pub const LAST_ACCURACY: &str = "last_accuracy";
    /// Perplexity after the last epoch.
    pub const LAST_PERPLEXITY: &str = "last_perplexity";
    /// The epoch whose score counts, from 1.
    pub const SCORED_EPOCH: &str = "scored_epoch";
    /// Returns to earlier weights.
    pub const ROLLBACKS: &str = "rollbacks";
    /// The epoch after which weights were averaged, from 1.
    pub const AVERAGED_AFTER: &str = "averaged_after";
    /// Images that scored the architecture.
    pub const IMAGES: &str = "images";
    /// The most memory that the worker process held, MiB.
    pub const PEAK_MEMORY_MIB: &str = "peak_memory_mib";
}

impl Measurement {
    /// A value of an objective, in its unit. What else is known of it is added by the methods below; until then the
    /// fidelity is unnamed and all counts are 0.
    pub fn new(objective: Objective, value: f64) -> Self {
        let (fidelity, extra) = (Fidelity::new("", 0), BTreeMap::new());
        Measurement { objective, value, fidelity, params: 0, macs: 0, seconds: 0.0, extra }
    }

    /// The same, measured at that fidelity.
    pub fn at(self, fidelity: Fidelity) -> Self {
        Measurement { fidelity, ..self }
    }

    /// The same of an architecture with that many parameters and multiply-accumulates.
    pub fn with_cost(self, params: u64, macs: u64) -> Self {
        Measurement { params, macs, ..self }
    }

    /// The same after that many seconds of wall time.
    pub fn in_seconds(self, seconds: f64) -> Self {
        Measurement { seconds, ..self }
    }

    /// The same with a further quantity; [`quantity`] has names.
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }
}

/// Why a trial has no measurement. It fails alone; the search goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EvaluationError {
    /// The loss is no longer a finite number.
    #[error("the loss became {loss} in epoch {epoch}; a lower learning rate may help")]
    NotFinite {
        /// The epoch, counted from 1.
        epoch: u32,
        /// The loss as text, for JSON has no word for NaN.
        loss: String,
    },
    /// The evaluator panicked.
    #[error("the evaluator panicked: {message}")]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// The trial ran past its time limit.
    #[error("stopped after the time limit of {seconds} s")]
    TimeLimit {
        /// The limit.
        seconds: f64,
    },
    /// The worker ended without an answer, as when the system kills it for its memory.
    #[error("the worker process ended without an answer ({status})")]
    WorkerDied {
        /// How it ended.
        status: String,
    },
    /// There is not enough memory for the trial.
    #[error("ran out of memory ({detail}); a smaller batch or network may help")]
    OutOfMemory {
        /// Which memory, and how much was asked of it.
        detail: String,
    },
    /// The architecture cannot be built or trained here.
    #[error("{message}")]
    Unsuitable {
        /// What does not fit.
        message: String,
    },
    /// The caller asked to stop; nothing is known about the architecture.
    #[error("interrupted")]
    Interrupted,
}

impl EvaluationError {
    /// A short word for tables that count failures by reason.
    pub fn reason(&self) -> &'static str {
        match self {
            EvaluationError::NotFinite { .. } => "not finite",
            EvaluationError::Panicked { .. } => "panicked",
            EvaluationError::TimeLimit { .. } => "time limit",
            EvaluationError::WorkerDied { .. } => "worker died",
            EvaluationError::OutOfMemory { .. } => "out of memory",
            EvaluationError::Unsuitable { .. } => "unsuitable",
            EvaluationError::Interrupted => "interrupted",
        }
    }
}

/// The state of a training after one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// The epoch just ended, counted from 1.
    pub epoch: u32,
    /// Epochs in all.
    pub epochs: u32,
    /// Mean training loss of the epoch.
    pub train_loss: f64,
    /// The objective's value after the epoch, if it was measured.
    pub value: Option<f64>,
    /// Learning rate of the epoch.
    pub learning_rate: f64,
}

/// Where an evaluator reports to, and where it asks whether to go on.
pub trait Progress {
    /// One epoch is done.
    fn epoch(&mut self, report: &EpochReport);

    /// Something that a person should know, such as a return to earlier weights.
    fn warning(&mut self, _message: &str) {}

    /// Whether to stop; asked at least once per epoch. The evaluator then returns
    /// [`EvaluationError::Interrupted`].
    fn should_stop(&self) -> bool {
        false
    }
}

/// Progress without a receiver.
pub struct Quiet;

impl Progress for Quiet {
    fn epoch(&mut self, _report: &EpochReport) {}
}

/// Where and how often an evaluator keeps the state of a trial, so that another process can go on with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpointing {
    /// The file.
    pub path: PathBuf,
    /// The least wall time between two saves at epoch borders; zero: every epoch. When a state is saved changes nothing
    /// about what becomes of it.
    pub interval: Duration,
}

impl Checkpointing {
    /// The state is saved after every epoch.
    pub fn every_epoch(path: impl Into<PathBuf>) -> Self {
        Checkpointing { path: path.into(), interval: Duration::ZERO }
    }
}

/// Turns an architecture into a measurement.
pub trait Evaluator<A> {
    /// What the evaluator measures.
    fn objective(&self) -> Objective;

    /// Tries one architecture. Depends on the trial alone, never on earlier trials.
    ///
    /// # Errors
    /// When the trial yields no finite value; see [`EvaluationError`].
    fn evaluate(&self, trial: &Trial<A>, progress: &mut dyn Progress)
    -> Result<Measurement, EvaluationError>;

    /// Tries one architecture in pieces, which may be done by processes on different hosts: goes on from the file of
    /// `checkpoint` where there is one. The state is saved there after epochs, at most once per interval; and
    /// once `progress` says stop, at the next border of two batches, before [`EvaluationError::Interrupted`] is returned. The file stays when the trial is over: the caller removes it.
    ///
    /// The measurement is that of an unbroken trial, except `seconds`, which are those of the last piece. Epochs are
    /// reported once each, by the piece that ended them; those after the last save of a piece that was killed once more.
    ///
    /// A file that cannot be read, or is of another training, costs the epochs in it and not the architecture: it is
    /// reported by [`Progress::warning`], and the trial starts afresh. So is a file that cannot be written; the trial
    /// goes on.
    ///
    /// Evaluators whose trials are short need not keep anything: by default a trial is tried in one piece, and the
    /// checkpoint is ignored.
    ///
    /// # Errors
    /// As [`evaluate`](Evaluator::evaluate).
    fn evaluate_resumably(
        &self,
        trial: &Trial<A>,
        checkpoint: &Checkpointing,
        progress: &mut dyn Progress,
    ) -> Result<Measurement, EvaluationError> {
        let _ = checkpoint;
        self.evaluate(trial, progress)
    }
}
