//! Who proposes in a search with shared weights.

use nao_space::CnnArch;
use nao_space::search::{Observation, Proposals, StrategyError};

use super::training::SharedTraining;

/// Who proposes in a search with shared weights. Scores change with the weights, so that after every round the whole pool
/// is told anew, and what was told before counts no more.
pub trait Proposer {
    /// Learns from the weights themselves, after the pool was scored and before proposing: a policy that is rewarded by
    /// scores on minibatches ([`SharedTraining::score_on`]) does so here. Most learn from what they are told.
    ///
    /// # Errors
    /// When it cannot.
    fn learn(&mut self, _round: u32, _training: &SharedTraining) -> Result<(), StrategyError> {
        Ok(())
    }

    /// Proposes up to `count` architectures that are canonically none of those told, which are all that were ever in the
    /// pool: with the scores of this round where they still are, without a value where they are not.
    ///
    /// # Errors
    /// When it cannot propose at all.
    fn propose(
        &mut self,
        round: u32,
        told: &[Observation<CnnArch>],
        count: usize,
    ) -> Result<Proposals<CnnArch>, StrategyError>;

    /// What it says about itself after proposing.
    fn report(&self) -> Option<serde_json::Value> {
        None
    }
}
