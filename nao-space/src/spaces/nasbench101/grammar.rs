//! The grammar of NAS-Bench-101 sequences: which symbol may come next so that a valid cell comes out.

use super::cell::{NasBench101Arch, VertexOp, VertexSet};
use crate::language::Token;

/// The meaning of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    NoEdge,
    Edge,
    Op(VertexOp),
    Output,
    /// Fills the places of vertices that the cell does not have.
    NoVertex,
}

impl Symbol {
    /// All symbols in the order of their tokens, which start at 1 (docs/specification.md, g, with a token of its own
    /// for missing vertices).
    pub(super) const ALL: [Symbol; 7] = [
        Symbol::NoEdge,
        Symbol::Edge,
        Symbol::Op(VertexOp::Conv1x1),
        Symbol::Op(VertexOp::Conv3x3),
        Symbol::Op(VertexOp::MaxPool3x3),
        Symbol::Output,
        Symbol::NoVertex,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Symbol::NoEdge => "no edge",
            Symbol::Edge => "edge",
            Symbol::Op(op) => op.name(),
            Symbol::Output => "output",
            Symbol::NoVertex => "no vertex",
        }
    }

    pub(super) fn of(token: Token) -> Option<Symbol> {
        Symbol::ALL.get(token.index().checked_sub(1)?).copied()
    }

    pub(super) fn token(self) -> Token {
        let place = Symbol::ALL.iter().position(|&known| known == self).expect("all symbols are listed");
        Token(place as u16 + 1)
    }
}

/// The sequence so far. Vertex by vertex it names the edges from vertices 0, 1, … and then the operation.
///
/// A prefix is allowed just if it can be completed. Every vertex needs an input, which makes it reachable; every
/// vertex but the output needs a reader. So vertices without a reader ("loose" ones) each cost an edge still
/// to come, and naming the output next, which reads exactly them, is the cheapest way to the end. The budget of
/// edges is kept by counting loose vertices as if their edges were there.
#[derive(Clone, Copy)]
pub(super) struct Prefix {
    /// The vertex that the next symbol is about.
    vertex: usize,
    /// The edge from this vertex is next; once it equals `vertex`, the operation is.
    source: usize,
    /// Edges into earlier vertices.
    edges: usize,
    /// Earlier vertices that no earlier vertex reads. The one just before `vertex` is always among them.
    loose: VertexSet,
    /// What the vertex reads so far.
    inputs: VertexSet,
    /// Whether the output was named.
    closed: bool,
}

impl Prefix {
    pub(super) const START: Prefix = Prefix {
        vertex: 1,
        source: 0,
        edges: 0,
        loose: VertexSet(1),
        inputs: VertexSet::EMPTY,
        closed: false,
    };

    pub(super) fn is_whole(&self) -> bool {
        self.vertex == NasBench101Arch::MAX_VERTICES
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// What the current vertex reads so far.
    pub(super) fn inputs(&self) -> VertexSet {
        self.inputs
    }

    /// The prefix with one more symbol; `None` where the grammar does not allow it.
    pub(super) fn then(mut self, symbol: Symbol) -> Option<Prefix> {
        let about_op = self.source == self.vertex;
        let allowed = !self.is_whole()
            && match symbol {
                Symbol::NoVertex => self.closed,
                _ if self.closed => false,
                Symbol::NoEdge => !about_op,
                Symbol::Edge => {
                    self.inputs = self.inputs.or(VertexSet::of(self.source));
                    !about_op
                }
                Symbol::Op(_) => about_op && self.may_be_inner(),
                Symbol::Output => about_op && self.may_be_output(),
            };
        if !allowed {
            return None;
        }
        if about_op {
            return Some(self.next_vertex(symbol));
        }
        self.source += 1;
        (self.closed || self.may_be_inner() || self.may_be_output()).then_some(self)
    }

    fn next_vertex(self, symbol: Symbol) -> Prefix {
        Prefix {
            vertex: self.vertex + 1,
            source: 0,
            edges: self.edges + self.inputs.len(),
            loose: self.loose.without(self.inputs).or(VertexSet::of(self.vertex)),
            inputs: VertexSet::EMPTY,
            closed: self.closed || symbol == Symbol::Output,
        }
    }

    /// Edges so far and those that loose vertices cost at least, if this vertex were the output.
    fn edges_needed(&self) -> usize {
        self.edges + self.loose.or(self.inputs).len()
    }

    /// Whether the vertex can become one with an operation. It then is loose itself.
    fn may_be_inner(&self) -> bool {
        let last_chance = self.source == self.vertex;
        self.vertex + 1 < NasBench101Arch::MAX_VERTICES
            && !(last_chance && self.inputs.is_empty())
            && self.edges_needed() < NasBench101Arch::MAX_EDGES
    }

    /// Whether the vertex can become the output, which has to read all loose vertices.
    fn may_be_output(&self) -> bool {
        let passed_over = self.loose.and(VertexSet::before(self.source)).without(self.inputs);
        passed_over.is_empty() && self.edges_needed() <= NasBench101Arch::MAX_EDGES
    }
}

/// The number of sequences: vertex by vertex, over the number of loose vertices and edges. What a vertex reads
/// is counted by how many loose and how many other vertices it takes.
pub(super) fn sequences() -> u64 {
    count(1, 1, 0)
}

fn count(vertex: usize, loose: usize, edges: usize) -> u64 {
    let mut all = 0;
    for from_loose in 0..=loose {
        for from_read in 0..=vertex - loose {
            let (after, left) = (edges + from_loose + from_read, loose - from_loose);
            if from_loose + from_read == 0 || after + left > NasBench101Arch::MAX_EDGES {
                continue;
            }
            let ways = binomial(loose, from_loose) * binomial(vertex - loose, from_read);
            let as_output = u64::from(left == 0);
            let as_inner =
                if vertex + 1 < NasBench101Arch::MAX_VERTICES && after + left < NasBench101Arch::MAX_EDGES {
                    VertexOp::ALL.len() as u64 * count(vertex + 1, left + 1, after)
                } else {
                    0
                };
            all += ways * (as_output + as_inner);
        }
    }
    all
}

fn binomial(n: usize, k: usize) -> u64 {
    (0..k).fold(1, |ways, taken| ways * (n - taken) as u64 / (taken + 1) as u64)
}
