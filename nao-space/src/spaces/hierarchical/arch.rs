//! Hierarchical architectures: motifs of primitives, and a cell of motifs.

use crate::image::{Border, Op};

/// An operation of the lowest level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Primitive {
    /// 1x1 convolution.
    Conv1x1,
    /// 3x3 depthwise convolution.
    DepthwiseConv3x3,
    /// 3x3 separable convolution.
    SepConv3x3,
    /// Maximum over a 3x3 window.
    MaxPool3x3,
    /// Mean over a 3x3 window.
    AvgPool3x3,
    /// The input itself.
    Identity,
}

impl Primitive {
    /// All of them, in the order of their tokens.
    pub const ALL: [Primitive; 6] = [
        Primitive::Conv1x1,
        Primitive::DepthwiseConv3x3,
        Primitive::SepConv3x3,
        Primitive::MaxPool3x3,
        Primitive::AvgPool3x3,
        Primitive::Identity,
    ];

    /// The name in text.
    pub fn name(self) -> &'static str {
        match self {
            Primitive::Conv1x1 => "conv_1x1",
            Primitive::DepthwiseConv3x3 => "depthwise_conv_3x3",
            Primitive::SepConv3x3 => "sep_conv_3x3",
            Primitive::MaxPool3x3 => "max_pool_3x3",
            Primitive::AvgPool3x3 => "avg_pool_3x3",
            Primitive::Identity => "identity",
        }
    }

    /// The primitive of that name.
    pub fn named(name: &str) -> Option<Primitive> {
        Primitive::ALL.into_iter().find(|primitive| primitive.name() == name)
    }

    /// The operation in the words of all spaces; `None` for the depthwise convolution, which no other has.
    pub fn op(self) -> Option<Op> {
        match self {
            Primitive::Conv1x1 => Some(Op::Conv { kernel: 1 }),
            Primitive::DepthwiseConv3x3 => None,
            Primitive::SepConv3x3 => Some(Op::SepConv { kernel: 3 }),
            Primitive::MaxPool3x3 => Some(Op::MaxPool { kernel: 3, border: Border::Ignored }),
            Primitive::AvgPool3x3 => Some(Op::AvgPool { kernel: 3, border: Border::Ignored }),
            Primitive::Identity => Some(Op::Identity),
        }
    }
}

/// The number of a motif in its architecture, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MotifId(pub(super) u8);

impl MotifId {
    /// The motif of that number; `None` where architectures have no such motif.
    pub fn new(number: usize) -> Option<Self> {
        (number < HierarchicalArch::MOTIFS).then_some(MotifId(number as u8))
    }

    /// The number.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A motif of primitives: an acyclic graph of four nodes, of which the first is the input and the last the output. `None`
/// is no edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Motif {
    /// The edges by the node that they lead to and the one from which: 0→1, 0→2, 1→2, 0→3, 1→3, 2→3.
    pub edges: [Option<Primitive>; HierarchicalArch::MOTIF_EDGES],
}

/// An architecture: six motifs, and a cell of five nodes with motifs on its edges. In JSON it is its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HierarchicalArch {
    /// The motifs, used or not.
    pub motifs: [Motif; HierarchicalArch::MOTIFS],
    /// The edges of the cell in the order of those of motifs: 0→1, 0→2, 1→2, …, 3→4. `None` is no edge.
    pub cell: [Option<MotifId>; HierarchicalArch::CELL_EDGES],
}

impl HierarchicalArch {
    /// Number of motifs.
    pub const MOTIFS: usize = 6;
    /// Nodes of a motif, input and output included.
    pub const MOTIF_NODES: usize = 4;
    /// Nodes of the cell, input and output included.
    pub const CELL_NODES: usize = 5;
    /// Pairs of nodes of a motif.
    pub const MOTIF_EDGES: usize = 6;
    /// Pairs of nodes of the cell.
    pub const CELL_EDGES: usize = 10;

    /// The trivial one, from which the paper's evolution starts: chains of identities.
    pub fn trivial() -> Self {
        let mut motif = Motif::default();
        let mut cell = [None; HierarchicalArch::CELL_EDGES];
        for node in 1..HierarchicalArch::MOTIF_NODES {
            motif.edges[edge(node - 1, node)] = Some(Primitive::Identity);
        }
        for node in 1..HierarchicalArch::CELL_NODES {
            cell[edge(node - 1, node)] = Some(MotifId(0));
        }
        HierarchicalArch { motifs: [motif; HierarchicalArch::MOTIFS], cell }
    }
}

/// The place of the edge between two nodes among the edges of a graph.
pub(super) fn edge(from: usize, to: usize) -> usize {
    to * (to - 1) / 2 + from
}

/// The nodes of an edge.
pub(super) fn ends(edge: usize) -> (usize, usize) {
    let mut to = 1;
    while (to + 1) * to / 2 <= edge {
        to += 1;
    }
    (edge - to * (to - 1) / 2, to)
}
