//! The cell space of NAS-Bench-201 (Dong and Yang, ICLR 2020): four nodes, an operation on each of six edges.

mod arch;
mod canonical;
mod text;

use num_bigint::BigUint;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::graph::{GraphBuilder, GraphSchema, OperationGraph};
use crate::language::{Describe, Graphs, Growth, Levels, Space, Token, TokenMask, Vocabulary};
use crate::text::ParseError;

pub use arch::{EdgeOp, NasBench201Arch};
use canonical::Classes;
pub use text::{format_nasbench201, parse_nasbench201};

/// All 15,625 cells of NAS-Bench-201. Its language has one token per edge, an operation.
///
/// Two cells are spellings of one where the benchmark says so: where their
/// [`function`](NasBench201Arch::function) is the same. The canonical one is the first of its class.
///
/// ```
/// use nao_space::{NasBench201Space, Space};
///
/// let space = NasBench201Space::default();
/// let text = "|none~0|+|skip_connect~0|nor_conv_3x3~1|+|none~0|nor_conv_1x1~1|nor_conv_3x3~2|";
/// let same = "|none~0|+|skip_connect~0|avg_pool_3x3~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|";
/// assert_eq!(space.key(&space.parse(text)?), space.key(&space.parse(same)?));
/// # Ok::<(), nao_space::notation::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NasBench201Space {
    vocabulary: Vocabulary,
}

impl Default for NasBench201Space {
    fn default() -> Self {
        NasBench201Space { vocabulary: Vocabulary::new(EdgeOp::ALL.map(|op| op.name().to_owned())) }
    }
}

impl NasBench201Space {
    /// Number of cells.
    pub const CELLS: usize = NasBench201Arch::CELLS;

    /// All cells, in the order of their edges.
    pub fn all(&self) -> impl Iterator<Item = NasBench201Arch> + use<> {
        (0..NasBench201Space::CELLS).map(NasBench201Arch::of_rank)
    }
}

impl Space for NasBench201Space {
    type Arch = NasBench201Arch;

    fn name(&self) -> String {
        "nasbench201".to_owned()
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn sequence_len(&self) -> usize {
        NasBench201Arch::EDGES
    }

    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        let len = self.vocabulary.len();
        if prefix.len() < NasBench201Arch::EDGES {
            TokenMask::range(len, 1..len)
        } else {
            TokenMask::none(len)
        }
    }

    fn encode(&self, arch: &NasBench201Arch) -> Vec<Token> {
        arch.edges.iter().map(|&op| Token(op as u16 + 1)).collect()
    }

    fn build(&self, tokens: &[Token]) -> NasBench201Arch {
        NasBench201Arch { edges: std::array::from_fn(|edge| EdgeOp::ALL[tokens[edge].index() - 1]) }
    }

    fn canonical(&self, arch: &NasBench201Arch) -> NasBench201Arch {
        NasBench201Arch::of_rank(Classes::get().first[arch.rank()])
    }

    fn respell(&self, arch: &NasBench201Arch, rng: &mut ChaCha8Rng) -> NasBench201Arch {
        let first = &Classes::get().first;
        let class = first[arch.rank()];
        let spellings: Vec<usize> = (class..first.len()).filter(|&rank| first[rank] == class).collect();
        NasBench201Arch::of_rank(spellings[rng.random_range(0..spellings.len())])
    }

    fn neighbours(&self, arch: &NasBench201Arch) -> Vec<NasBench201Arch> {
        let mut all = Vec::new();
        for (edge, &op) in arch.edges.iter().enumerate() {
            for other in EdgeOp::ALL.into_iter().filter(|&other| other != op) {
                let mut neighbour = *arch;
                neighbour.edges[edge] = other;
                all.push(neighbour);
            }
        }
        all
    }

    fn format(&self, arch: &NasBench201Arch) -> String {
        format_nasbench201(arch)
    }

    fn parse(&self, text: &str) -> Result<NasBench201Arch, ParseError> {
        parse_nasbench201(text)
    }
}

impl Graphs for NasBench201Space {
    fn graph_schema(&self) -> Option<GraphSchema> {
        Some(GraphSchema {
            cells: vec!["cell".to_owned()],
            inputs: vec!["input".to_owned()],
            operations: EdgeOp::ALL[1..].iter().map(|op| op.name().to_owned()).collect(),
            longest_path: NasBench201Arch::NODES - 1,
        })
    }

    fn graphs(&self, arch: &NasBench201Arch) -> Vec<OperationGraph> {
        let mut graph = GraphBuilder::default();
        let mut nodes = vec![graph.input(0)];
        for node in 1..NasBench201Arch::NODES {
            let edges = arch.inputs(node).filter(|&(_, op)| op != EdgeOp::None);
            let terms: Vec<_> =
                edges.map(|(source, op)| graph.operation(op as usize - 1, [nodes[source]])).collect();
            nodes.push(graph.sum(terms));
        }
        vec![graph.finish(nodes.pop())]
    }
}

impl Levels for NasBench201Space {
    /// By nodes; later ones are passed by on skip connections.
    fn growth(&self) -> Growth {
        let placeholder = [Token(EdgeOp::SkipConnect as u16 + 1); NasBench201Arch::EDGES];
        let level = |edges: std::ops::Range<usize>| edges.map(|edge| vec![edge]).collect();
        Growth::new(placeholder.to_vec(), vec![level(0..1), level(1..3), level(3..6)])
    }
}

impl Describe for NasBench201Space {
    fn size(&self) -> BigUint {
        BigUint::from(NasBench201Space::CELLS)
    }

    fn position(&self, position: usize) -> String {
        let (mut node, mut source) = (1, position);
        while source >= node {
            source -= node;
            node += 1;
        }
        format!("{node} <- {source}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_6466_classes() {
        let space = NasBench201Space::default();
        let keys: HashSet<_> = space.all().map(|arch| space.key(&arch)).collect();
        assert_eq!(keys.len(), 6466);
        assert_eq!(space.all().collect::<HashSet<_>>().len(), 15_625);
    }

    #[test]
    fn keys_are_equal_just_where_functions_are() {
        let space = NasBench201Space::default();
        let pairs: HashSet<_> = space.all().map(|arch| (space.key(&arch), arch.function())).collect();
        assert_eq!(pairs.len(), 6466);
    }

    #[test]
    fn dead_edges_and_skips_do_not_matter_and_sums_commute() {
        let space = NasBench201Space::default();
        let key = |text: &str| space.key(&space.parse(text).unwrap());
        let dead_node = "|none~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|none~1|skip_connect~2|";
        let other_op = "|none~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|skip_connect~2|";
        assert_eq!(key(dead_node), key(other_op));
        let by_node_1 = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_1x1~1|none~2|";
        let read_otherwise = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|avg_pool_3x3~1|none~2|";
        assert_ne!(key(by_node_1), key(read_otherwise));
        let one = "|skip_connect~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|none~0|none~1|skip_connect~2|";
        let exchanged = "|skip_connect~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|none~0|none~1|skip_connect~2|";
        assert_eq!(key(one), key(exchanged));
    }
}
