//! Architectures of images: two cells.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cell::Cell;

/// An image architecture: one cell for all normal positions and one for all reductions (docs/specification.md, a.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CnnArch {
    /// The cell that keeps the resolution.
    pub normal: Cell,
    /// The cell that halves the resolution.
    pub reduction: Cell,
}

impl CnnArch {
    /// The cell of that role.
    pub fn cell(&self, role: CellRole) -> &Cell {
        match role {
            CellRole::Normal => &self.normal,
            CellRole::Reduction => &self.reduction,
        }
    }

    /// Both cells in the order of every notation: normal, then reduction.
    pub fn cells(&self) -> [(CellRole, &Cell); 2] {
        [(CellRole::Normal, &self.normal), (CellRole::Reduction, &self.reduction)]
    }
}

/// The two roles of a cell in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellRole {
    /// Keeps the resolution.
    Normal,
    /// Halves the resolution and doubles the width.
    Reduction,
}

impl fmt::Display for CellRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CellRole::Normal => "normal",
            CellRole::Reduction => "reduction",
        })
    }
}
