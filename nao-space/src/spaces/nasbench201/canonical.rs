//! Which cells of NAS-Bench-201 compute the same.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::arch::NasBench201Arch;

/// The classes of cells of one function, found once by writing down all functions (some 10 ms).
pub(super) struct Classes {
    /// The first cell of the class of every cell, by rank.
    pub first: Vec<usize>,
}

impl Classes {
    /// Those of all cells.
    pub fn get() -> &'static Classes {
        static CLASSES: OnceLock<Classes> = OnceLock::new();
        CLASSES.get_or_init(|| {
            let mut known = HashMap::new();
            let first = (0..NasBench201Arch::CELLS)
                .map(NasBench201Arch::of_rank)
                .enumerate()
                .map(|(rank, arch)| *known.entry(arch.function()).or_insert(rank));
            Classes { first: first.collect() }
        })
    }
}
