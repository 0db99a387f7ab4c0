//! Weight sharing: one set of weights for a whole space of image cells (docs/specification.md, a.7), its training,
//! architectures judged by it, and the search that alternates between the two.
//!
//! A [`Supernet`] makes networks of single architectures; [`SharedTraining`] takes steps with them; by its weights a
//! [`SharedWeightsEvaluator`] scores; [`SharedSearch`] goes through rounds of both and of a [`Proposer`]. Another way of
//! searching with shared weights, such as that of ENAS, is another proposer that [learns](Proposer::learn) from scores on
//! minibatches, or a loop of its own over [`SharedTraining::step`] and [`SharedTraining::score_on`].

mod checkpoint;
mod child;
mod evaluator;
mod inherit;
mod names;
mod pool;
mod proposer;
mod recipe;
mod search;
mod shared_weights;
#[cfg(test)]
mod tests;
mod training;
mod weights;

pub use checkpoint::SupernetFileError;
pub use child::{Norms, SharedChild};
pub use evaluator::SharedWeightsEvaluator;
pub use inherit::{InheritError, Inherited};
pub use pool::{Member, PoolState};
pub use proposer::Proposer;
pub use recipe::{PoolRule, Sampling, SharingConfig, SharingPreset, TrainedOn};
pub use search::{SharedRound, SharedSearch, SharedSearchError};
pub use shared_weights::Purpose;
pub use training::{Moment, SharedTraining};
pub use weights::Supernet;
