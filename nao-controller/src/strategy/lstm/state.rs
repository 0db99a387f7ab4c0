//! The saved state of the search: a safetensors file whose header holds the rest as JSON.

use nao_space::file::{check_checksum, with_checksum};
use nao_space::search::saved_state::{check_same, refused};
use nao_space::search::{MemoryState, StrategyError};
use serde::{Deserialize, Serialize};

use super::super::NAO;
use super::config::NaoConfig;
use crate::language::Language;
use crate::lstm::Controller;
use crate::lstm::names::{NamedValues, Names};
use crate::lstm::weights;

/// The header's entry; its number changes with the form of the state.
const ENTRY: &str = "nao-search-1";

/// Everything but the weights. The observations that states of version 0.1 have besides are skipped.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub(super) language: Language,
    pub(super) config: NaoConfig,
    pub(super) seed: u64,
    pub(super) rounds: u64,
    #[serde(alias = "random")]
    pub(super) memory: MemoryState,
}

/// A state as read.
pub(super) struct Saved {
    pub(super) state: State,
    /// Empty before the first training.
    pub(super) weights: Vec<NamedValues>,
}

impl State {
    /// Equal states give equal bytes.
    pub(super) fn to_bytes(&self, controller: Option<&Controller>) -> Result<Vec<u8>, StrategyError> {
        let header = serde_json::to_string(self).map_err(|error| unreadable(error.to_string()))?;
        let bytes = match controller {
            Some(controller) => controller.save_with(ENTRY, header),
            None => {
                weights::to_bytes(None, Names::of(&self.config.controller), Some((ENTRY.to_owned(), header)))
            }
        };
        bytes.map_err(|error| StrategyError::Model { strategy: NAO.into(), message: error.to_string() })
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Saved, StrategyError> {
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

impl State {
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
        check_same(NAO, "settings", &self.config, config)?;
        check_same(NAO, "seed", &self.seed, &seed)
    }
}

fn unreadable(message: String) -> StrategyError {
    refused(NAO, message)
}
