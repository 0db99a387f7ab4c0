//! The image cell space: a normal and a reduction cell of B nodes, two inputs and two operations per node.

use std::ops::Range;

use num_bigint::BigUint;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::arch::CnnArch;
use crate::canonical::{canonical_cell, op_rank, respell_cell};
use crate::cell::{Cell, Edge, Node, State};
use crate::notation::{self, ParseError};
use crate::op::Op;
use crate::op_set::{OpId, OpSet};
use crate::space::{DecodeError, Space};
use crate::token::{Token, TokenMask, Vocabulary};

/// Architectures of two cells of `nodes` nodes over one operation set (spec a.2). The default is the
/// paper's: 5 nodes, 11 operations.
///
/// Its language is CNN-40 (spec a.5) for any number of nodes and any set: per branch an index token
/// (state + 1) and an operation token (position in the set + nodes + 2), x branch before y branch, normal
/// cell before reduction cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CnnSpace {
    nodes: usize,
    ops: OpSet,
    /// The ranks of the operations in token order, by which they are found.
    op_ranks: Vec<u32>,
    /// The ids under which they are written.
    op_ids: Vec<OpId>,
    vocabulary: Vocabulary,
}

/// Why there is no such space.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCnnSpace {
    /// A number of nodes that cells cannot have.
    #[error("a cell has 1 to {} nodes, {nodes} is not among them", Cell::MAX_NODES)]
    Nodes {
        /// The number asked for.
        nodes: usize,
    },
    /// No operations.
    #[error("the operation set `{name}` is empty")]
    NoOps {
        /// The name of the set.
        name: String,
    },
}

impl Default for CnnSpace {
    fn default() -> Self {
        CnnSpace::new(5, OpSet::paper_11()).expect("the paper's space is valid")
    }
}

impl CnnSpace {
    /// The space of cells of `nodes` nodes over `ops`.
    ///
    /// # Errors
    /// When `nodes` is not 1 to 12, or the set is empty.
    pub fn new(nodes: usize, ops: OpSet) -> Result<Self, InvalidCnnSpace> {
        if !(1..=Cell::MAX_NODES).contains(&nodes) {
            return Err(InvalidCnnSpace::Nodes { nodes });
        }
        if ops.is_empty() {
            return Err(InvalidCnnSpace::NoOps { name: ops.name().to_owned() });
        }
        let states = (0..=nodes).map(|state| format!("state {state}"));
        let vocabulary = Vocabulary::new(states.chain(ops.ops().map(|op| op.name())));
        let op_ranks = ops.ops().map(op_rank).collect();
        let op_ids = ops.ops().filter_map(|op| ops.id(op)).collect();
        Ok(CnnSpace { nodes, ops, op_ranks, op_ids, vocabulary })
    }

    /// Number of nodes per cell (B).
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The operations that a branch may take.
    pub fn ops(&self) -> &OpSet {
        &self.ops
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
        4 * self.nodes
    }

    fn index_token(state: State) -> Token {
        Token(u16::from(state.0) + 1)
    }

    fn first_op_token(&self) -> usize {
        self.nodes + 2
    }

    /// As [`OpSet::position`], but quick enough for millions of keys: it compares numbers, and all of them,
    /// for where a loop over random operations ends is nothing that a processor predicts.
    fn op_position(&self, op: Op) -> Option<usize> {
        let rank = op_rank(op);
        let places =
            self.op_ranks.iter().zip(1..).map(|(&known, place)| if known == rank { place } else { 0 });
        places.sum::<usize>().checked_sub(1)
    }

    fn op_token(&self, position: usize) -> Token {
        Token((self.first_op_token() + position) as u16)
    }

    /// The tokens allowed at a position: they depend on nothing else.
    fn allowed_at(&self, position: usize) -> Range<usize> {
        if position >= self.sequence_len() {
            return 0..0;
        }
        let in_cell = position % self.tokens_per_cell();
        if in_cell % 2 == 1 {
            return self.first_op_token()..self.vocabulary.len();
        }
        let node = in_cell / 4;
        1..node + State::INPUTS + 1
    }

    fn mask_at(&self, position: usize) -> TokenMask {
        TokenMask::range(self.vocabulary.len(), self.allowed_at(position))
    }

    fn describe(&self, mask: &TokenMask) -> String {
        let names = mask.iter().map(|token| {
            let name = self.vocabulary.name(token).unwrap_or("?");
            format!("{} ({name})", token.0)
        });
        names.collect::<Vec<_>>().join(", ")
    }

    fn edge(&self, index: Token, op: Token) -> Option<Edge> {
        let state = index.index().checked_sub(1)?;
        let op = self.ops.get(op.index().checked_sub(self.first_op_token())?)?;
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

impl Space for CnnSpace {
    type Arch = CnnArch;

    fn name(&self) -> String {
        format!("cnn/{}/{}", self.ops.name(), self.nodes)
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn sequence_len(&self) -> usize {
        2 * self.tokens_per_cell()
    }

    fn tokens_per_step(&self) -> usize {
        2
    }

    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        self.mask_at(prefix.len())
    }

    fn encode(&self, arch: &CnnArch) -> Vec<Token> {
        let mut tokens = Vec::with_capacity(self.sequence_len());
        for (_, cell) in arch.cells() {
            for edge in cell.edges() {
                let position = self.op_position(edge.op).expect("an architecture of this space");
                tokens.extend([CnnSpace::index_token(edge.input), self.op_token(position)]);
            }
        }
        tokens
    }

    fn decode(&self, tokens: &[Token]) -> Result<CnnArch, DecodeError> {
        if tokens.len() != self.sequence_len() {
            return Err(DecodeError::Length {
                space: self.name(),
                expected: self.sequence_len(),
                found: tokens.len(),
            });
        }
        for (position, &token) in tokens.iter().enumerate() {
            if !self.allowed_at(position).contains(&token.index()) {
                let allowed = self.describe(&self.mask_at(position));
                return Err(DecodeError::NotAllowed { position, token, allowed });
            }
        }
        let cell = |tokens: &[Token]| {
            let edge = |pair: &[Token]| self.edge(pair[0], pair[1]).expect("allowed tokens make an edge");
            let nodes = tokens.chunks(4).map(|node| Node { edges: [edge(&node[..2]), edge(&node[2..])] });
            Cell::new(nodes.collect()).expect("allowed inputs point backward")
        };
        let (normal, reduction) = tokens.split_at(self.tokens_per_cell());
        Ok(CnnArch { normal: cell(normal), reduction: cell(reduction) })
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

    fn size(&self) -> BigUint {
        let cell: BigUint =
            (0..self.nodes).map(|node| BigUint::from(self.edge_choices(node)).pow(2)).product();
        cell.pow(2)
    }

    fn format(&self, arch: &CnnArch) -> String {
        notation::format_with(arch, |op| self.op_position(op).map(|position| self.op_ids[position]))
    }

    fn parse(&self, text: &str) -> Result<CnnArch, ParseError> {
        notation::parse_cnn(text, self)
    }

    /// Draws as the authors do (spec a.2): per node input, operation, input, operation, each uniform.
    fn sample(&self, rng: &mut ChaCha8Rng) -> CnnArch {
        CnnArch { normal: self.random_cell(rng), reduction: self.random_cell(rng) }
    }
}

fn with_cell(arch: &CnnArch, role: crate::arch::CellRole, cell: Cell) -> CnnArch {
    use crate::arch::CellRole::{Normal, Reduction};
    match role {
        Normal => CnnArch { normal: cell, reduction: arch.reduction.clone() },
        Reduction => CnnArch { normal: arch.normal.clone(), reduction: cell },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::op::Op;

    /// Every sentence of a space, by walking its masks.
    fn sentences(space: &CnnSpace) -> Vec<Vec<Token>> {
        let mut all = vec![Vec::new()];
        for _ in 0..space.sequence_len() {
            let longer = all.iter().flat_map(|prefix: &Vec<Token>| {
                let next = space.allowed(prefix);
                next.iter().map(|token| [&prefix[..], &[token]].concat()).collect::<Vec<_>>()
            });
            all = longer.collect();
        }
        all
    }

    #[test]
    fn the_size_is_the_number_of_sentences() {
        let two = [Op::Identity, Op::Conv { kernel: 1 }];
        for (nodes, ops) in [(1, &two[..1]), (1, &two), (2, &two[..1])] {
            let space = CnnSpace::new(nodes, OpSet::new("test", ops.iter().copied())).unwrap();
            let all = sentences(&space);
            assert_eq!(space.size(), BigUint::from(all.len()), "{nodes} nodes, {} ops", ops.len());
            let distinct: HashSet<CnnArch> = all.iter().map(|tokens| space.decode(tokens).unwrap()).collect();
            assert_eq!(distinct.len(), all.len());
        }
    }

    #[test]
    fn the_papers_space_has_1_8e32_sentences() {
        let per_cell = BigUint::from(720u32).pow(2) * BigUint::from(11u32).pow(10);
        assert_eq!(CnnSpace::default().size(), per_cell.pow(2));
        assert_eq!(CnnSpace::default().size().to_string().len(), 33);
    }

    #[test]
    fn vocabularies_are_those_of_the_authors() {
        let vocabulary = |nodes, ops| CnnSpace::new(nodes, ops).unwrap().vocabulary().len();
        assert_eq!(vocabulary(5, OpSet::enas_5()), 12);
        assert_eq!(vocabulary(5, OpSet::v2_10()), 17);
        assert_eq!(vocabulary(5, OpSet::paper_11()), 18);
    }

    #[test]
    fn canonical_classes_of_small_cells_are_counted_right() {
        // One node, one operation: the pairs {00, 01, 11} per cell, hence 3 x 3 classes of 4 x 4 spellings.
        let one = CnnSpace::new(1, OpSet::new("one", [Op::Identity])).unwrap();
        let keys = |space: &CnnSpace| {
            let archs = sentences(space).into_iter().map(|tokens| space.decode(&tokens).unwrap());
            archs.map(|arch| space.key(&arch)).collect::<HashSet<_>>().len()
        };
        assert_eq!(keys(&one), 9);
        // Two nodes: 3 x 6 unordered spellings. Node 1 reads node 0 in 3 of its 6 pairs (9 cells, all
        // distinct); otherwise the nodes are a multiset of two of the 3 pairs (6 cells). 15 per cell.
        let two = CnnSpace::new(2, OpSet::new("one", [Op::Identity])).unwrap();
        assert_eq!(keys(&two), 15 * 15);
    }

    #[test]
    fn neighbours_differ_in_one_number() {
        let space = CnnSpace::default();
        let arch = space.sample(&mut crate::seed::rng_for(3, "test", 0));
        let neighbours = space.neighbours(&arch);
        // Per branch of node k: k + 1 other inputs and 10 other operations.
        assert_eq!(neighbours.len(), 2 * 2 * (1..=5).map(|inputs| inputs + 10).sum::<usize>());
        let tokens = space.encode(&arch);
        for neighbour in &neighbours {
            let other = space.encode(neighbour);
            assert_eq!(tokens.iter().zip(&other).filter(|(a, b)| a != b).count(), 1);
        }
        assert_eq!(neighbours.iter().collect::<HashSet<_>>().len(), neighbours.len());
    }

    #[test]
    fn decoding_names_position_and_choice() {
        let space = CnnSpace::default();
        let mut tokens = space.encode(&space.sample(&mut crate::seed::rng_for(3, "test", 0)));
        tokens[4] = Token(4);
        let error = space.decode(&tokens).unwrap_err().to_string();
        assert_eq!(error, "token 4 at position 4: allowed are 1 (state 0), 2 (state 1), 3 (state 2)");
        assert!(
            space.decode(&tokens[1..]).unwrap_err().to_string().contains("has 40 tokens, this one has 39")
        );
    }

    #[test]
    fn thirteen_nodes_are_refused() {
        assert!(CnnSpace::new(13, OpSet::enas_5()).is_err());
        assert!(CnnSpace::new(0, OpSet::enas_5()).is_err());
        assert!(CnnSpace::new(1, OpSet::new("none", [])).is_err());
    }
}
