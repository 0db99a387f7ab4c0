//! The cell space of NAS-Bench-201 (Dong and Yang, ICLR 2020): four nodes, an operation on each of six edges.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use num_bigint::BigUint;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::graph::{GraphBuilder, GraphSchema, OperationGraph};
use crate::image::{Border, Op};
use crate::language::{DecodeError, Growth, Space, Token, TokenMask, Vocabulary, check_sentence};
use crate::notation;
use crate::text::ParseError;

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
    fn rank(&self) -> usize {
        self.edges.iter().fold(0, |rank, &op| rank * EdgeOp::ALL.len() + op as usize)
    }

    fn of_rank(mut rank: usize) -> Self {
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

impl Serialize for NasBench201Arch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&notation::format_nasbench201(self))
    }
}

impl<'de> Deserialize<'de> for NasBench201Arch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        notation::parse_nasbench201(&text).map_err(serde::de::Error::custom)
    }
}

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
    pub const CELLS: usize = EdgeOp::ALL.len().pow(NasBench201Arch::EDGES as u32);

    /// All cells, in the order of their edges.
    pub fn all(&self) -> impl Iterator<Item = NasBench201Arch> + use<> {
        (0..NasBench201Space::CELLS).map(NasBench201Arch::of_rank)
    }
}

/// The classes of cells of one function, found once by writing down all functions (some 10 ms).
struct Classes {
    /// The first cell of the class of every cell, by rank.
    first: Vec<usize>,
}

impl Classes {
    fn get() -> &'static Classes {
        static CLASSES: OnceLock<Classes> = OnceLock::new();
        CLASSES.get_or_init(|| {
            let mut known = HashMap::new();
            let first = NasBench201Space::default()
                .all()
                .enumerate()
                .map(|(rank, arch)| *known.entry(arch.function()).or_insert(rank));
            Classes { first: first.collect() }
        })
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

    /// By nodes; later ones are passed by on skip connections.
    fn growth(&self) -> Growth {
        let placeholder = [Token(EdgeOp::SkipConnect as u16 + 1); NasBench201Arch::EDGES];
        let level = |edges: std::ops::Range<usize>| edges.map(|edge| vec![edge]).collect();
        Growth::new(placeholder.to_vec(), vec![level(0..1), level(1..3), level(3..6)])
    }

    fn decode(&self, tokens: &[Token]) -> Result<NasBench201Arch, DecodeError> {
        check_sentence(self, tokens)?;
        let edges = std::array::from_fn(|edge| EdgeOp::ALL[tokens[edge].index() - 1]);
        Ok(NasBench201Arch { edges })
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

    fn size(&self) -> BigUint {
        BigUint::from(NasBench201Space::CELLS)
    }

    fn format(&self, arch: &NasBench201Arch) -> String {
        notation::format_nasbench201(arch)
    }

    fn parse(&self, text: &str) -> Result<NasBench201Arch, ParseError> {
        notation::parse_nasbench201(text)
    }

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
    fn nodes_that_a_cell_lacks_read_nothing() {
        let arch = NasBench201Arch { edges: [EdgeOp::SkipConnect; NasBench201Arch::EDGES] };
        let inputs = [0, 1, 2, 3, 4, usize::MAX].map(|node| arch.inputs(node).count());
        assert_eq!(inputs, [0, 1, 2, 3, 0, 0]);
    }

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
