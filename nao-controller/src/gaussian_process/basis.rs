//! The observations on which a sparse posterior rests.

use faer::linalg::solvers::Llt;
use faer::{Mat, Side};

use super::kernel::Kernel;
use super::points::Distances;

/// The least variance that is added to the diagonal of the kernel of the basis, relative to that of the signal, and the
/// most: two of the basis may be equal in all that the kernel sees.
const JITTERS: [f64; 4] = [1e-10, 1e-8, 1e-6, 1e-4];

/// What a sparse posterior holds besides the factor of the basis.
#[derive(Clone, Debug)]
pub(super) struct Sparse {
    /// The lower Cholesky factor of `1 + V V' / noise`.
    pub factor: Mat<f64>,
    /// What was added to the diagonal of the kernel of the basis.
    pub jitter: f64,
}

impl Sparse {
    /// The Cholesky factor of the kernel of the basis with the least jitter that makes it possible.
    pub fn basis_factor(kernel: &Kernel, basis: &Distances) -> Option<(Llt<f64>, f64)> {
        let jitters = JITTERS.iter().map(|jitter| jitter * kernel.signal());
        jitters.into_iter().find_map(|jitter| Some((Sparse::jittered_factor(kernel, basis, jitter)?, jitter)))
    }

    /// The Cholesky factor of the kernel of the basis with this jitter.
    pub fn jittered_factor(kernel: &Kernel, basis: &Distances, jitter: f64) -> Option<Llt<f64>> {
        Kernel { noise: jitter, ..kernel.clone() }.within(basis).llt(Side::Lower).ok()
    }
}
