//! Recurrent cells: nodes that each apply an activation to one earlier node (docs/specification.md, b).

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a node does to its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Hyperbolic tangent.
    Tanh,
    /// `max(x, 0)`.
    Relu,
    /// The input itself.
    Identity,
    /// Logistic function.
    Sigmoid,
}

impl Activation {
    /// The name, as in JSON: `tanh`, `relu`, `identity`, `sigmoid`.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Tanh => "tanh",
            Activation::Relu => "relu",
            Activation::Identity => "identity",
            Activation::Sigmoid => "sigmoid",
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A hidden vector inside a recurrent cell: 0 is what the fixed first node makes of word and memory, the
/// searched nodes make 1, 2, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RnnState(pub u8);

impl RnnState {
    /// The state that searched node `node` (counted from 0) makes.
    pub fn of_node(node: usize) -> RnnState {
        RnnState((node + 1) as u8)
    }

    /// The index of the state.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for RnnState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A searched node: `s = p + sigmoid(c) * (activation(u) - p)` with `[c, u] = p W` for its input state `p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RnnNode {
    /// The state that it reads.
    pub input: RnnState,
    /// What it does to the candidate.
    pub activation: Activation,
}

/// A recurrent cell of 1 to [`RnnArch::MAX_NODES`] searched nodes, each of which reads an earlier one. The cell's
/// output is the mean of all searched nodes, read or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RnnArch {
    nodes: Vec<RnnNode>,
}

impl RnnArch {
    /// The largest number of searched nodes.
    pub const MAX_NODES: usize = 64;

    /// A cell of these searched nodes, in order.
    ///
    /// # Errors
    /// When there are no nodes or too many, or a node reads itself or a later one.
    pub fn new(nodes: Vec<RnnNode>) -> Result<Self, InvalidRnnArch> {
        if nodes.is_empty() || nodes.len() > RnnArch::MAX_NODES {
            return Err(InvalidRnnArch::NodeCount { nodes: nodes.len() });
        }
        for (node, &RnnNode { input, .. }) in nodes.iter().enumerate() {
            if input >= RnnState::of_node(node) {
                return Err(InvalidRnnArch::ForwardInput { node, input });
            }
        }
        Ok(RnnArch { nodes })
    }

    /// The searched nodes in order; node k makes state k + 1.
    pub fn nodes(&self) -> &[RnnNode] {
        &self.nodes
    }
}

/// Why nodes do not make a recurrent cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRnnArch {
    /// No nodes, or more than a cell may have.
    #[error("a recurrent cell has 1 to {} searched nodes, this one has {nodes}", RnnArch::MAX_NODES)]
    NodeCount {
        /// The number of nodes given.
        nodes: usize,
    },
    /// A node reads itself or a later node.
    #[error("node {node} reads state {input}; it may read states 0 to {node} only")]
    ForwardInput {
        /// The node, counted from 0.
        node: usize,
        /// The state that it reads.
        input: RnnState,
    },
}

/// The order of the activations, which fixes their ids in text and their tokens. The authors have two, so a
/// string of one must be rewritten before the other reads it (docs/specification.md, f.32): read it in one space, write
/// it in the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ActivationOrder {
    /// Without weight sharing: 0 tanh, 1 relu, 2 identity, 3 sigmoid.
    #[default]
    Nao,
    /// With weight sharing: 0 tanh, 1 relu, 2 sigmoid, 3 identity.
    NaoWs,
}

impl ActivationOrder {
    /// The activations by id.
    pub fn activations(self) -> [Activation; 4] {
        use Activation::{Identity, Relu, Sigmoid, Tanh};
        match self {
            ActivationOrder::Nao => [Tanh, Relu, Identity, Sigmoid],
            ActivationOrder::NaoWs => [Tanh, Relu, Sigmoid, Identity],
        }
    }

    /// The name, as in names of spaces: `nao`, `nao-ws`.
    pub fn name(self) -> &'static str {
        match self {
            ActivationOrder::Nao => "nao",
            ActivationOrder::NaoWs => "nao-ws",
        }
    }

    /// The id of an activation.
    pub(super) fn id(self, activation: Activation) -> usize {
        let known = self.activations().iter().position(|&known| known == activation);
        known.expect("every order has all activations")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(input: u8) -> RnnNode {
        RnnNode { input: RnnState(input), activation: Activation::Tanh }
    }

    #[test]
    fn a_node_may_not_read_itself() {
        let error = RnnArch::new(vec![node(0), node(2)]).unwrap_err();
        assert_eq!(error, InvalidRnnArch::ForwardInput { node: 1, input: RnnState(2) });
        assert!(error.to_string().contains("states 0 to 1 only"));
        assert!(RnnArch::new(vec![node(0), node(1)]).is_ok());
    }

    #[test]
    fn a_cell_needs_nodes_but_not_sixty_five() {
        assert!(RnnArch::new(vec![]).is_err());
        assert!(RnnArch::new(vec![node(0); 65]).is_err());
        assert!(RnnArch::new(vec![node(0); 64]).is_ok());
    }
}
