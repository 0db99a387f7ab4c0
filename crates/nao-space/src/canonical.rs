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

use crate::cell::{Cell, Edge, Node, State};

/// An order of the nodes of a cell under construction, with the states they get.
#[derive(Clone)]
struct Numbering {
    /// The new state of every old state; `None` while a node is not placed.
    state: Vec<Option<State>>,
    nodes: Vec<Node>,
}

impl Numbering {
    fn start(cell: &Cell) -> Self {
        let mut state = vec![None; cell.nodes().len() + State::INPUTS];
        for (input, slot) in state.iter_mut().take(State::INPUTS).enumerate() {
            *slot = Some(State(input as u8));
        }
        Numbering { state, nodes: Vec::with_capacity(cell.nodes().len()) }
    }

    /// The node as it reads under this numbering, edges sorted; `None` while one of its inputs, is not placed.
    fn respelled(&self, node: &Node) -> Option<Node> {
        let rename = |edge: Edge| Some(Edge { input: self.state[edge.input.index()]?, op: edge.op });
        let mut edges = [rename(node.edges[0])?, rename(node.edges[1])?];
        edges.sort_unstable();
        Some(Node { edges })
    }

    fn is_placed(&self, old: usize) -> bool {
        self.state[State::of_node(old).index()].is_some()
    }

    fn place(&mut self, old: usize, node: Node) {
        self.state[State::of_node(old).index()] = Some(State::of_node(self.nodes.len()));
        self.nodes.push(node);
    }
}

/// The canonical spelling of a cell.
pub fn canonical_cell(cell: &Cell) -> Cell {
    let mut best = None;
    extend(cell, Numbering::start(cell), &mut best);
    let nodes = best.unwrap_or_else(|| cell.nodes().to_vec());
    Cell::new(nodes).expect("a topological renumbering of a valid cell is valid")
}

fn extend(cell: &Cell, mut numbering: Numbering, best: &mut Option<Vec<Node>>) {
    while numbering.nodes.len() < cell.nodes().len() {
        let ready = cell.nodes().iter().enumerate().filter(|&(old, _)| !numbering.is_placed(old));
        let ready: Vec<(Node, usize)> =
            ready.filter_map(|(old, node)| Some((numbering.respelled(node)?, old))).collect();
        let Some(&(smallest, first)) = ready.iter().min() else { return };
        let tied = ready.iter().filter(|&&(node, _)| node == smallest).map(|&(_, old)| old);
        // Twins with the same readers are exchangeable: following one of them is enough.
        let mut choices: Vec<(usize, Vec<Reader>)> = Vec::new();
        for old in tied {
            let readers = readers(cell, old);
            if !choices.iter().any(|(_, known)| *known == readers) {
                choices.push((old, readers));
            }
        }
        if choices.len() > 1 {
            for (old, _) in choices {
                let mut branch = numbering.clone();
                branch.place(old, smallest);
                extend(cell, branch, best);
            }
            return;
        }
        numbering.place(first, smallest);
    }
    if best.as_ref().is_none_or(|known| numbering.nodes < *known) {
        *best = Some(numbering.nodes);
    }
}

/// A node that reads another one, with what it does to it and what it adds to that.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Reader {
    node: usize,
    edge: Option<Edge>,
    op: crate::op::Op,
}

/// Who reads node `old`, and how. Two twins with equal lists can change places: the list names the
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
    while numbering.nodes.len() < cell.nodes().len() {
        let ready = cell.nodes().iter().enumerate().filter(|&(old, _)| !numbering.is_placed(old));
        let ready: Vec<(usize, Node)> =
            ready.filter_map(|(old, node)| Some((old, numbering.respelled(node)?))).collect();
        let (old, mut node) = ready[rng.random_range(0..ready.len())];
        if rng.random() {
            node.edges.swap(0, 1);
        }
        numbering.place(old, node);
    }
    Cell::new(numbering.nodes).expect("a topological renumbering of a valid cell is valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Op;

    const A: Op = Op::Conv { kernel: 1 };
    const B: Op = Op::Conv { kernel: 3 };

    fn cell(nodes: &[[(u8, Op); 2]]) -> Cell {
        let node = |pair: &[(u8, Op); 2]| Node { edges: pair.map(|(s, op)| Edge { input: State(s), op }) };
        Cell::new(nodes.iter().map(node).collect()).unwrap()
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
        let twins = vec![[(0, A), (1, A)]; 8];
        let readers = [[(2, A), (3, B)], [(4, A), (5, B)], [(6, A), (7, B)], [(8, A), (9, B)]];
        let wide = cell(&[&twins[..], &readers].concat());
        assert_eq!(canonical_cell(&canonical_cell(&wide)), canonical_cell(&wide));
    }
}
