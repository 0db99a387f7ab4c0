//! Searches that learn with tensors, a folder each.

mod linear;
mod lstm;
mod pnas;
mod policy;
mod structure;

pub use linear::LinearSearch;
pub use lstm::{NaoConfig, NaoSearch, ProposalCounts, RoundReport, controller_weights};
pub use pnas::{PnasConfig, PnasSearch};
pub use policy::{PolicyReport, PolicySearch};
pub use structure::{CheapConfig, CheapLook, Enumeration, OriginCounts, StructureReport, StructureSearch};

/// The name of NAO with any of its controllers.
const NAO: &str = "nao";
