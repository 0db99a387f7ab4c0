//! Which states a cell concatenates into its output.

use super::convention::Convention;
use super::error::GeometryError;
use crate::image::{Cell, CellRole, CnnArch, State};

/// Which states of a cell are concatenated along channels into its output.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Concat {
    /// The states that no node reads, cell inputs included, in ascending order (docs/specification.md, a.2).
    LooseEnds,
    /// All nodes and no cell input.
    Nodes,
    /// These states in this order.
    States(Vec<State>),
}

impl Concat {
    /// What the cells of a code base concatenate where no list is given.
    pub fn of(convention: Convention) -> Concat {
        if convention.rules().concatenates_nodes { Concat::Nodes } else { Concat::LooseEnds }
    }

    /// The states of a cell that are meant.
    ///
    /// # Errors
    /// When a list is empty, repeats a state or names one that the cell lacks.
    pub fn states(&self, role: CellRole, cell: &Cell) -> Result<Vec<State>, GeometryError> {
        match self {
            Concat::LooseEnds => Ok(cell.loose_ends()),
            Concat::Nodes => Ok((0..cell.nodes().len()).map(State::of_node).collect()),
            Concat::States(states) => {
                let last = State::of_node(cell.nodes().len() - 1);
                let known = states.iter().all(|&state| state <= last);
                let distinct = states.iter().enumerate().all(|(at, state)| !states[..at].contains(state));
                if states.is_empty() || !known || !distinct {
                    return Err(GeometryError::Concat { role, states: states.clone(), last });
                }
                Ok(states.clone())
            }
        }
    }
}

/// What the two cells of an architecture concatenate. Spaces that search it have no place for it in their
/// strings; it comes with the published cells that need it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CellOutputs {
    /// Of the normal cell.
    pub normal: Concat,
    /// Of the reduction cell.
    pub reduction: Concat,
}

impl CellOutputs {
    /// The same rule for both cells.
    pub fn both(concat: Concat) -> Self {
        CellOutputs { normal: concat.clone(), reduction: concat }
    }

    /// Lists of states.
    pub fn lists(normal: Vec<State>, reduction: Vec<State>) -> Self {
        CellOutputs { normal: Concat::States(normal), reduction: Concat::States(reduction) }
    }

    pub(super) fn of_arch(&self, arch: &CnnArch) -> Result<OutputStates, GeometryError> {
        Ok(OutputStates {
            normal: self.normal.states(CellRole::Normal, &arch.normal)?,
            reduction: self.reduction.states(CellRole::Reduction, &arch.reduction)?,
        })
    }
}

/// The states that the two cells of an architecture concatenate.
pub(super) struct OutputStates {
    normal: Vec<State>,
    reduction: Vec<State>,
}

impl OutputStates {
    pub fn of(&self, role: CellRole) -> &[State] {
        match role {
            CellRole::Normal => &self.normal,
            CellRole::Reduction => &self.reduction,
        }
    }
}
