//! The saved state of the search: a safetensors file whose header holds the rest as JSON.

use nao_space::file::{check_checksum, with_checksum};
use nao_space::search::{Observation, StrategyError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::nao::{NaoConfig, model_error};
use crate::controller::Controller;
use crate::language::Language;
use crate::names::{NamedValues, Names};
use crate::weights;

/// The header's entry; its number changes with the form of the state.
const ENTRY: &str = "nao-search-1";

/// Everything but the weights.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(serialize = "A: Serialize", deserialize = "A: DeserializeOwned"))]
pub(super) struct State<A> {
    pub(super) language: Language,
    pub(super) config: NaoConfig,
    pub(super) seed: u64,
    pub(super) rounds: u64,
    pub(super) observations: Vec<Observation<A>>,
    /// The state of the random search inside.
    pub(super) random: Vec<u8>,
}

/// A state as read.
pub(super) struct Saved<A> {
    pub(super) state: State<A>,
    /// Empty before the first training.
    pub(super) weights: Vec<NamedValues>,
}

impl<A: Serialize + DeserializeOwned> State<A> {
    /// Equal states give equal bytes.
    pub(super) fn to_bytes(&self, controller: Option<&Controller>) -> Result<Vec<u8>, StrategyError> {
        let header = serde_json::to_string(self).map_err(|error| unreadable(error.to_string()))?;
        let bytes = match controller {
            Some(controller) => controller.save_with(ENTRY, header),
            None => {
                weights::to_bytes(None, Names::of(&self.config.controller), Some((ENTRY.to_owned(), header)))
            }
        };
        bytes.map_err(model_error)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Saved<A>, StrategyError> {
        check_checksum(bytes).map_err(|error| unreadable(error.to_string()))?;
        let (_, metadata) = safetensors::SafeTensors::read_metadata(bytes)
            .map_err(|error| unreadable(format!("no safetensors file: {error}")))?;
        let entries = metadata.metadata().as_ref();
        let header = entries
            .and_then(|entries| entries.get(ENTRY))
            .ok_or_else(|| unreadable(format!("the file's header has no entry {ENTRY}")))?;
        let state = serde_json::from_str(header).map_err(|error| unreadable(error.to_string()))?;
        let weights = weights::read_values(bytes).map_err(|error| unreadable(error.to_string()))?;
        Ok(Saved { state, weights })
    }
}

/// The controller's weights in a saved state of the search, as a plain safetensors file under the authors' names, which
/// [`Controller::load_safetensors`] reads. `None` before the first training.
///
/// # Errors
/// When the bytes are no saved state of this search.
pub fn controller_weights(state: &[u8]) -> Result<Option<Vec<u8>>, StrategyError> {
    check_checksum(state).map_err(|error| unreadable(error.to_string()))?;
    let (_, header) = safetensors::SafeTensors::read_metadata(state)
        .map_err(|error| unreadable(format!("no safetensors file: {error}")))?;
    if !header.metadata().as_ref().is_some_and(|entries| entries.contains_key(ENTRY)) {
        return Err(unreadable(format!("the file's header has no entry {ENTRY}")));
    }
    let file = safetensors::SafeTensors::deserialize(state).map_err(|error| unreadable(error.to_string()))?;
    if file.is_empty() {
        return Ok(None);
    }
    let plain =
        safetensors::serialize(file.tensors(), None).map_err(|error| unreadable(error.to_string()))?;
    with_checksum(&plain).map(Some).map_err(|error| unreadable(error.to_string()))
}

impl<A> State<A> {
    /// Refuses the state of another search, with both sides of the difference.
    pub(super) fn check(
        &self,
        language: &Language,
        config: &NaoConfig,
        seed: u64,
    ) -> Result<(), StrategyError> {
        if &self.language != language {
            let told = |language: &Language| {
                format!(
                    "{} with {} tokens ({}), {} per sequence",
                    language.space,
                    language.tokens.len(),
                    language.tokens.join(", "),
                    language.sequence_len
                )
            };
            return Err(unreadable(format!(
                "it was saved for {}; this search is of {}",
                told(&self.language),
                told(language)
            )));
        }
        if &self.config != config {
            let told = |config: &NaoConfig| serde_json::to_string(config).unwrap_or_default();
            return Err(unreadable(format!(
                "it was saved with the settings {}; this search has {}",
                told(&self.config),
                told(config)
            )));
        }
        if self.seed != seed {
            let saved = self.seed;
            return Err(unreadable(format!("it was saved with seed {saved}; this search has seed {seed}")));
        }
        Ok(())
    }
}

fn unreadable(message: String) -> StrategyError {
    StrategyError::State { strategy: "nao".into(), message }
}
