//! The canonical spelling of a cell: one representative for all orders of branches and of nodes.
//!
//! Two spellings describe one cell when they differ by exchanging the branches of nodes or by renumbering
//! nodes in another topological order. The canonical spelling is the lexicographically smallest one when
//! every node is written as its ordered pair of edges. It is built node by node: of the nodes whose inputs
//! are all numbered, the one with the smallest pair comes next; only exact ties need a choice, and both
//! ways are followed where the tied nodes are read differently.
//!
//! The concatenation of loose ends is ordered by state, so respelling may permute the output channels of a
//! cell; what can be learned is the same.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::cell::{Cell, Edge, Node, State};
use super::op::{Border, Op};

const MAX_STATES: usize = Cell::MAX_NODES + State::INPUTS;

/// The canonical spelling of a cell.
pub fn canonical_cell(cell: &Cell) -> Cell {
    let mut best = None;
    extend(cell, Numbering::start(cell), &mut best);
    let best: Numbering = best.expect("every cell has a topological order");
    let nodes = best.order().iter().map(|&old| best.respelled(&cell.nodes()[usize::from(old)]));
    Cell::new(nodes.collect()).expect("a topological renumbering of a valid cell is valid")
}

/// An edge as a number that orders like the edge: input, then operation.
type EdgeRank = u32;

/// A node as a number that orders like the node with its edges sorted.
type NodeRank = u64;

/// The rank of a node that is placed already, or cannot be placed yet.
const NOT_READY: NodeRank = NodeRank::MAX;

/// The state of a node that is not placed.
const NOT_PLACED: u8 = u8::MAX;

/// An order of the nodes of a cell under construction. Copied where two ways are followed; numbers instead of
/// edges keep that and comparing cheap.
#[derive(Clone, Copy)]
struct Numbering {
    /// The new state of every old state.
    state: [u8; MAX_STATES],
    /// The rank of every node that may come next.
    ready: [NodeRank; Cell::MAX_NODES],
    /// The old nodes in their new order, and their ranks.
    order: [u8; Cell::MAX_NODES],
    ranks: [NodeRank; Cell::MAX_NODES],
    placed: usize,
}

impl Numbering {
    fn start(cell: &Cell) -> Self {
        let mut state = [NOT_PLACED; MAX_STATES];
        (state[0], state[1]) = (0, 1);
        let mut numbering = Numbering {
            state,
            ready: [NOT_READY; Cell::MAX_NODES],
            order: [0; Cell::MAX_NODES],
            ranks: [0; Cell::MAX_NODES],
            placed: 0,
        };
        for (old, node) in cell.nodes().iter().enumerate() {
            numbering.ready[old] = numbering.rank(node);
        }
        numbering
    }

    /// The rank of a node under this numbering.
    fn rank(&self, node: &Node) -> NodeRank {
        let [x, y] = node.edges;
        let (x_input, y_input) = (self.state[x.input.index()], self.state[y.input.index()]);
        if x_input == NOT_PLACED || y_input == NOT_PLACED {
            return NOT_READY;
        }
        let (x, y) = (edge_rank(x_input, x.op), edge_rank(y_input, y.op));
        NodeRank::from(x.min(y)) << EdgeRank::BITS | NodeRank::from(x.max(y))
    }

    /// Gives node `old` the next number.
    fn place(&mut self, cell: &Cell, old: usize) {
        let state = State::of_node(old);
        self.state[state.index()] = State::of_node(self.placed).0;
        self.order[self.placed] = old as u8;
        self.ranks[self.placed] = self.ready[old];
        self.placed += 1;
        self.ready[old] = NOT_READY;
        for (reader, node) in cell.nodes().iter().enumerate().skip(old + 1) {
            if node.edges[0].input == state || node.edges[1].input == state {
                self.ready[reader] = self.rank(node);
            }
        }
    }

    fn order(&self) -> &[u8] {
        &self.order[..self.placed]
    }

    fn ranks(&self) -> &[NodeRank] {
        &self.ranks[..self.placed]
    }

    /// A placed node as it reads under this numbering, edges sorted.
    fn respelled(&self, node: &Node) -> Node {
        let [x, y] =
            node.edges.map(|edge| Edge { input: State(self.state[edge.input.index()]), op: edge.op });
        let in_order = edge_rank(x.input.0, x.op) <= edge_rank(y.input.0, y.op);
        Node { edges: if in_order { [x, y] } else { [y, x] } }
    }
}

fn edge_rank(input: u8, op: Op) -> EdgeRank {
    EdgeRank::from(input) << 16 | op_rank(op)
}

/// A number that orders like the operation, and is quicker to compare: three small matches become moves
/// where one over all fields becomes a jump that no processor predicts.
pub(crate) fn op_rank(op: Op) -> u32 {
    let family = match op {
        Op::Zero => 0,
        Op::Identity => 1,
        Op::Conv { .. } => 2,
        Op::FactorConv { .. } => 3,
        Op::SepConv { .. } => 4,
        Op::DilConv { .. } => 5,
        Op::DilSepConv { .. } => 6,
        Op::MaxPool { .. } => 7,
        Op::MinPool { .. } => 8,
        Op::AvgPool { .. } => 9,
    };
    let kernel = match op {
        Op::Zero | Op::Identity => 0,
        Op::Conv { kernel }
        | Op::FactorConv { kernel }
        | Op::SepConv { kernel }
        | Op::DilConv { kernel }
        | Op::DilSepConv { kernel }
        | Op::MinPool { kernel }
        | Op::MaxPool { kernel, .. }
        | Op::AvgPool { kernel, .. } => kernel,
    };
    let zeros = match op {
        Op::MaxPool { border, .. } | Op::AvgPool { border, .. } => border == Border::Zeros,
        _ => false,
    };
    family << 9 | u32::from(kernel) << 1 | u32::from(zeros)
}

fn extend(cell: &Cell, mut numbering: Numbering, best: &mut Option<Numbering>) {
    let nodes = cell.nodes().len();
    while numbering.placed < nodes {
        let ready = &numbering.ready[..nodes];
        let smallest = ready.iter().copied().min().unwrap_or(NOT_READY);
        let mut tied = (0..nodes).filter(|&old| ready[old] == smallest);
        let Some(first) = tied.next() else { return };
        if let Some(second) = tied.next() {
            let choices = distinct_choices(cell, [first, second].into_iter().chain(tied));
            if choices.len() > 1 {
                for old in choices {
                    let mut branch = numbering;
                    branch.place(cell, old);
                    extend(cell, branch, best);
                }
                return;
            }
        }
        numbering.place(cell, first);
    }
    if best.as_ref().is_none_or(|known| numbering.ranks() < known.ranks()) {
        *best = Some(numbering);
    }
}

/// Of tied nodes, one of each kind: twins with the same readers are exchangeable, following one is enough.
fn distinct_choices(cell: &Cell, tied: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut choices: Vec<(usize, Vec<Reader>)> = Vec::new();
    for old in tied {
        let readers = readers(cell, old);
        if !choices.iter().any(|(_, known)| *known == readers) {
            choices.push((old, readers));
        }
    }
    choices.into_iter().map(|(old, _)| old).collect()
}

/// A node that reads another one, with what it does to it and what it adds to that.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Reader {
    node: usize,
    edge: Option<Edge>,
    op: Op,
}

/// The readers of node `old`, and how they read it. Two twins with equal lists can change places: the list names the
/// other branch of every reader unless that branch reads the node too.
fn readers(cell: &Cell, old: usize) -> Vec<Reader> {
    let state = State::of_node(old);
    let mut readers = Vec::new();
    for (node, Node { edges: [x, y] }) in cell.nodes().iter().enumerate() {
        for (edge, other) in [(x, y), (y, x)] {
            if edge.input == state {
                let other = (other.input != state).then_some(*other);
                readers.push(Reader { node, edge: other, op: edge.op });
            }
        }
    }
    readers.sort_unstable();
    readers
}

/// A random spelling of the same cell: nodes in a random topological order, branches in random order.
pub fn respell_cell(cell: &Cell, rng: &mut ChaCha8Rng) -> Cell {
    let mut numbering = Numbering::start(cell);
    let mut nodes = Vec::with_capacity(cell.nodes().len());
    while numbering.placed < cell.nodes().len() {
        let ready: Vec<usize> =
            (0..cell.nodes().len()).filter(|&old| numbering.ready[old] != NOT_READY).collect();
        let old = ready[rng.random_range(0..ready.len())];
        numbering.place(cell, old);
        let mut node = numbering.respelled(&cell.nodes()[old]);
        if rng.random() {
            node.edges.swap(0, 1);
        }
        nodes.push(node);
    }
    Cell::new(nodes).expect("a topological renumbering of a valid cell is valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ALL_OPS;

    const A: Op = Op::Conv { kernel: 1 };
    const B: Op = Op::Conv { kernel: 3 };

    fn cell(nodes: &[[(u8, Op); 2]]) -> Cell {
        let node = |pair: &[(u8, Op); 2]| Node { edges: pair.map(|(s, op)| Edge { input: State(s), op }) };
        Cell::new(nodes.iter().map(node).collect()).unwrap()
    }

    #[test]
    fn ranks_order_like_operations() {
        for a in ALL_OPS {
            for b in ALL_OPS {
                assert_eq!(op_rank(a).cmp(&op_rank(b)), a.cmp(&b), "{a} and {b}");
            }
        }
        let widest = Op::AvgPool { kernel: u8::MAX, border: Border::Zeros };
        assert!(edge_rank(0, widest) < edge_rank(1, Op::Zero));
    }

    #[test]
    fn independent_nodes_may_change_places() {
        let one = cell(&[[(0, A), (1, A)], [(0, B), (1, B)], [(2, A), (3, B)]]);
        let two = cell(&[[(1, B), (0, B)], [(1, A), (0, A)], [(2, B), (3, A)]]);
        assert_eq!(canonical_cell(&one), canonical_cell(&two));
    }

    #[test]
    fn twins_are_told_apart_by_their_readers() {
        // Nodes 2 and 3 are twins; in `one` the same twin is read twice, in `two` each is read once.
        let one = cell(&[[(0, A), (1, A)], [(0, A), (1, A)], [(2, A), (2, B)]]);
        let same = cell(&[[(0, A), (1, A)], [(0, A), (1, A)], [(3, B), (3, A)]]);
        let two = cell(&[[(0, A), (1, A)], [(0, A), (1, A)], [(2, A), (3, B)]]);
        assert_eq!(canonical_cell(&one), canonical_cell(&same));
        assert_ne!(canonical_cell(&one), canonical_cell(&two));
    }

    #[test]
    fn twelve_twins_are_no_trouble() {
        let twins = [[(0, A), (1, A)]; 8];
        let readers = [[(2, A), (3, B)], [(4, A), (5, B)], [(6, A), (7, B)], [(8, A), (9, B)]];
        let wide = cell(&[&twins[..], &readers].concat());
        assert_eq!(canonical_cell(&canonical_cell(&wide)), canonical_cell(&wide));
    }
}
