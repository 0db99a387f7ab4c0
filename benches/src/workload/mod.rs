//! The work that is measured on both sides: what there is, described as data for the other side, and run on ours.

mod child;
mod controller;
mod language;
mod measure;

use serde_json::Value;

pub use measure::{Cost, measure};

/// A piece of work.
pub struct Workload {
    /// What it is called, `group/what`.
    pub name: String,
    /// All of it, for the other side.
    pub description: Value,
    /// Builds it; what is built does the work once per call.
    pub build: Box<dyn Fn() -> Box<dyn FnMut()> + Send + Sync>,
}

/// All workloads.
pub fn all() -> Vec<Workload> {
    let mut all = child::steps();
    all.extend(child::inferences());
    all.extend(child::operations());
    all.extend(controller::workloads());
    all.extend(language::workloads());
    all
}
