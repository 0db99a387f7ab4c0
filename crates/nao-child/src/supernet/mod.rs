//! Weight sharing: one set of weights for a whole space of image cells (spec a.7), its training, and architectures
//! judged by it.

mod bank;
mod child;
mod names;
mod weights;

pub use bank::Loan;
pub use child::{Norms, SharedChild};
pub use weights::Supernet;
