//! Differentiable architecture search (Liu, Simonyan and Yang, ICLR 2019): one network in which every edge mixes all
//! operations; the weights of the mixtures climb the validation images by gradient while those of the operations learn
//! from the training images. What is left at the end is a cell.
//!
//! First order takes the weights as they are; second order takes them as they would be after a step of training, so that
//! mixtures are judged by what their weights will become.

mod adam;
mod bilevel;
mod checkpoint;
mod network;
mod recipe;
mod search;

pub use adam::AdamSettings;
pub use bilevel::{MixtureGradient, Virtual, first_order, second_order};
pub use network::{Mixtures, RelaxedNetwork};
pub use recipe::{Order, RelaxedRecipe};
pub use search::{RelaxedEpoch, RelaxedOutcome, search_relaxed};
