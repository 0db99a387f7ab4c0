//! What coordinator and worker say to each other: one JSON document per line. The coordinator writes trials,
//! the worker answers with these.

use nao_space::{EpochReport, EvaluationError, Measurement, TrialId};
use serde::{Deserialize, Serialize};

/// A line from a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum FromWorker {
    /// A trial finished an epoch.
    Epoch {
        /// The trial.
        trial: TrialId,
        /// The state of its training.
        report: EpochReport,
    },
    /// A trial is over.
    Finished {
        /// The trial.
        trial: TrialId,
        /// What it measured, or why it failed.
        outcome: Result<Measurement, EvaluationError>,
    },
}
