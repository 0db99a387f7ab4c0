//! The saved state of the search on structure: JSON. What was learned before the search is not part of it.

use nao_space::search::{Observation, StrategyError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::cheap::CheapState;
use super::structure::NAME;
use crate::gaussian_process::Kernel;
use crate::structure::StructureConfig;

/// Everything that the search needs to go on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(serialize = "A: Serialize", deserialize = "A: DeserializeOwned"))]
pub(super) struct StructureState<A> {
    pub(super) space: String,
    pub(super) config: StructureConfig,
    pub(super) seed: u64,
    pub(super) rounds: u64,
    pub(super) observations: Vec<Observation<A>>,
    pub(super) kernels: [Vec<Kernel>; 2],
    /// The state of the random search inside.
    pub(super) random: Vec<u8>,
    /// Cheap looks, of a search that takes some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cheap: Option<CheapState<A>>,
}

impl<A: Serialize + DeserializeOwned> StructureState<A> {
    /// Equal states give equal bytes.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, StrategyError> {
        serde_json::to_vec(self).map_err(|error| unreadable(error.to_string()))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, StrategyError> {
        serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))
    }
}

impl<A> StructureState<A> {
    /// Refuses the state of another search, with both sides of the difference.
    pub(super) fn check(
        &self,
        space: &str,
        config: &StructureConfig,
        seed: u64,
    ) -> Result<(), StrategyError> {
        let same = || {
            super::same("space", &self.space.as_str(), &space)?;
            super::same("settings", &self.config, config)?;
            super::same("seed", &self.seed, &seed)
        };
        same().map_err(unreadable)
    }
}

fn unreadable(message: String) -> StrategyError {
    StrategyError::State { strategy: NAME.into(), message }
}
