//! One cell: nodes that each add two operations on earlier states (docs/specification.md, a.2).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::op::Op;

/// A feature map inside a cell: 0 and 1 are the cell inputs (older, newer), node k makes state k + 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(pub u8);

impl State {
    /// Number of cell inputs: the outputs of the two previous cells.
    pub const INPUTS: usize = 2;

    /// The state that node `node` (counted from 0) makes.
    pub fn of_node(node: usize) -> State {
        State((node + State::INPUTS) as u8)
    }

    /// The index of the state.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Whether this is one of the two cell inputs.
    pub fn is_cell_input(self) -> bool {
        self.index() < State::INPUTS
    }

    /// The node that makes this state; `None` for a cell input.
    pub fn node(self) -> Option<usize> {
        self.index().checked_sub(State::INPUTS)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One branch of a node: an operation applied to an earlier state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// The state that the operation reads.
    pub input: State,
    /// The operation.
    pub op: Op,
}

/// A node: the sum of its two branches, `op_x(state[x]) + op_y(state[y])`. The sum commutes, so
/// exchanging the branches changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Node {
    /// The x branch and the y branch.
    pub edges: [Edge; 2],
}

/// A cell of 1 to [`Cell::MAX_NODES`] nodes in which every node reads cell inputs or earlier nodes only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    nodes: Vec<Node>,
}

impl Cell {
    /// The largest number of nodes of a cell.
    pub const MAX_NODES: usize = 12;

    /// A cell of these nodes, in order.
    ///
    /// # Errors
    /// When there are no nodes or too many, or a node reads itself or a later one.
    pub fn new(nodes: Vec<Node>) -> Result<Self, InvalidCell> {
        if nodes.is_empty() || nodes.len() > Cell::MAX_NODES {
            return Err(InvalidCell::NodeCount { nodes: nodes.len() });
        }
        for (index, node) in nodes.iter().enumerate() {
            for edge in node.edges {
                if edge.input >= State::of_node(index) {
                    return Err(InvalidCell::ForwardInput { node: index, input: edge.input });
                }
            }
        }
        Ok(Cell { nodes })
    }

    /// The nodes in order; node k makes state k + 2.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All edges, node by node, x branch before y branch.
    pub fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        self.nodes.iter().flat_map(|node| node.edges)
    }

    /// The cell with the branches of one node exchanged, `None` where there is no such node.
    ///
    /// A node adds its branches, so this is another spelling of the same cell. The authors train their
    /// controller on one such exchange per cell (docs/specification.md, c.4).
    pub fn with_branches_exchanged(&self, node: usize) -> Option<Cell> {
        let mut nodes = self.nodes.clone();
        nodes.get_mut(node)?.edges.swap(0, 1);
        Some(Cell { nodes })
    }

    /// The states that no node reads, cell inputs included, in ascending order. Their concatenation is the
    /// output of the cell; the last node is always among them (docs/specification.md, a.2).
    pub fn loose_ends(&self) -> Vec<State> {
        let states = self.nodes.len() + State::INPUTS;
        let mut read = [false; Cell::MAX_NODES + State::INPUTS];
        for edge in self.edges() {
            read[edge.input.index()] = true;
        }
        (0..states).filter(|&state| !read[state]).map(|state| State(state as u8)).collect()
    }
}

/// Why nodes do not make a cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCell {
    /// No nodes, or more than a cell may have.
    #[error("a cell has 1 to {} nodes, this one has {nodes}", Cell::MAX_NODES)]
    NodeCount {
        /// The number of nodes given.
        nodes: usize,
    },
    /// A node reads itself or a later node.
    #[error("node {node} reads state {input}; it may read states 0 to {} only", .node + 1)]
    ForwardInput {
        /// The node, counted from 0.
        node: usize,
        /// The state that it reads.
        input: State,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(x: u8, y: u8) -> Node {
        let edge = |state| Edge { input: State(state), op: Op::Identity };
        Node { edges: [edge(x), edge(y)] }
    }

    #[test]
    fn loose_ends_are_the_unread_states_with_cell_inputs() {
        let cell = Cell::new(vec![node(1, 1), node(2, 1), node(2, 2)]).unwrap();
        assert_eq!(cell.loose_ends(), [State(0), State(3), State(4)]);
    }

    #[test]
    fn exchanging_branches_touches_one_node_and_is_undone_by_itself() {
        let cell = Cell::new(vec![node(0, 1), node(2, 0)]).unwrap();
        let exchanged = cell.with_branches_exchanged(1).unwrap();
        assert_eq!(exchanged.nodes(), [node(0, 1), node(0, 2)]);
        assert_eq!(exchanged.with_branches_exchanged(1), Some(cell.clone()));
        assert_eq!(cell.with_branches_exchanged(2), None);
    }

    #[test]
    fn a_node_may_not_read_itself() {
        let error = Cell::new(vec![node(0, 1), node(0, 3)]).unwrap_err();
        assert_eq!(error, InvalidCell::ForwardInput { node: 1, input: State(3) });
        assert!(error.to_string().contains("states 0 to 2 only"));
    }

    #[test]
    fn a_cell_needs_nodes_but_not_thirteen() {
        assert!(Cell::new(vec![]).is_err());
        assert!(Cell::new(vec![node(0, 1); 13]).is_err());
        assert!(Cell::new(vec![node(0, 1); 12]).is_ok());
    }
}
