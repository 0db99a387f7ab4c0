//! The cell space of DARTS (Liu, Simonyan and Yang, ICLR 2019): four nodes, each reading two distinct states.

mod cell;
mod genotype;
mod relaxation;
mod text;

use num_bigint::BigUint;
use rand_chacha::ChaCha8Rng;

use super::cnn::{CnnSpace, cell_graph, cell_position};
use crate::graph::{GraphSchema, OperationGraph};
use crate::image::{CnnArch, Edge, Node, Op, OpSet, State};
use crate::language::{Describe, Graphs, Growth, Levels, Space, Token, TokenMask, Vocabulary};
use crate::text::ParseError;

pub use genotype::{Genotype, looks_like_genotype, parse_genotype};
pub use relaxation::{Relaxation, RelaxedEdge};
pub use text::{format_darts, format_darts_dict, parse_darts};

/// What DARTS can derive: two cells of four nodes; each node adds two operations of `darts-7` on two *distinct*
/// earlier states. The output of a cell is the concatenation of its four nodes, read or not, whereas a
/// [`Cell`](crate::Cell) by itself knows loose ends only; see [`concat`](DartsSpace::concat).
///
/// Its language is that of [`CnnSpace`] less the sequences in which a node reads one state twice. Text is a
/// genotype as DARTS prints it.
///
/// ```
/// use nao_space::{DartsSpace, Space};
/// use nao_space::seed::rng_for;
///
/// let space = DartsSpace::default();
/// let arch = space.sample(&mut rng_for(7, "example", 0));
/// assert!(space.format(&arch).starts_with("Genotype(normal=[('"));
/// assert_eq!(space.parse(&space.format(&arch))?, arch);
/// # Ok::<(), nao_space::notation::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DartsSpace {
    /// The space with repeated inputs.
    cells: CnnSpace,
}

impl Default for DartsSpace {
    fn default() -> Self {
        let cells = CnnSpace::new(DartsSpace::NODES, OpSet::darts_7());
        DartsSpace { cells: cells.expect("four nodes and seven operations make a space") }
    }
}

impl DartsSpace {
    /// Number of nodes per cell.
    pub const NODES: usize = cell::NODES;

    /// The states whose concatenation is the output of a cell: all nodes.
    pub fn concat() -> [State; DartsSpace::NODES] {
        cell::concat()
    }

    /// The operations that a branch may take.
    pub fn ops(&self) -> &OpSet {
        self.cells.ops()
    }

    /// Checks that an architecture, from JSON say, belongs to this space.
    ///
    /// # Errors
    /// When a cell has another number of nodes, an operation is not in the set, or a node reads one state twice.
    pub fn check(&self, arch: &CnnArch) -> Result<(), ParseError> {
        self.cells.check(arch)?;
        for (role, cell) in arch.cells() {
            if let Some(node) = cell.nodes().iter().position(|node| !has_distinct_inputs(node)) {
                let state = cell.nodes()[node].edges[0].input;
                let message = format!(
                    "{role} cell, node {node} reads state {state} twice; its two inputs are distinct"
                );
                return Err(ParseError::OtherSpace { message });
            }
        }
        Ok(())
    }
}

fn has_distinct_inputs(node: &Node) -> bool {
    node.edges[0].input != node.edges[1].input
}

impl Space for DartsSpace {
    type Arch = CnnArch;

    fn name(&self) -> String {
        "darts".to_owned()
    }

    fn vocabulary(&self) -> &Vocabulary {
        self.cells.vocabulary()
    }

    fn sequence_len(&self) -> usize {
        self.cells.sequence_len()
    }

    fn tokens_per_step(&self) -> usize {
        self.cells.tokens_per_step()
    }

    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        let all = self.cells.allowed(prefix);
        // Of the four tokens of a node, the third is its second input.
        let taken = if prefix.len() % 4 == 2 { prefix.get(prefix.len() - 2) } else { None };
        let mut mask = TokenMask::none(all.vocabulary_len());
        all.iter().filter(|token| Some(token) != taken).for_each(|token| mask.insert(token));
        mask
    }

    fn encode(&self, arch: &CnnArch) -> Vec<Token> {
        self.cells.encode(arch)
    }

    fn build(&self, tokens: &[Token]) -> CnnArch {
        self.cells.build(tokens)
    }

    fn canonical(&self, arch: &CnnArch) -> CnnArch {
        self.cells.canonical(arch)
    }

    fn respell(&self, arch: &CnnArch, rng: &mut ChaCha8Rng) -> CnnArch {
        self.cells.respell(arch, rng)
    }

    fn neighbours(&self, arch: &CnnArch) -> Vec<CnnArch> {
        let mut neighbours = self.cells.neighbours(arch);
        neighbours
            .retain(|arch| arch.cells().iter().all(|(_, cell)| cell.nodes().iter().all(has_distinct_inputs)));
        neighbours
    }

    fn format(&self, arch: &CnnArch) -> String {
        format_darts(arch)
    }

    fn parse(&self, text: &str) -> Result<CnnArch, ParseError> {
        parse_darts(text)
    }
}

impl Graphs for DartsSpace {
    fn graph_schema(&self) -> Option<GraphSchema> {
        self.cells.graph_schema()
    }

    fn graphs(&self, arch: &CnnArch) -> Vec<OperationGraph> {
        let graph = |(_, cell)| cell_graph(cell, self.ops(), &DartsSpace::concat());
        arch.cells().into_iter().map(graph).collect()
    }
}

impl Levels for DartsSpace {
    /// By nodes, of both cells alike; later nodes add up the two inputs.
    fn growth(&self) -> Growth {
        let idle = [0, 1].map(|input| Edge { input: State(input), op: Op::Identity });
        self.cells.growth_around(Node { edges: idle })
    }
}

impl Describe for DartsSpace {
    fn size(&self) -> BigUint {
        let pairs = (0..DartsSpace::NODES).map(|node| (node + State::INPUTS) * (node + State::INPUTS - 1));
        let cell: BigUint = pairs.map(|pairs| BigUint::from(pairs * self.ops().len().pow(2))).product();
        cell.pow(2)
    }

    fn position(&self, position: usize) -> String {
        cell_position(DartsSpace::NODES, position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::rng_for;

    #[test]
    fn the_size_counts_ordered_pairs_of_distinct_inputs() {
        // Per cell 2 x 6 x 12 x 20 pairs of inputs and 7 operations on each of 8 edges.
        let cell = BigUint::from(2u32 * 6 * 12 * 20) * BigUint::from(7u32).pow(8);
        assert_eq!(DartsSpace::default().size(), cell.pow(2));
    }

    #[test]
    fn a_node_that_reads_one_state_twice_is_refused() {
        let space = DartsSpace::default();
        let arch = space.sample(&mut rng_for(1, "test", 0));
        assert_eq!(space.check(&arch), Ok(()));
        let mut tokens = space.encode(&arch);
        tokens[18] = tokens[16];
        let message = space.decode(&tokens).unwrap_err().to_string();
        assert!(message.contains("at position 18: allowed are"), "{message}");
        let twice = space.cells.decode(&tokens).unwrap();
        let message = space.check(&twice).unwrap_err().to_string();
        assert!(message.contains("reduction cell, node 0 reads state"), "{message}");
    }
}
