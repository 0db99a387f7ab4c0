//! The state of a strategy as bytes, for strategies to save and to restore: JSON, in which equal states are equal bytes.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::strategy::StrategyError;

/// A state as bytes.
///
/// # Errors
/// When it has no JSON form.
pub fn to_bytes(strategy: &str, state: &impl Serialize) -> Result<Vec<u8>, StrategyError> {
    serde_json::to_vec(state).map_err(|error| refused(strategy, error))
}

/// The state of bytes that [`to_bytes`] made.
///
/// # Errors
/// When they are no such state.
pub fn from_bytes<T: DeserializeOwned>(strategy: &str, bytes: &[u8]) -> Result<T, StrategyError> {
    serde_json::from_slice(bytes).map_err(|error| refused(strategy, error))
}

/// The error of a state that a strategy cannot go on from.
pub fn refused(strategy: &str, message: impl Display) -> StrategyError {
    StrategyError::State { strategy: strategy.to_owned(), message: message.to_string() }
}

/// Refuses the state of another search: `what` of the state has to be that of the search that restores it.
///
/// # Errors
/// Names what differs, with both sides as JSON.
pub fn check_same<T: PartialEq + Serialize + ?Sized>(
    strategy: &str,
    what: &str,
    saved: &T,
    ours: &T,
) -> Result<(), StrategyError> {
    if saved == ours {
        return Ok(());
    }
    let told = |value: &T| serde_json::to_string(value).unwrap_or_default();
    let (saved, ours) = (told(saved), told(ours));
    Err(refused(strategy, format!("it was saved with the {what} {saved}; this search has {ours}")))
}
