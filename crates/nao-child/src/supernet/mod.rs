//! Weight sharing: one set of weights for a whole space of image cells (spec a.7), its training, architectures judged by
//! it, and the search that alternates between the two.

mod bank;
mod checkpoint;
mod child;
mod evaluator;
mod inherit;
mod names;
mod recipe;
mod search;
#[cfg(test)]
mod tests;
mod training;
mod weights;

pub use bank::Loan;
pub use checkpoint::SupernetFileError;
pub use child::{Norms, SharedChild};
pub use evaluator::SharedWeightsEvaluator;
pub use inherit::{InheritError, Inherited};
pub use recipe::{PoolRule, SHARED_SEARCHES, Sampling, SharingConfig, TrainedOn};
pub use search::{Member, PoolState, Proposer, SharedRound, SharedSearch, SharedSearchError};
pub use training::{Minibatch, Moment, SharedTraining};
pub use weights::Supernet;
