//! What a round of the search on structure did, for reports.

use nao_space::search::Origin;
use serde::{Deserialize, Serialize};

use crate::gaussian_process::KernelForm;

/// One round in which the posterior was fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StructureReport {
    /// Which ask it was, counted from 0.
    pub round: u64,
    /// Observations learned from: those with a finite score.
    pub trained_on: usize,
    /// The form of the kernel of the highest evidence.
    pub kernel: KernelForm,
    /// The logarithm of its marginal likelihood.
    pub log_evidence: f64,
    /// Architectures that were scored, by origin.
    pub candidates: OriginCounts,
    /// Proposals by origin.
    pub proposals: OriginCounts,
    /// Wall-clock seconds of the fit.
    pub fit_seconds: f64,
    /// Wall-clock seconds of everything after it.
    pub propose_seconds: f64,
}

/// Numbers of architectures by origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginCounts {
    /// Decoded after gradient steps.
    pub ascent: usize,
    /// Neighbours of the best.
    pub neighbour: usize,
    /// Drawn from the space, or one of an enumeration.
    pub random: usize,
}

impl OriginCounts {
    pub(super) fn count(&mut self, origin: Origin) {
        match origin {
            Origin::Ascent { .. } => self.ascent += 1,
            Origin::Mutation { .. } => self.neighbour += 1,
            _ => self.random += 1,
        }
    }
}
