//! What surrounds a training and does not change its result.

use std::time::{Duration, Instant};

use nao_space::{Checkpointing, Progress};

use super::error::TrainError;

/// What surrounds a training, of images, of text or of a relaxed network, and does not change its result.
#[derive(Clone, Debug, Default)]
pub struct TrainOptions {
    /// Where the state is saved after epochs, and at the next batch once the caller asks to stop; and read from if it is
    /// there: a training that was interrupted or killed goes on from the last saved batch and ends with the same result.
    pub checkpoint: Option<Checkpointing>,
    /// What becomes of the training where that fails.
    pub on_checkpoint_error: OnCheckpointError,
    /// Wall time after which the training stops with [`TrainError::TimeLimit`].
    pub time_limit: Option<Duration>,
}

/// What becomes of a training whose checkpoint cannot be read or written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCheckpointError {
    /// It ends with the error, which names the remedy: somebody is there to choose one.
    #[default]
    Fail,
    /// A warning. It starts afresh where its state cannot be read, and goes on where it cannot be written. A folder that was
    /// there and is gone is not made again: whoever removed it has no use for the state any more.
    Warn,
}

impl TrainOptions {
    /// The state is kept in a file, after every epoch.
    pub fn kept_at(path: impl Into<std::path::PathBuf>) -> Self {
        TrainOptions { checkpoint: Some(Checkpointing::every_epoch(path)), ..TrainOptions::default() }
    }
}

/// Says between two batches whether a training goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeBudget {
    started: Instant,
    limit: Option<Duration>,
}

impl TimeBudget {
    /// The time of a training that begins now.
    pub fn starting(options: &TrainOptions) -> Self {
        TimeBudget { started: Instant::now(), limit: options.time_limit }
    }

    /// # Errors
    /// When the caller asks to stop, or the time is up.
    pub fn check(&self, progress: &dyn Progress) -> Result<(), TrainError> {
        if_asked_to_go_on(progress)?;
        match self.limit {
            Some(limit) if self.started.elapsed() > limit => Err(TrainError::TimeLimit { limit }),
            _ => Ok(()),
        }
    }
}

/// # Errors
/// When the caller asks to stop.
pub(crate) fn if_asked_to_go_on(progress: &dyn Progress) -> Result<(), TrainError> {
    if progress.should_stop() { Err(TrainError::Interrupted) } else { Ok(()) }
}
