//! The architectures that share weights, and how steps of training draw from them.

use nao_space::search::Origin;
use nao_space::{CnnArch, CnnSpace, Space, TrialId};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// An architecture that is or was in the pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its number, counted from 1 in the order of coming.
    pub id: TrialId,
    /// The architecture.
    pub arch: CnnArch,
    /// How it was found; a parent is a member by its number.
    pub origin: Origin,
    /// The first round that scored it, counted from 0.
    pub since: u32,
    /// Whether it is in the pool still.
    pub in_pool: bool,
    /// Its last score: validation accuracy with shared weights. `None` before the first and where it was no number.
    pub score: Option<f64>,
}

/// Everything about a search but the weights, between two rounds or in the training of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolState {
    /// Rounds done.
    pub rounds: u32,
    /// All that ever came, in order.
    pub members: Vec<Member>,
    /// Mean training losses of the epochs done of a round that is not over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<f64>,
}

/// Architectures to draw from, with the running sums of their weights; of none at all the whole space.
pub(super) struct Drawing {
    pub archs: Vec<CnnArch>,
    sums: Vec<f64>,
}

impl Drawing {
    /// Architectures to be drawn in proportion to their weights.
    pub fn new(archs: Vec<CnnArch>, weight: impl Fn(&CnnArch) -> f64) -> Self {
        let mut sum = 0.0;
        let sums = archs.iter().map(|arch| {
            sum += weight(arch);
            sum
        });
        Drawing { sums: sums.collect(), archs }
    }

    pub fn draw(&self, space: &CnnSpace, rng: &mut ChaCha8Rng) -> CnnArch {
        let Some(total) = self.sums.last() else { return space.sample(rng) };
        let point = rng.random::<f64>() * total;
        let at = self.sums.partition_point(|&sum| sum <= point).min(self.archs.len() - 1);
        self.archs[at].clone()
    }
}
