//! Observations as the searches on one number need them.

use serde::{Deserialize, Serialize};

use super::strategy::{Observation, StrategyError};
use crate::trial::{Objective, TrialId};

/// An architecture with a finite value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured<A> {
    /// The trial that measured it.
    pub trial: TrialId,
    /// What was tried.
    pub arch: A,
    /// The value, turned so that larger is better.
    pub merit: f64,
}

impl<A: Clone> Measured<A> {
    /// What an observation measured; `None` for a failed trial.
    pub fn of(observation: &Observation<A>) -> Option<Self> {
        let merit = observation.merit()?;
        Some(Measured { trial: observation.trial, arch: observation.arch.clone(), merit })
    }
}

/// Holds observations against the objective of those before them, and keeps it: what a strategy that compares values
/// does when it is told.
///
/// # Errors
/// [`StrategyError::Model`] in the name of `strategy` at the first observation of another objective.
pub fn check_objective<A>(
    strategy: &str,
    kept: &mut Option<Objective>,
    observations: &[Observation<A>],
) -> Result<(), StrategyError> {
    for told in observations.iter().map(|observation| &observation.objective) {
        let first = kept.get_or_insert_with(|| told.clone());
        if first != told {
            let message = format!("told of two objectives, {first:?} and {told:?}; a search has one");
            return Err(StrategyError::Model { strategy: strategy.to_owned(), message });
        }
    }
    Ok(())
}
