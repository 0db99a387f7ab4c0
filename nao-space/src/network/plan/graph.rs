//! Networks that are no stack of cells: blocks joined into any graph without cycles.

use std::fmt;

use crate::network::block::{Block, BlockError, BlockRole};
use crate::network::cost::Cost;
use crate::network::layer::{FeatureShape, Layer};

/// A feature map of a graph: the images, or what a node makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GraphValue(usize);

impl GraphValue {
    /// Its position: 0 for the images, k + 1 for what node k makes.
    pub fn index(self) -> usize {
        self.0
    }

    /// The node that makes it; `None` for the images.
    pub fn node(self) -> Option<usize> {
        self.0.checked_sub(1)
    }
}

impl fmt::Display for GraphValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node() {
            None => f.write_str("the images"),
            Some(node) => write!(f, "node {node}"),
        }
    }
}

/// How a node that reads several maps makes one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Join {
    /// Element by element; all of one shape.
    Sum,
    /// Along channels in the order given; all of one height and width.
    Concat,
}

impl fmt::Display for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Join::Sum => "added",
            Join::Concat => "concatenated",
        })
    }
}

/// A node: maps joined into one, then a block of layers on that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphNode {
    /// What it reads: one map or more, each older than the node.
    pub inputs: Vec<GraphValue>,
    /// How several maps become one; says nothing about a single map.
    pub join: Join,
    /// The layers on the joined map; none at all pass it on.
    pub block: Block,
}

/// A network of joined blocks, layer by layer. The last node makes the logits.
///
/// ```
/// use nao_space::network::{BlockRole, ConvSpec, FeatureShape, GraphPlan, Join, Layer};
/// let conv = |input, output| {
///     [Layer::Conv(ConvSpec::same(input, output, [3, 3])), Layer::BatchNorm { channels: output }]
/// };
/// let mut graph = GraphPlan::new(FeatureShape::new(32, 32, 3));
/// let stem = graph.add(graph.images(), BlockRole::Stem, conv(3, 16))?;
/// let branch = graph.add(stem, BlockRole::Layers, conv(16, 16))?;
/// let residual = graph.join(Join::Sum, &[stem, branch], BlockRole::Layers, [Layer::Relu])?;
/// let linear = Layer::Linear { input: 16, output: 10, bias: true };
/// graph.add(residual, BlockRole::Head, [Layer::GlobalAveragePool, linear])?;
/// assert_eq!(graph.output(), FeatureShape::new(1, 1, 10));
/// assert_eq!(graph.cost().params, 27 * 16 + 32 + 9 * 16 * 16 + 32 + 170);
/// # Ok::<(), nao_space::network::GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphPlan {
    input: FeatureShape,
    nodes: Vec<GraphNode>,
}

/// Why a node cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Nothing to read.
    #[error("node {node} reads nothing; give it one map or more")]
    NoInput {
        /// The node, counted from 0.
        node: usize,
    },
    /// A map of another graph.
    #[error("node {node} reads {value}, which this graph does not have yet")]
    Unknown {
        /// The node, counted from 0.
        node: usize,
        /// What it reads.
        value: GraphValue,
    },
    /// Maps that do not go together.
    #[error(
        "node {node}: maps of {} cannot be {join}; {}",
        .shapes.iter().map(FeatureShape::to_string).collect::<Vec<_>>().join(" and "),
        match .join {
            Join::Sum => "they must have one shape",
            Join::Concat => "they must have one height and width",
        }
    )]
    Join {
        /// The node, counted from 0.
        node: usize,
        /// What is to be done with them.
        join: Join,
        /// Their shapes.
        shapes: Vec<FeatureShape>,
    },
    /// A layer that does not fit.
    #[error("node {node}: {source}")]
    Block {
        /// The node, counted from 0.
        node: usize,
        /// The layer and its shape.
        source: BlockError,
    },
    /// A setting of a family of networks that it does not allow.
    #[error("{what} is {value}: it must be {rule}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: usize,
        /// What it must be.
        rule: &'static str,
    },
}

impl GraphPlan {
    /// A graph of no nodes on images of that shape.
    pub fn new(images: FeatureShape) -> Self {
        GraphPlan { input: images, nodes: Vec::new() }
    }

    /// The images, for nodes to read.
    pub fn images(&self) -> GraphValue {
        GraphValue(0)
    }

    /// Adds a node that reads one map, and returns what it makes.
    ///
    /// # Errors
    /// When the map is not of this graph or a layer does not fit its shape.
    pub fn add(
        &mut self,
        input: GraphValue,
        role: BlockRole,
        layers: impl IntoIterator<Item = Layer>,
    ) -> Result<GraphValue, GraphError> {
        self.join(Join::Sum, &[input], role, layers)
    }

    /// Adds a node that joins maps and returns what its layers make of them.
    ///
    /// # Errors
    /// When there are no maps, one is not of this graph, they cannot be joined, or a layer does not fit.
    pub fn join(
        &mut self,
        join: Join,
        inputs: &[GraphValue],
        role: BlockRole,
        layers: impl IntoIterator<Item = Layer>,
    ) -> Result<GraphValue, GraphError> {
        let node = self.nodes.len();
        let mut shapes = Vec::with_capacity(inputs.len());
        for &value in inputs {
            shapes.push(self.shape(value).ok_or(GraphError::Unknown { node, value })?);
        }
        let Some(joined) = joined(join, &shapes) else {
            let nothing = shapes.is_empty();
            return Err(if nothing {
                GraphError::NoInput { node }
            } else {
                GraphError::Join { node, join, shapes }
            });
        };
        let block = Block::new(role, joined, layers).map_err(|source| GraphError::Block { node, source })?;
        self.nodes.push(GraphNode { inputs: inputs.to_vec(), join, block });
        Ok(GraphValue(self.nodes.len()))
    }

    /// The shape of a map; `None` when it is not of this graph.
    pub fn shape(&self, value: GraphValue) -> Option<FeatureShape> {
        match value.node() {
            None => Some(self.input),
            Some(node) => self.nodes.get(node).map(|node| node.block.output),
        }
    }

    /// The shape of the images.
    pub fn input(&self) -> FeatureShape {
        self.input
    }

    /// The nodes in order; each reads older ones only.
    pub fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    /// The shape of what the last node makes: the logits, once the graph is complete.
    pub fn output(&self) -> FeatureShape {
        self.nodes.last().map_or(self.input, |node| node.block.output)
    }

    /// The sum over all blocks; joins cost nothing, as papers count.
    pub fn cost(&self) -> Cost {
        self.nodes.iter().map(|node| node.block.cost()).sum()
    }
}

/// The shape of joined maps; `None` when they do not go together, or there are none.
fn joined(join: Join, shapes: &[FeatureShape]) -> Option<FeatureShape> {
    let (&first, others) = shapes.split_first()?;
    let fit = others.iter().all(|&other| match join {
        Join::Sum => other == first,
        Join::Concat => other.same_size(first),
    });
    if !fit {
        return None;
    }
    match join {
        Join::Sum => Some(first),
        Join::Concat => {
            let mut channels = shapes.iter().map(|shape| shape.channels);
            channels.try_fold(0usize, |sum, own| sum.checked_add(own)).map(|sum| first.with_channels(sum))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::ConvSpec;

    fn conv(input: usize, output: usize, stride: usize) -> Layer {
        Layer::Conv(ConvSpec { stride: [stride; 2], ..ConvSpec::same(input, output, [3, 3]) })
    }

    #[test]
    fn joins_check_shapes_and_say_them() {
        let mut graph = GraphPlan::new(FeatureShape::new(8, 8, 3));
        let images = graph.images();
        let wide = graph.add(images, BlockRole::Layers, [conv(3, 4, 1)]).unwrap();
        let small = graph.add(images, BlockRole::Layers, [conv(3, 4, 2)]).unwrap();
        let mut message = |join, inputs: &[GraphValue]| {
            graph.join(join, inputs, BlockRole::Layers, []).map_err(|error| error.to_string())
        };
        let refused = message(Join::Sum, &[wide, images]).unwrap_err();
        assert_eq!(refused, "node 2: maps of 8x8x4 and 8x8x3 cannot be added; they must have one shape");
        let refused = message(Join::Concat, &[wide, small]).unwrap_err();
        assert!(refused.contains("8x8x4 and 4x4x4 cannot be concatenated; they must have one height"));
        assert!(message(Join::Sum, &[]).unwrap_err().contains("reads nothing"));
        assert!(message(Join::Sum, &[GraphValue(7)]).unwrap_err().contains("reads node 6"));
        let both = message(Join::Concat, &[wide, images, wide]).unwrap();
        assert_eq!(graph.shape(both), Some(FeatureShape::new(8, 8, 11)));
        let error = graph.add(both, BlockRole::Layers, [Layer::Relu, conv(3, 3, 1)]).unwrap_err();
        assert!(error.to_string().starts_with("node 3: layer 1 of the block cannot read a map of 8x8x11"));
        assert_eq!(graph.nodes().len(), 3, "refused nodes are not added");
    }
}
