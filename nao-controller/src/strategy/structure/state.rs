//! The saved state of the search on structure: JSON. What was learned before the search is not part of it.

use nao_space::search::{MemoryState, StrategyError, saved_state};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::NAO as NAME;
use super::cheap::CheapState;
use crate::gaussian_process::Kernel;
use crate::structure::StructureConfig;

/// Everything that the search needs to go on. The observations that states of version 0.1 have besides are skipped.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "A: Serialize", deserialize = "A: DeserializeOwned"))]
pub(super) struct StructureState<A> {
    pub(super) space: String,
    pub(super) config: StructureConfig,
    pub(super) seed: u64,
    pub(super) rounds: u64,
    pub(super) kernels: [Vec<Kernel>; 2],
    #[serde(alias = "random")]
    pub(super) memory: MemoryState,
    /// Cheap looks, of a search that takes some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cheap: Option<CheapState<A>>,
}

impl<A> StructureState<A> {
    /// Refuses the state of another search, with both sides of the difference.
    pub(super) fn check(
        &self,
        space: &str,
        config: &StructureConfig,
        seed: u64,
    ) -> Result<(), StrategyError> {
        saved_state::check_same(NAME, "space", self.space.as_str(), space)?;
        saved_state::check_same(NAME, "settings", &self.config, config)?;
        saved_state::check_same(NAME, "seed", &self.seed, &seed)
    }
}
