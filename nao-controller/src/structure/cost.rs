//! What fits cost, told before they are made.

use std::time::Instant;

use faer::{Mat, Side};

use super::config::StructureConfig;
use crate::gaussian_process::{BASIS, EXACT};

/// What fits of a [`StructurePredictor`](super::StructurePredictor) cost, roughly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FitCost {
    /// Floating-point operations.
    pub operations: f64,
    /// The most memory that is held at a time, in bytes, that of the features included.
    pub bytes: f64,
}

/// Members of the average of a sparse process, at most times.
const MEMBERS: f64 = 3.0;
/// Bytes of the features of an architecture.
const FEATURES: f64 = 4e3;

impl FitCost {
    /// Of one fit to so many architectures.
    pub fn of(architectures: usize, config: &StructureConfig) -> Self {
        let is_sparse = architectures > EXACT;
        let (all, points) = (architectures as f64, if is_sparse { BASIS } else { architectures } as f64);
        let kernels = config.evidence_search(None).kernels() + config.rival_draws;
        // A Cholesky factor per kernel, and the kernel itself; distances once.
        let search =
            kernels as f64 * (points.powi(3) / 3.0 + 80.0 * points * points) + 500.0 * points * points;
        // V and its products with itself for every member.
        let widening = all * (MEMBERS * 2.0 * points * points + 500.0 * points);
        // Those of the kept kernels, distances, the members in the making, and what the allocator holds back (measured).
        let matrices = points * points * (config.keep as f64 + 14.0);
        FitCost {
            operations: search + if is_sparse { widening } else { 0.0 },
            bytes: 8.0 * matrices + FEATURES * all,
        }
    }

    /// One after the other.
    pub fn and(self, other: FitCost) -> Self {
        let operations = self.operations + other.operations;
        FitCost { operations, bytes: self.bytes.max(other.bytes) }
    }

    /// Seconds on this machine, as busy as it is: a small matrix is factorised to see how fast it is.
    pub fn seconds(&self) -> f64 {
        const SIZE: usize = 512;
        let matrix = Mat::from_fn(SIZE, SIZE, |i, j| if i == j { 2.0 } else { 1.0 / (1 + i + j) as f64 });
        let start = Instant::now();
        let factor = std::hint::black_box(matrix.llt(Side::Lower));
        let seconds = start.elapsed().as_secs_f64();
        drop(factor);
        self.operations / ((SIZE as f64).powi(3) / 3.0) * seconds
    }
}
