//! The hierarchical space of Liu, Simonyan, Vinyals, Fernando and Kavukcuoglu (ICLR 2018): a cell of motifs of primitives.

mod arch;
mod canonical;
mod text;

use num_bigint::BigUint;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::graph::{GraphBuilder, GraphSchema, OperationGraph, VertexId};
use crate::language::{Describe, Graphs, Growth, Levels, Space, Token, TokenMask, Vocabulary};
use crate::text::ParseError;

pub use arch::{HierarchicalArch, Motif, MotifId, Primitive};
use arch::{edge, ends};
use canonical::{canonical_arch, orders, reordered};

/// All hierarchical architectures of three levels: primitives, six motifs of them, and one cell of these.
///
/// Its language has one token per edge, motif by motif and then the cell; every edge may be missing. A node merges what
/// its edges bring by concatenation, and a 1x1 convolution restores the channels, so that the order of edges does not
/// matter.
///
/// Two architectures are spellings of one where they differ in the numbers of motifs or of inner nodes, in motifs that
/// the cell does not use, or in edges on no path from input to output. That a chain of identities is an identity is not
/// seen.
///
/// A mutation is the paper's: a level, a motif of it, an edge, and another choice for it, each uniform.
///
/// ```
/// use nao_space::{Describe, HierarchicalArch, HierarchicalSpace, Space};
///
/// let space = HierarchicalSpace::default();
/// let arch = HierarchicalArch::trivial();
/// let text = space.format(&space.canonical(&arch));
/// assert!(text.starts_with("m1=identity;none,identity;none,none,identity m2=none;none,none;"), "{text}");
/// assert!(text.ends_with("cell=m1;none,m1;none,none,m1;none,none,none,m1"), "{text}");
/// assert_eq!(space.size(), num_bigint::BigUint::from(7u32).pow(46));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HierarchicalSpace {
    vocabulary: Vocabulary,
}

impl Default for HierarchicalSpace {
    fn default() -> Self {
        let primitives = Primitive::ALL.map(|primitive| primitive.name().to_owned());
        let motifs = (1..=HierarchicalArch::MOTIFS).map(|motif| format!("m{motif}"));
        let names = std::iter::once("none".to_owned()).chain(primitives).chain(motifs);
        HierarchicalSpace { vocabulary: Vocabulary::new(names) }
    }
}

/// The token of no edge.
const NONE: Token = Token(1);
const FIRST_PRIMITIVE: usize = 2;
const FIRST_MOTIF: usize = FIRST_PRIMITIVE + Primitive::ALL.len();
/// Tokens of all motifs.
const MOTIF_TOKENS: usize = HierarchicalArch::MOTIFS * HierarchicalArch::MOTIF_EDGES;

fn primitive_of(token: Token) -> Option<Primitive> {
    Primitive::ALL.get(token.index().checked_sub(FIRST_PRIMITIVE)?).copied()
}

fn motif_of(token: Token) -> Option<MotifId> {
    MotifId::new(token.index().checked_sub(FIRST_MOTIF)?)
}

impl Space for HierarchicalSpace {
    type Arch = HierarchicalArch;

    fn name(&self) -> String {
        "hierarchical".to_owned()
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn sequence_len(&self) -> usize {
        MOTIF_TOKENS + HierarchicalArch::CELL_EDGES
    }

    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        let len = self.vocabulary.len();
        if prefix.len() >= self.sequence_len() {
            return TokenMask::none(len);
        }
        if prefix.len() < MOTIF_TOKENS {
            return TokenMask::range(len, NONE.index()..FIRST_MOTIF);
        }
        let mut mask = TokenMask::range(len, FIRST_MOTIF..len);
        mask.insert(NONE);
        mask
    }

    fn encode(&self, arch: &HierarchicalArch) -> Vec<Token> {
        let primitives = arch.motifs.iter().flat_map(|motif| motif.edges);
        let primitives = primitives.map(|edge| match edge {
            None => NONE,
            Some(primitive) => Token((FIRST_PRIMITIVE + primitive as usize) as u16),
        });
        let motifs = arch.cell.iter().map(|edge| match edge {
            None => NONE,
            Some(motif) => Token((FIRST_MOTIF + motif.index()) as u16),
        });
        primitives.chain(motifs).collect()
    }

    fn build(&self, tokens: &[Token]) -> HierarchicalArch {
        let (motifs, cell) = tokens.split_at(MOTIF_TOKENS);
        let motif = |motif: usize| Motif {
            edges: std::array::from_fn(|edge| {
                primitive_of(motifs[motif * HierarchicalArch::MOTIF_EDGES + edge])
            }),
        };
        HierarchicalArch {
            motifs: std::array::from_fn(motif),
            cell: std::array::from_fn(|edge| motif_of(cell[edge])),
        }
    }

    fn canonical(&self, arch: &HierarchicalArch) -> HierarchicalArch {
        canonical_arch(arch)
    }

    /// Other numbers of motifs and inner nodes, and other motifs where the cell uses none.
    fn respell(&self, arch: &HierarchicalArch, rng: &mut ChaCha8Rng) -> HierarchicalArch {
        let mut numbers: [usize; HierarchicalArch::MOTIFS] = std::array::from_fn(|motif| motif);
        numbers.shuffle(rng);
        let mut respelled = arch.clone();
        for (motif, &number) in arch.motifs.iter().zip(&numbers) {
            respelled.motifs[number].edges = reorder(&motif.edges, HierarchicalArch::MOTIF_NODES, rng);
        }
        let renamed = arch.cell.map(|edge| edge.map(|motif| MotifId(numbers[motif.index()] as u8)));
        respelled.cell = reorder(&renamed, HierarchicalArch::CELL_NODES, rng);
        for (number, motif) in respelled.motifs.iter_mut().enumerate() {
            if respelled.cell.iter().flatten().all(|used| used.index() != number) {
                let any = |rng: &mut ChaCha8Rng| match rng.random_range(0..=Primitive::ALL.len()) {
                    0 => None,
                    pick => Some(Primitive::ALL[pick - 1]),
                };
                motif.edges = std::array::from_fn(|_| any(rng));
            }
        }
        respelled
    }

    fn neighbours(&self, arch: &HierarchicalArch) -> Vec<HierarchicalArch> {
        let sequence = self.encode(arch);
        let mut all = Vec::new();
        for (position, &token) in sequence.iter().enumerate() {
            for other in self.allowed(&sequence[..position]).iter().filter(|&other| other != token) {
                all.push(self.with_token(&sequence, position, other));
            }
        }
        all
    }

    fn mutate(&self, arch: &HierarchicalArch, rng: &mut ChaCha8Rng) -> HierarchicalArch {
        let position = match rng.random_range(0..2) {
            0 => rng.random_range(0..MOTIF_TOKENS),
            _ => MOTIF_TOKENS + rng.random_range(0..HierarchicalArch::CELL_EDGES),
        };
        let sequence = self.encode(arch);
        let token = sequence[position];
        let others: Vec<Token> =
            self.allowed(&sequence[..position]).iter().filter(|&other| other != token).collect();
        self.with_token(&sequence, position, others[rng.random_range(0..others.len())])
    }

    fn format(&self, arch: &HierarchicalArch) -> String {
        text::format(arch)
    }

    fn parse(&self, text: &str) -> Result<HierarchicalArch, ParseError> {
        text::parse(text)
    }
}

impl Graphs for HierarchicalSpace {
    fn graph_schema(&self) -> Option<GraphSchema> {
        Some(GraphSchema {
            cells: vec!["cell".to_owned()],
            inputs: vec!["input".to_owned()],
            operations: Primitive::ALL.map(|primitive| primitive.name().to_owned()).to_vec(),
            longest_path: (HierarchicalArch::CELL_NODES - 1) * (HierarchicalArch::MOTIF_NODES - 1),
        })
    }

    /// The cell of primitives, with every use of a motif written out.
    fn graphs(&self, arch: &HierarchicalArch) -> Vec<OperationGraph> {
        let mut graph = GraphBuilder::default();
        let input = graph.input(0);
        let output =
            joined(&mut graph, input, &arch.cell, HierarchicalArch::CELL_NODES, &mut |graph, id, at| {
                let edges = &arch.motifs[id.index()].edges;
                joined(
                    graph,
                    at,
                    edges,
                    HierarchicalArch::MOTIF_NODES,
                    &mut |graph, primitive: Primitive, at| graph.operation(primitive as usize, [at]),
                )
            });
        vec![graph.finish([output])]
    }
}

impl Levels for HierarchicalSpace {
    /// Edge by edge; until then there are chains of identities.
    fn growth(&self) -> Growth {
        let placeholder = self.encode(&HierarchicalArch::trivial());
        let levels = (0..placeholder.len()).map(|position| vec![vec![position]]).collect();
        Growth::new(placeholder, levels)
    }
}

impl Describe for HierarchicalSpace {
    fn size(&self) -> BigUint {
        BigUint::from(Primitive::ALL.len() + 1).pow(MOTIF_TOKENS as u32)
            * BigUint::from(HierarchicalArch::MOTIFS + 1).pow(HierarchicalArch::CELL_EDGES as u32)
    }

    fn position(&self, position: usize) -> String {
        let (graph, edge) = match position.checked_sub(MOTIF_TOKENS) {
            Some(edge) => ("cell".to_owned(), edge),
            None => {
                let edges = HierarchicalArch::MOTIF_EDGES;
                (format!("motif {}", position / edges + 1), position % edges)
            }
        };
        let (from, to) = ends(edge);
        format!("{graph}, {to} <- {from}")
    }
}

impl HierarchicalSpace {
    fn with_token(&self, sequence: &[Token], position: usize, token: Token) -> HierarchicalArch {
        let mut sequence = sequence.to_vec();
        sequence[position] = token;
        self.decode(&sequence).expect("what may stand at a position does not depend on others")
    }
}

/// A graph of the same with its inner nodes in another order that the edges allow.
fn reorder<T: Copy, const E: usize>(
    edges: &[Option<T>; E],
    nodes: usize,
    rng: &mut ChaCha8Rng,
) -> [Option<T>; E] {
    let orders: Vec<_> = orders(nodes).filter_map(|order| reordered(edges, &order)).collect();
    orders[rng.random_range(0..orders.len())]
}

/// The output of a graph whose edges are built by `build` on the vertex that they read.
fn joined<T: Copy>(
    graph: &mut GraphBuilder,
    input: VertexId,
    edges: &[Option<T>],
    nodes: usize,
    build: &mut dyn FnMut(&mut GraphBuilder, T, VertexId) -> VertexId,
) -> VertexId {
    let mut vertices = vec![input];
    for to in 1..nodes {
        let mut terms = Vec::new();
        for from in 0..to {
            if let Some(label) = edges[edge(from, to)] {
                terms.push(build(graph, label, vertices[from]));
            }
        }
        vertices.push(graph.sum(terms));
    }
    vertices[nodes - 1]
}

#[cfg(test)]
mod tests;
