//! The state of a strategy as bytes: JSON, in which equal states are equal bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::strategy::StrategyError;

/// A state as bytes.
pub(super) fn to_bytes(strategy: &str, state: &impl Serialize) -> Result<Vec<u8>, StrategyError> {
    serde_json::to_vec(state).map_err(|error| refused(strategy, error.to_string()))
}

/// The state of bytes that [`to_bytes`] made.
pub(super) fn from_bytes<T: DeserializeOwned>(strategy: &str, bytes: &[u8]) -> Result<T, StrategyError> {
    serde_json::from_slice(bytes).map_err(|error| refused(strategy, error.to_string()))
}

/// A state that a strategy cannot go on from.
pub(super) fn refused(strategy: &str, message: String) -> StrategyError {
    StrategyError::State { strategy: strategy.to_owned(), message }
}
