//! Why a training did not end well, whatever is trained.

use std::time::Duration;

use nao_space::EvaluationError;
use nao_space::network::GeometryError;
use nao_space::notation::ParseError;

use super::step::NotFinite;
use super::tensor_file::CheckpointError;
use crate::data::DataError;
use crate::names::NamesError;
use crate::recipe::RecipeError;

/// Why a training did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The loss is no longer a finite number, more often than the recipe forgives.
    #[error("the loss became {loss} in epoch {epoch}{}; take a lower learning_rate", after(*.rollbacks))]
    NotFinite {
        /// The epoch, counted from 1.
        epoch: u32,
        /// The loss.
        loss: f64,
        /// How often the training went back to its best weights before; only language models do.
        rollbacks: u32,
    },
    /// The time limit was reached.
    #[error("stopped after the time limit of {} s", .limit.as_secs_f64())]
    TimeLimit {
        /// The limit.
        limit: Duration,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The recipe has a value out of range, or is for other data.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The data cannot be split as it is asked for.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A network that cannot be laid out for the data.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// A text with which nothing can be trained or judged.
    #[error(
        "the {part} text has {words} words, too few for {batch} parts of at least 2; take a smaller batch"
    )]
    TooShort {
        /// `training` or `validation`.
        part: &'static str,
        /// Its number of words.
        words: usize,
        /// In how many parts it is read.
        batch: usize,
    },
    /// An architecture that the supernet has no weights for.
    #[error(transparent)]
    Architecture(#[from] ParseError),
    /// Initial tensors that do not fit the network.
    #[error(transparent)]
    Initial(#[from] NamesError),
    /// A checkpoint could not be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl TrainError {
    /// That a loss of an epoch, counted from 1, is no finite number.
    pub(crate) fn not_finite(epoch: u32, NotFinite { loss }: NotFinite) -> Self {
        TrainError::NotFinite { epoch, loss, rollbacks: 0 }
    }
}

fn after(rollbacks: u32) -> String {
    match rollbacks {
        0 => String::new(),
        1 => ", after 1 return to the best weights".to_owned(),
        _ => format!(", after {rollbacks} returns to the best weights"),
    }
}

impl From<TrainError> for EvaluationError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::NotFinite { epoch, loss, .. } => {
                EvaluationError::NotFinite { epoch, loss: loss.to_string() }
            }
            TrainError::TimeLimit { limit } => EvaluationError::TimeLimit { seconds: limit.as_secs_f64() },
            TrainError::Interrupted => EvaluationError::Interrupted,
            other => EvaluationError::Unsuitable { message: other.to_string() },
        }
    }
}
