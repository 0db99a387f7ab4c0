//! Cells of NAS-Bench-201 and their operations.

use std::fmt;

use crate::image::{Border, Op};

/// What an edge of a NAS-Bench-201 cell does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeOp {
    /// No edge: zeros.
    None,
    /// The input itself.
    SkipConnect,
    /// ReLU, 1x1 convolution, batch norm.
    NorConv1x1,
    /// ReLU, 3x3 convolution, batch norm.
    NorConv3x3,
    /// Mean over a 3x3 window, borders ignored.
    AvgPool3x3,
}

impl EdgeOp {
    /// All of them, in the order of their tokens and of the digits in tables.
    pub const ALL: [EdgeOp; 5] =
        [EdgeOp::None, EdgeOp::SkipConnect, EdgeOp::NorConv1x1, EdgeOp::NorConv3x3, EdgeOp::AvgPool3x3];

    /// The benchmark's name.
    pub fn name(self) -> &'static str {
        match self {
            EdgeOp::None => "none",
            EdgeOp::SkipConnect => "skip_connect",
            EdgeOp::NorConv1x1 => "nor_conv_1x1",
            EdgeOp::NorConv3x3 => "nor_conv_3x3",
            EdgeOp::AvgPool3x3 => "avg_pool_3x3",
        }
    }

    /// The operation of that name.
    pub fn named(name: &str) -> Option<EdgeOp> {
        EdgeOp::ALL.into_iter().find(|op| op.name() == name)
    }

    /// The operation in the words of all spaces.
    pub fn op(self) -> Op {
        match self {
            EdgeOp::None => Op::Zero,
            EdgeOp::SkipConnect => Op::Identity,
            EdgeOp::NorConv1x1 => Op::Conv { kernel: 1 },
            EdgeOp::NorConv3x3 => Op::Conv { kernel: 3 },
            EdgeOp::AvgPool3x3 => Op::AvgPool { kernel: 3, border: Border::Ignored },
        }
    }
}

impl fmt::Display for EdgeOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A NAS-Bench-201 cell: node 0 is the input, each of nodes 1 to 3 sums an operation on every earlier node, node
/// 3 is the output.
///
/// In JSON it is the benchmark's string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NasBench201Arch {
    /// The edges in the order of the notation: 0→1, 0→2, 1→2, 0→3, 1→3, 2→3.
    pub edges: [EdgeOp; NasBench201Arch::EDGES],
}

impl NasBench201Arch {
    /// Number of nodes, the input included.
    pub const NODES: usize = 4;
    /// Number of edges.
    pub const EDGES: usize = 6;
    /// Number of cells, all spellings counted.
    pub(super) const CELLS: usize = EdgeOp::ALL.len().pow(NasBench201Arch::EDGES as u32);

    /// The inputs of a node: source node and operation. Node 0 and nodes after 3 have none.
    pub fn inputs(&self, node: usize) -> impl Iterator<Item = (usize, EdgeOp)> + '_ {
        let edges = match node {
            1 => &self.edges[..1],
            2 => &self.edges[1..3],
            3 => &self.edges[3..],
            _ => &[],
        };
        edges.iter().copied().enumerate()
    }

    /// What the cell computes, as the benchmark writes it (`unique_str`): `0` is the input, `#` is zero, and
    /// `(x)@op` an operation on x.
    ///
    /// Skips are seen through, an operation on zero is zero, sums are sorted. A sum that is passed on by a skip
    /// stays together, and zeros in a sum stay, so a few cells that compute the same have different texts; the
    /// 6,466 texts are the classes of which the benchmark speaks.
    pub fn function(&self) -> String {
        let mut nodes = vec!["0".to_owned()];
        for node in 1..NasBench201Arch::NODES {
            let mut terms: Vec<String> =
                self.inputs(node).map(|(source, op)| term(op, &nodes[source])).collect();
            terms.sort_unstable();
            nodes.push(terms.join("+"));
        }
        nodes.swap_remove(NasBench201Arch::NODES - 1)
    }

    /// The place of the cell among all, in the order of their edges.
    pub(super) fn rank(&self) -> usize {
        self.edges.iter().fold(0, |rank, &op| rank * EdgeOp::ALL.len() + op as usize)
    }

    /// The cell at a place.
    pub(super) fn of_rank(mut rank: usize) -> Self {
        let mut edges = [EdgeOp::None; NasBench201Arch::EDGES];
        for edge in edges.iter_mut().rev() {
            *edge = EdgeOp::ALL[rank % EdgeOp::ALL.len()];
            rank /= EdgeOp::ALL.len();
        }
        NasBench201Arch { edges }
    }
}

/// One summand of a node.
fn term(op: EdgeOp, input: &str) -> String {
    match op {
        EdgeOp::None => "#".to_owned(),
        _ if input == "#" => "#".to_owned(),
        EdgeOp::SkipConnect => input.to_owned(),
        op => format!("({input})@{op}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_a_cell_lacks_read_nothing() {
        let arch = NasBench201Arch { edges: [EdgeOp::SkipConnect; NasBench201Arch::EDGES] };
        let inputs = [0, 1, 2, 3, 4, usize::MAX].map(|node| arch.inputs(node).count());
        assert_eq!(inputs, [0, 1, 2, 3, 0, 0]);
    }
}
