//! The image cell space: a normal and a reduction cell of B nodes, two inputs and two operations per node.

mod encoding;
mod error;
mod graph;
mod text;
mod words;

use num_bigint::BigUint;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::graph::{GraphSchema, OperationGraph};
use crate::image::{
    Cell, CellRole, CnnArch, Edge, Node, Op, OpId, OpSet, State, canonical_cell, op_rank, respell_cell,
};
use crate::language::{DecodeError, Describe, Graphs, Growth, Levels, Space, Token, TokenMask, Vocabulary};
use crate::text::ParseError;

pub use encoding::{Encoding, UnknownEncoding};
pub use error::InvalidCnnSpace;
pub(in crate::spaces) use graph::{cell_graph, cell_position};
use text::format_with;
pub use text::{format_cnn, parse_cnn};
use words::Words;

/// Architectures of two cells of `nodes` nodes over one operation set (docs/specification.md, a.2). The default is the
/// paper's: 5 nodes, 11 operations.
///
/// Its language (docs/specification.md, a.5), for any number of nodes: per branch an index token (state + 1) and the
/// word of the operation, x branch before y branch, normal cell before reduction cell. The words are those of an
/// [`Encoding`]; in the usual one, CNN-40, the token of an operation is its position in the set + nodes + 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CnnSpace {
    nodes: usize,
    ops: OpSet,
    encoding: Encoding,
    words: Words,
    /// The ranks of the operations in token order, by which they are found.
    op_ranks: Vec<u32>,
    /// The ids under which they are written.
    op_ids: Vec<OpId>,
    vocabulary: Vocabulary,
}

impl Default for CnnSpace {
    fn default() -> Self {
        CnnSpace::new(5, OpSet::paper_11()).expect("the paper's space is valid")
    }
}

impl CnnSpace {
    /// The space of cells of `nodes` nodes over `ops`, encoded as [`Encoding::Pairs`].
    ///
    /// # Errors
    /// When `nodes` is not 1 to 12, or the set is empty.
    pub fn new(nodes: usize, ops: OpSet) -> Result<Self, InvalidCnnSpace> {
        CnnSpace::with_encoding(nodes, ops, Encoding::Pairs)
    }

    /// The space of cells of `nodes` nodes over `ops` in another encoding. Architectures, text and keys do
    /// not depend on it, only tokens do.
    ///
    /// ```
    /// use nao_space::{CnnSpace, Encoding, OpSet, Space};
    /// let space = CnnSpace::with_encoding(5, OpSet::tf_19(), Encoding::KindSize)?;
    /// assert_eq!((space.sequence_len(), space.vocabulary().len()), (60, 21));
    /// // The weight-sharing code has words for the five operations of ENAS only.
    /// assert!(CnnSpace::with_encoding(5, OpSet::tf_19(), Encoding::OpPair).is_err());
    /// # Ok::<(), nao_space::InvalidCnnSpace>(())
    /// ```
    ///
    /// # Errors
    /// When `nodes` is not 1 to 12, the set is empty, or the encoding has no word for one of its operations or
    /// the same for two: names them.
    pub fn with_encoding(nodes: usize, ops: OpSet, encoding: Encoding) -> Result<Self, InvalidCnnSpace> {
        if !(1..=Cell::MAX_NODES).contains(&nodes) {
            return Err(InvalidCnnSpace::Nodes { nodes });
        }
        if ops.is_empty() {
            return Err(InvalidCnnSpace::NoOps { name: ops.name().to_owned() });
        }
        let words = Words::new(&ops, encoding, nodes + State::INPUTS)?;
        let states = (0..=nodes).map(|state| encoding.state_name(state));
        let vocabulary = Vocabulary::new(states.chain(encoding.op_token_names(&ops)));
        let op_ranks = ops.ops().map(op_rank).collect();
        let op_ids = ops.ops().filter_map(|op| ops.id(op)).collect();
        Ok(CnnSpace { nodes, ops, encoding, words, op_ranks, op_ids, vocabulary })
    }

    /// Number of nodes per cell (B).
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The operations that a branch may take.
    pub fn ops(&self) -> &OpSet {
        &self.ops
    }

    /// How branches are written in tokens.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Checks that an architecture, from JSON say, belongs to this space.
    ///
    /// # Errors
    /// When a cell has another number of nodes, or an operation is not in the set: names node and choice.
    pub fn check(&self, arch: &CnnArch) -> Result<(), ParseError> {
        let other = |message: String| Err(ParseError::OtherSpace { message });
        for (role, cell) in arch.cells() {
            if cell.nodes().len() != self.nodes {
                let found = cell.nodes().len();
                return other(format!("the {role} cell has {found} nodes, the space has {}", self.nodes));
            }
            for (index, node) in cell.nodes().iter().enumerate() {
                for edge in node.edges {
                    if self.ops.position(edge.op).is_none() {
                        let allowed: Vec<String> = self.ops.ops().map(|op| op.name()).collect();
                        return other(format!(
                            "{role} cell, node {index}: `{}` is not in {}, which has {}",
                            edge.op,
                            self.ops.name(),
                            allowed.join(", ")
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    fn tokens_per_cell(&self) -> usize {
        2 * self.nodes * self.tokens_per_step()
    }

    fn index_token(state: State) -> Token {
        Token(u16::from(state.0) + 1)
    }

    /// As [`OpSet::position`], but quick enough for millions of keys: it compares numbers, and all of them,
    /// for where a loop over random operations ends is nothing that a processor predicts.
    fn op_position(&self, op: Op) -> Option<usize> {
        let rank = op_rank(op);
        let places =
            self.op_ranks.iter().zip(1..).map(|(&known, place)| if known == rank { place } else { 0 });
        places.sum::<usize>().checked_sub(1)
    }

    /// The cell of these tokens, if the grammar allows them all.
    fn cell(&self, tokens: &[Token]) -> Option<Cell> {
        let step = self.tokens_per_step();
        let mut nodes = Vec::with_capacity(self.nodes);
        for (node, tokens) in tokens.chunks_exact(2 * step).enumerate() {
            let (x, y) = tokens.split_at(step);
            nodes.push(Node { edges: [self.edge(node, x)?, self.edge(node, y)?] });
        }
        Cell::new(nodes).ok()
    }

    /// The growth by nodes, of both cells alike, in which later nodes are `idle`.
    pub(in crate::spaces) fn growth_around(&self, idle: Node) -> Growth {
        let cell = Cell::new(vec![idle; self.nodes]).expect("idle nodes read an input");
        let placeholder = self.encode(&CnnArch { normal: cell.clone(), reduction: cell });
        let width = 2 * self.tokens_per_step();
        let both = |position: usize| vec![position, position + self.tokens_per_cell()];
        let node = |node: usize| (node * width..(node + 1) * width).map(both).collect();
        Growth::new(placeholder, (0..self.nodes).map(node).collect())
    }

    fn edge(&self, node: usize, step: &[Token]) -> Option<Edge> {
        let (index, word) = step.split_first()?;
        let state = index.index().checked_sub(1).filter(|&state| state < node + State::INPUTS)?;
        let op = self.ops.get(self.words.position(word)?)?;
        Some(Edge { input: State(state as u8), op })
    }

    fn random_edge(&self, node: usize, rng: &mut ChaCha8Rng) -> Edge {
        let input = State(rng.random_range(0..node + State::INPUTS) as u8);
        let op = self.ops.get(rng.random_range(0..self.ops.len())).expect("the position is in range");
        Edge { input, op }
    }

    fn random_cell(&self, rng: &mut ChaCha8Rng) -> Cell {
        let node = |index| Node { edges: std::array::from_fn(|_| self.random_edge(index, rng)) };
        Cell::new((0..self.nodes).map(node).collect()).expect("inputs are drawn from earlier states")
    }

    /// Number of choices for one edge of node `node`.
    fn edge_choices(&self, node: usize) -> usize {
        (node + State::INPUTS) * self.ops.len()
    }
}

/// `cell` with one edge replaced.
fn with_edge(cell: &Cell, node: usize, branch: usize, edge: Edge) -> Cell {
    let mut nodes = cell.nodes().to_vec();
    nodes[node].edges[branch] = edge;
    Cell::new(nodes).expect("the new edge reads an earlier state")
}

impl CnnSpace {
    /// The architecture of tokens; `None` where they are no sequence.
    fn arch(&self, tokens: &[Token]) -> Option<CnnArch> {
        if tokens.len() != self.sequence_len() {
            return None;
        }
        let (normal, reduction) = tokens.split_at(self.tokens_per_cell());
        Some(CnnArch { normal: self.cell(normal)?, reduction: self.cell(reduction)? })
    }
}

impl Space for CnnSpace {
    type Arch = CnnArch;

    fn name(&self) -> String {
        let name = format!("cnn/{}/{}", self.ops.name(), self.nodes);
        if self.encoding == Encoding::Pairs { name } else { format!("{name}/{}", self.encoding) }
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn sequence_len(&self) -> usize {
        2 * self.tokens_per_cell()
    }

    fn tokens_per_step(&self) -> usize {
        1 + self.encoding.word_len()
    }

    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        let len = self.vocabulary.len();
        if prefix.len() >= self.sequence_len() {
            return TokenMask::none(len);
        }
        let branch = prefix.len() / self.tokens_per_step();
        match &prefix[branch * self.tokens_per_step()..] {
            [] => {
                let node = branch % (2 * self.nodes) / 2;
                TokenMask::range(len, 1..node + State::INPUTS + 1)
            }
            [_, begun @ ..] => self.words.allowed(len, begun),
        }
    }

    fn encode(&self, arch: &CnnArch) -> Vec<Token> {
        let edges = arch.cells().into_iter().flat_map(|(_, cell)| cell.edges());
        let steps = edges.map(|edge| {
            let position = self.op_position(edge.op).expect("an architecture of this space");
            (CnnSpace::index_token(edge.input), self.words.get(position))
        });
        let mut tokens = Vec::with_capacity(self.sequence_len());
        if self.encoding == Encoding::Pairs {
            steps.for_each(|(index, word)| tokens.extend([index, word.first]));
        } else {
            steps.for_each(|(index, word)| tokens.extend([index, word.first].into_iter().chain(word.second)));
        }
        tokens
    }

    fn build(&self, tokens: &[Token]) -> CnnArch {
        self.arch(tokens).expect("every token was checked")
    }

    /// Cells say whether tokens are theirs, which is faster than a mask of every token.
    fn decode(&self, tokens: &[Token]) -> Result<CnnArch, DecodeError> {
        self.arch(tokens).ok_or_else(|| DecodeError::of(self, tokens))
    }

    fn canonical(&self, arch: &CnnArch) -> CnnArch {
        CnnArch { normal: canonical_cell(&arch.normal), reduction: canonical_cell(&arch.reduction) }
    }

    fn respell(&self, arch: &CnnArch, rng: &mut ChaCha8Rng) -> CnnArch {
        CnnArch { normal: respell_cell(&arch.normal, rng), reduction: respell_cell(&arch.reduction, rng) }
    }

    fn neighbours(&self, arch: &CnnArch) -> Vec<CnnArch> {
        let mut all = Vec::new();
        for (role, cell) in arch.cells() {
            for (node, Node { edges }) in cell.nodes().iter().enumerate() {
                for (branch, &edge) in edges.iter().enumerate() {
                    let states = (0..node + State::INPUTS).map(|state| State(state as u8));
                    let inputs = states.map(|input| Edge { input, ..edge });
                    let ops = self.ops.ops().map(|op| Edge { op, ..edge });
                    for other in inputs.chain(ops).filter(|&other| other != edge) {
                        all.push(with_cell(arch, role, with_edge(cell, node, branch, other)));
                    }
                }
            }
        }
        all
    }

    fn format(&self, arch: &CnnArch) -> String {
        format_with(arch, |op| self.op_position(op).map(|position| self.op_ids[position]))
    }

    fn parse(&self, text: &str) -> Result<CnnArch, ParseError> {
        parse_cnn(text, self.nodes, &self.ops)
    }

    /// Draws as the authors do (docs/specification.md, a.2): per node input, operation, input, operation, each uniform.
    fn sample(&self, rng: &mut ChaCha8Rng) -> CnnArch {
        CnnArch { normal: self.random_cell(rng), reduction: self.random_cell(rng) }
    }
}

impl Graphs for CnnSpace {
    fn graph_schema(&self) -> Option<GraphSchema> {
        Some(GraphSchema {
            cells: vec![CellRole::Normal.to_string(), CellRole::Reduction.to_string()],
            inputs: vec!["older".to_owned(), "newer".to_owned()],
            operations: self.ops.ops().map(Op::name).collect(),
            longest_path: self.nodes,
        })
    }

    fn graphs(&self, arch: &CnnArch) -> Vec<OperationGraph> {
        let graph = |(_, cell): (CellRole, &Cell)| cell_graph(cell, &self.ops, &cell.loose_ends());
        arch.cells().into_iter().map(graph).collect()
    }
}

impl Levels for CnnSpace {
    /// By nodes, of both cells alike, as Progressive NAS has it; later nodes pass the newer input on by an identity, or
    /// the first operation of a set without one.
    fn growth(&self) -> Growth {
        let op = self.ops.ops().find(|&op| op == Op::Identity).or_else(|| self.ops.get(0));
        let idle = [0, 1].map(|_| Edge { input: State(1), op: op.expect("a set of operations has one") });
        self.growth_around(Node { edges: idle })
    }
}

impl Describe for CnnSpace {
    fn position(&self, position: usize) -> String {
        let width = self.tokens_per_step();
        let branch = position / width;
        let place = cell_position(self.nodes, 2 * branch + (position % width).min(1));
        match position % width {
            2 => format!("{place} (second token)"),
            _ => place,
        }
    }

    fn size(&self) -> BigUint {
        let cell: BigUint =
            (0..self.nodes).map(|node| BigUint::from(self.edge_choices(node)).pow(2)).product();
        cell.pow(2)
    }
}

fn with_cell(arch: &CnnArch, role: CellRole, cell: Cell) -> CnnArch {
    use CellRole::{Normal, Reduction};
    match role {
        Normal => CnnArch { normal: cell, reduction: arch.reduction.clone() },
        Reduction => CnnArch { normal: arch.normal.clone(), reduction: cell },
    }
}

#[cfg(test)]
mod tests;
