//! The cell space of NAS-Bench-101 (Ying et al., ICML 2019): graphs of up to 7 vertices and 9 edges.

mod canonical;
mod cell;
mod grammar;
mod labels;
mod python;
mod text;

use std::collections::HashSet;

use num_bigint::BigUint;
use rand_chacha::ChaCha8Rng;

use self::cell::VertexSet;
use self::grammar::{Prefix, Symbol};
use crate::graph::{GraphBuilder, GraphSchema, OperationGraph};
use crate::language::{Describe, Graphs, Growth, Levels, Space, Token, TokenMask, Vocabulary};
use crate::text::ParseError;

pub use cell::{InvalidNasBench101, NasBench101Arch, VertexOp};
pub use text::{format_nasbench101, nasbench101_from_json, nasbench101_to_json, parse_nasbench101};

/// All NAS-Bench-101 cells, with every numbering of their inner vertices.
///
/// Its language is that of docs/specification.md, g: 27 tokens, for each of vertices 1 to 6 one per earlier vertex (no
/// edge or edge) and then its operation; the output ends the cell, and what is left is filled with `no vertex`, which
/// has a token of its own, for 0 is the start symbol. Masks look ahead: a prefix is allowed just if some pruned
/// cell of at most 9 edges begins with it, so that sequences and cells correspond one to one.
///
/// Two cells are spellings of one where they differ in the numbers of inner vertices only: 1,293,208 sequences spell
/// 423,624 cells.
///
/// ```
/// use nao_space::{NasBench101Space, Space};
///
/// let space = NasBench101Space::default();
/// let one = "0110000100010000 input|conv3x3-bn-relu|maxpool3x3|output";
/// let other = "0110000100010000 input|maxpool3x3|conv3x3-bn-relu|output";
/// assert_eq!(space.key(&space.parse(one)?), space.key(&space.parse(other)?));
/// # Ok::<(), nao_space::notation::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NasBench101Space {
    vocabulary: Vocabulary,
}

impl Default for NasBench101Space {
    fn default() -> Self {
        NasBench101Space { vocabulary: Vocabulary::new(Symbol::ALL.map(|symbol| symbol.name().to_owned())) }
    }
}

impl NasBench101Space {
    /// Number of tokens of a sequence: 1 + 2 + … + 6 edges and 6 operations.
    const TOKENS: usize = 27;

    /// All cells with every numbering, in the order of their sequences.
    pub fn all(&self) -> impl Iterator<Item = NasBench101Arch> + use<> {
        let mut open = vec![Reading::START];
        std::iter::from_fn(move || {
            while let Some(reading) = open.pop() {
                if reading.prefix.is_whole() {
                    return Some(reading.arch());
                }
                open.extend(Symbol::ALL.into_iter().rev().filter_map(|symbol| reading.clone().then(symbol)));
            }
            None
        })
    }

    fn read(&self, tokens: &[Token]) -> Option<Reading> {
        tokens.iter().try_fold(Reading::START, |reading, &token| reading.then(Symbol::of(token)?))
    }
}

/// A prefix of a sequence with the part of the cell that it describes.
#[derive(Clone)]
struct Reading {
    prefix: Prefix,
    inputs: Vec<VertexSet>,
    ops: Vec<VertexOp>,
}

impl Reading {
    const START: Reading = Reading { prefix: Prefix::START, inputs: Vec::new(), ops: Vec::new() };

    fn then(mut self, symbol: Symbol) -> Option<Reading> {
        let inputs = self.prefix.inputs();
        self.prefix = self.prefix.then(symbol)?;
        match symbol {
            Symbol::Op(op) => {
                self.inputs.push(inputs);
                self.ops.push(op);
            }
            Symbol::Output => self.inputs.push(inputs),
            Symbol::NoEdge | Symbol::Edge | Symbol::NoVertex => {}
        }
        Some(self)
    }

    fn arch(self) -> NasBench101Arch {
        debug_assert!(self.prefix.is_closed());
        NasBench101Arch::from_inputs(self.inputs, self.ops)
            .expect("the grammar completes to pruned cells only")
    }
}

impl Space for NasBench101Space {
    type Arch = NasBench101Arch;

    fn name(&self) -> String {
        "nasbench101".to_owned()
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn sequence_len(&self) -> usize {
        NasBench101Space::TOKENS
    }

    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        let mut mask = TokenMask::none(self.vocabulary.len());
        if let Some(reading) = self.read(prefix) {
            let next = Symbol::ALL.into_iter().filter(|&symbol| reading.prefix.then(symbol).is_some());
            next.for_each(|symbol| mask.insert(symbol.token()));
        }
        mask
    }

    fn encode(&self, arch: &NasBench101Arch) -> Vec<Token> {
        let mut tokens = Vec::with_capacity(NasBench101Space::TOKENS);
        for vertex in 1..arch.vertices() {
            for source in 0..vertex {
                let edge = if arch.has_edge(source, vertex) { Symbol::Edge } else { Symbol::NoEdge };
                tokens.push(edge.token());
            }
            let op = arch.ops.get(vertex - 1).map_or(Symbol::Output, |&op| Symbol::Op(op));
            tokens.push(op.token());
        }
        tokens.resize(NasBench101Space::TOKENS, Symbol::NoVertex.token());
        tokens
    }

    fn build(&self, tokens: &[Token]) -> NasBench101Arch {
        self.read(tokens).expect("every token was checked").arch()
    }

    fn canonical(&self, arch: &NasBench101Arch) -> NasBench101Arch {
        canonical::canonical(arch)
    }

    fn respell(&self, arch: &NasBench101Arch, rng: &mut ChaCha8Rng) -> NasBench101Arch {
        canonical::renumbered_at_random(arch, rng)
    }

    /// Another operation on a vertex; an edge more or less; a vertex with one input and one reader more or less,
    /// beside the edge between these two or in place of it.
    fn neighbours(&self, arch: &NasBench101Arch) -> Vec<NasBench101Arch> {
        let other_ops = with_another_op(arch);
        let all = other_ops.chain(with_an_edge_toggled(arch)).chain(with_a_vertex_more(arch));
        let mut seen = HashSet::new();
        // Inserting before or after a twin is one and the same.
        all.chain(with_a_vertex_less(arch)).filter(|neighbour| seen.insert(neighbour.clone())).collect()
    }

    fn format(&self, arch: &NasBench101Arch) -> String {
        format_nasbench101(arch)
    }

    fn parse(&self, text: &str) -> Result<NasBench101Arch, ParseError> {
        parse_nasbench101(text)
    }
}

impl Graphs for NasBench101Space {
    fn graph_schema(&self) -> Option<GraphSchema> {
        Some(GraphSchema {
            cells: vec!["cell".to_owned()],
            inputs: vec!["input".to_owned()],
            operations: VertexOp::ALL.map(|op| op.name().to_owned()).to_vec(),
            longest_path: NasBench101Arch::MAX_VERTICES - 2,
        })
    }

    fn graphs(&self, arch: &NasBench101Arch) -> Vec<OperationGraph> {
        let mut graph = GraphBuilder::default();
        let mut vertices = vec![graph.input(0)];
        for (index, &op) in arch.ops.iter().enumerate() {
            let reads: Vec<_> = arch.inputs_of(index + 1).iter().map(|from| vertices[from]).collect();
            vertices.push(graph.operation(op as usize, reads));
        }
        let output = arch.inputs_of(arch.vertices() - 1);
        vec![graph.finish(output.iter().map(|from| vertices[from]))]
    }
}

impl Levels for NasBench101Space {
    /// By vertices; the output follows as soon as it may.
    fn growth(&self) -> Growth {
        let (mut placeholder, mut levels) = (Vec::new(), Vec::new());
        for vertex in 1..NasBench101Arch::MAX_VERTICES {
            let first = placeholder.len();
            placeholder.extend(std::iter::repeat_n(Symbol::Edge.token(), vertex));
            placeholder.push(Symbol::Output.token());
            levels.push((first..placeholder.len()).map(|position| vec![position]).collect());
        }
        Growth::new(placeholder, levels)
    }
}

impl Describe for NasBench101Space {
    fn size(&self) -> BigUint {
        BigUint::from(grammar::sequences())
    }

    fn position(&self, position: usize) -> String {
        // Vertex v has v edges and an operation.
        let (mut vertex, mut place) = (1, position);
        while place > vertex {
            place -= vertex + 1;
            vertex += 1;
        }
        if place == vertex {
            format!("operation of vertex {vertex}")
        } else {
            format!("edge from vertex {place} to vertex {vertex}")
        }
    }
}

fn with_another_op(arch: &NasBench101Arch) -> impl Iterator<Item = NasBench101Arch> + '_ {
    (0..arch.ops.len()).flat_map(move |index| {
        VertexOp::ALL.into_iter().filter(move |&op| op != arch.ops[index]).map(move |op| {
            let mut other = arch.clone();
            other.ops[index] = op;
            other
        })
    })
}

/// All pairs of an earlier and a later vertex.
fn pairs(arch: &NasBench101Arch) -> impl Iterator<Item = (usize, usize)> + use<> {
    (1..arch.vertices()).flat_map(|to| (0..to).map(move |from| (from, to)))
}

/// What every vertex reads, after the edge between a pair was added or taken away.
fn toggled(arch: &NasBench101Arch, (from, to): (usize, usize)) -> Vec<VertexSet> {
    let mut inputs = arch.inputs.clone();
    inputs[to - 1].0 ^= VertexSet::of(from).0;
    inputs
}

fn with_an_edge_toggled(arch: &NasBench101Arch) -> impl Iterator<Item = NasBench101Arch> + '_ {
    pairs(arch).filter_map(|pair| NasBench101Arch::from_inputs(toggled(arch, pair), arch.ops.clone()))
}

/// A new vertex at every place between every pair, and the edge of the pair as it is or gone.
fn with_a_vertex_more(arch: &NasBench101Arch) -> impl Iterator<Item = NasBench101Arch> + '_ {
    pairs(arch).flat_map(move |(from, to)| {
        let beside = Some(arch.inputs.clone());
        let in_place = arch.has_edge(from, to).then(|| toggled(arch, (from, to)));
        let bases = [beside, in_place].into_iter().flatten();
        bases.flat_map(move |base| {
            (from + 1..=to).flat_map(move |place| {
                let mut inputs: Vec<VertexSet> = base.clone();
                inputs[to - 1] = inputs[to - 1].or(VertexSet::of(VACANT));
                let renumber = |vertex| match vertex {
                    VACANT => place,
                    vertex if vertex >= place => vertex + 1,
                    vertex => vertex,
                };
                inputs.iter_mut().for_each(|set| *set = set.renumbered(renumber));
                inputs.insert(place - 1, VertexSet::of(from));
                VertexOp::ALL.into_iter().filter_map(move |op| {
                    let mut ops = arch.ops.clone();
                    ops.insert(place - 1, op);
                    NasBench101Arch::from_inputs(inputs.clone(), ops)
                })
            })
        })
    })
}

/// A number that no vertex of a cell has.
const VACANT: usize = NasBench101Arch::MAX_VERTICES;

/// The undoing of [`with_a_vertex_more`].
fn with_a_vertex_less(arch: &NasBench101Arch) -> impl Iterator<Item = NasBench101Arch> + '_ {
    (1..=arch.ops.len()).flat_map(move |vertex| {
        let mut readers = (vertex + 1..arch.vertices()).filter(|&to| arch.has_edge(vertex, to));
        let ends = match (arch.inputs_of(vertex), readers.next(), readers.next()) {
            (inputs, Some(to), None) if inputs.len() == 1 => inputs.iter().next().map(|from| (from, to)),
            _ => None,
        };
        let bases = ends.into_iter().flat_map(move |(from, to)| {
            let in_place = (!arch.has_edge(from, to)).then(|| toggled(arch, (from, to)));
            [Some(arch.inputs.clone()), in_place].into_iter().flatten()
        });
        bases.filter_map(move |mut inputs| {
            inputs.remove(vertex - 1);
            let renumber = |old| if old > vertex { old - 1 } else { old };
            let shrunk = inputs.iter().map(|set| set.without(VertexSet::of(vertex)).renumbered(renumber));
            let mut ops = arch.ops.clone();
            ops.remove(vertex - 1);
            NasBench101Arch::from_inputs(shrunk.collect(), ops)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_423624_canonical_cells() {
        let space = NasBench101Space::default();
        let (mut cells, mut canonical) = (0u64, 0u64);
        for arch in space.all() {
            cells += 1;
            canonical += u64::from(space.canonical(&arch) == arch);
        }
        assert_eq!(canonical, 423_624);
        assert_eq!(cells, 1_293_208);
        assert_eq!(space.size(), BigUint::from(cells));
    }
}
