//! The collapse watch: searches with shared weights tend towards operations without parameters, which need no training
//! to look good.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::image::{Cell, CnnArch, Edge};

/// The share of edges without parameters above which cells count as collapsed.
pub const COLLAPSED: f64 = 0.6;

/// How often operations stand on the edges of some architectures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationHistogram {
    /// Edges per operation, by its name.
    pub edges: BTreeMap<String, usize>,
    /// Edges whose operation has no parameters: identities, pools, zeros.
    pub parameter_free: usize,
}

impl OperationHistogram {
    /// The histogram of both cells of all architectures.
    ///
    /// ```
    /// use nao_space::network::zoo_entry;
    /// use nao_space::search::OperationHistogram;
    /// let cells = OperationHistogram::of([&zoo_entry("NAONet-V2").unwrap().arch]);
    /// assert_eq!((cells.total(), cells.parameter_free), (20, 7));
    /// ```
    pub fn of<'a>(archs: impl IntoIterator<Item = &'a CnnArch>) -> Self {
        let mut histogram = OperationHistogram::default();
        for arch in archs {
            for Edge { op, .. } in arch.cells().into_iter().flat_map(|(_, cell): (_, &Cell)| cell.edges()) {
                *histogram.edges.entry(op.name()).or_default() += 1;
                histogram.parameter_free += usize::from(op.is_parameter_free());
            }
        }
        histogram
    }

    /// Number of edges.
    pub fn total(&self) -> usize {
        self.edges.values().sum()
    }

    /// Share of edges without parameters, 0 to 1; of no edges 0.
    pub fn parameter_free_share(&self) -> f64 {
        self.parameter_free as f64 / self.total().max(1) as f64
    }

    /// What a person should know of cells that have collapsed: more than [`COLLAPSED`] of their edges have no parameters.
    pub fn warning(&self) -> Option<String> {
        let share = self.parameter_free_share();
        (share > COLLAPSED).then(|| {
            format!(
                "{:.0} % of the edges of the best cells are parameter-free (identities, pools, zeros): shared weights favour \
                 these, so the ranking may have collapsed; judge by the trainings from scratch",
                100.0 * share
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::OpSet;
    use crate::language::Space;
    use crate::spaces::CnnSpace;

    #[test]
    fn cells_without_parameters_are_warned_of_and_others_are_not() {
        let space = CnnSpace::new(1, OpSet::enas_5()).unwrap();
        let of = |text: &str| OperationHistogram::of([&space.parse(text).unwrap()]);
        // Three of four edges, and two of four.
        let (most, half) = (of("0 4 1 2 0 3 1 0"), of("0 4 1 2 0 1 1 0"));
        assert_eq!((most.parameter_free, most.total()), (3, 4));
        assert!(most.warning().unwrap().starts_with("75 %"));
        assert_eq!(half.warning(), None);
        assert_eq!(half.edges["identity"], 1);
        assert_eq!(OperationHistogram::default().warning(), None);
    }
}
