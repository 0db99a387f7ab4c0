//! Any architecture as small labelled graphs of operations: what structural features and fingerprints are computed
//! from, the same way for every space.
//!
//! Vertices are operations, the inputs of a cell and its output. Where a space puts operations on edges, every edge
//! becomes a vertex; junctions, the sums and concatenations between operations, are seen through; what is on no
//! path from an input to the output is left out. "No edge" is no vertex, whereas a skip connection is an operation.

/// What the graphs of a space are made of: the same for all its architectures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GraphSchema {
    /// The graphs of one architecture, in order: `normal` and `reduction` for image cells.
    pub cells: Vec<String>,
    /// What may enter a cell, by number.
    pub inputs: Vec<String>,
    /// The operations, by number.
    pub operations: Vec<String>,
    /// The largest number of operations on a path from an input to the output.
    pub longest_path: usize,
}

/// What a vertex is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VertexLabel {
    /// An input of the cell, a number in [`GraphSchema::inputs`].
    Input(u16),
    /// An operation, a number in [`GraphSchema::operations`].
    Operation(u16),
    /// The output, the last vertex of every graph.
    Output,
}

/// One cell as a graph: labelled vertices that read earlier ones. An operation that reads several vertices reads
/// their sum; one that reads a vertex twice has two edges from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationGraph {
    labels: Vec<VertexLabel>,
    reads: Vec<Vec<usize>>,
}

impl OperationGraph {
    /// The labels of the vertices in an order in which every vertex follows those that it reads; the output
    /// is the last.
    pub fn labels(&self) -> &[VertexLabel] {
        &self.labels
    }

    /// What every vertex reads; empty for inputs, and for the output where nothing leads there.
    pub fn reads(&self) -> &[Vec<usize>] {
        &self.reads
    }

    /// Number of vertices.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Never: there is an output at least.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The readers of every vertex, once for each edge.
    pub fn readers(&self) -> Vec<Vec<usize>> {
        let mut readers = vec![Vec::new(); self.len()];
        for (vertex, reads) in self.reads.iter().enumerate() {
            for &read in reads {
                readers[read].push(vertex);
            }
        }
        readers
    }

    /// A number that does not depend on how vertices are numbered: equal for isomorphic graphs, and different for
    /// others but for those that colour refinement (Weisfeiler and Lehman) cannot tell apart.
    pub fn fingerprint(&self) -> u64 {
        let readers = self.readers();
        let mut colours: Vec<u64> = self.labels.iter().map(|label| mix(&[0, label.number()])).collect();
        for _ in 0..self.len() {
            let of = |vertices: &[usize]| sorted(vertices.iter().map(|&vertex| colours[vertex]));
            colours = (0..self.len())
                .map(|v| mix(&[colours[v], mix(&of(&self.reads[v])), mix(&of(&readers[v]))]))
                .collect();
        }
        mix(&sorted(colours.into_iter()))
    }
}

impl VertexLabel {
    /// A different number for every label.
    pub(crate) fn number(self) -> u64 {
        match self {
            VertexLabel::Output => 0,
            VertexLabel::Input(input) => 1 + 2 * u64::from(input),
            VertexLabel::Operation(operation) => 2 + 2 * u64::from(operation),
        }
    }
}

pub(crate) fn sorted(values: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values
}

/// A hash of a list of numbers, the same on every machine and in every version.
pub(crate) fn mix(values: &[u64]) -> u64 {
    values.iter().fold(values.len() as u64, |hash, &value| {
        // The finaliser of SplitMix64.
        let mut z = (hash ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// A vertex of a graph under construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VertexId(usize);

/// Builds an [`OperationGraph`] from operations, sums and whatever is dead among them.
///
/// ```
/// use nao_space::graph::{GraphBuilder, VertexLabel};
///
/// // A sum of two operations on the input is read by a third; a fourth has no reader.
/// let mut graph = GraphBuilder::default();
/// let input = graph.input(0);
/// let left = graph.operation(0, [input]);
/// let right = graph.operation(1, [input]);
/// let sum = graph.sum([left, right]);
/// let last = graph.operation(0, [sum]);
/// graph.operation(1, [sum]);
/// let graph = graph.finish([last]);
/// assert_eq!(graph.len(), 5);
/// assert_eq!(graph.labels()[3], VertexLabel::Operation(0));
/// assert_eq!(graph.reads()[3], [1, 2]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct GraphBuilder {
    /// `None` for a junction.
    labels: Vec<Option<VertexLabel>>,
    reads: Vec<Vec<VertexId>>,
}

impl GraphBuilder {
    /// An input of the cell.
    pub fn input(&mut self, input: usize) -> VertexId {
        self.vertex(Some(VertexLabel::Input(input as u16)), [])
    }

    /// An operation on the sum of what it reads.
    pub fn operation(&mut self, operation: usize, reads: impl IntoIterator<Item = VertexId>) -> VertexId {
        self.vertex(Some(VertexLabel::Operation(operation as u16)), reads)
    }

    /// A sum or concatenation. One of nothing is zero, and whatever reads nothing else is left out.
    pub fn sum(&mut self, reads: impl IntoIterator<Item = VertexId>) -> VertexId {
        self.vertex(None, reads)
    }

    fn vertex(&mut self, label: Option<VertexLabel>, reads: impl IntoIterator<Item = VertexId>) -> VertexId {
        self.labels.push(label);
        self.reads.push(reads.into_iter().collect());
        VertexId(self.labels.len() - 1)
    }

    /// The graph whose output reads these vertices.
    pub fn finish(mut self, reads: impl IntoIterator<Item = VertexId>) -> OperationGraph {
        let output = self.vertex(Some(VertexLabel::Output), reads).0;
        let reads = self.without_junctions();
        let mut needed = vec![false; self.labels.len()];
        needed[output] = true;
        for vertex in (0..=output).rev() {
            if needed[vertex] {
                reads[vertex].iter().for_each(|&read| needed[read] = true);
            }
        }
        let kept: Vec<usize> = (0..=output).filter(|&vertex| needed[vertex]).collect();
        let number = |vertex: &usize| kept.partition_point(|kept| kept < vertex);
        OperationGraph {
            labels: kept.iter().filter_map(|&vertex| self.labels[vertex]).collect(),
            reads: kept.iter().map(|&vertex| reads[vertex].iter().map(number).collect()).collect(),
        }
    }

    /// What every vertex reads of inputs and of operations that an input reaches.
    fn without_junctions(&self) -> Vec<Vec<usize>> {
        let mut all: Vec<Vec<usize>> = Vec::with_capacity(self.labels.len());
        for reads in &self.reads {
            let mut direct = Vec::new();
            for &VertexId(read) in reads {
                match self.labels[read] {
                    None => direct.extend_from_slice(&all[read]),
                    Some(VertexLabel::Input(_)) => direct.push(read),
                    Some(_) if !all[read].is_empty() => direct.push(read),
                    Some(_) => {}
                }
            }
            all.push(direct);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junctions_are_seen_through_and_dead_parts_left_out() {
        let mut graph = GraphBuilder::default();
        let (a, b) = (graph.input(0), graph.input(1));
        let nothing = graph.sum([]);
        let dead = graph.operation(2, [nothing]);
        let first = graph.operation(0, [a]);
        let sum = graph.sum([first, dead, b]);
        let twice = graph.sum([sum, sum]);
        let last = graph.operation(1, [twice]);
        let graph = graph.finish([last, b]);
        use VertexLabel::{Input, Operation, Output};
        assert_eq!(graph.labels(), [Input(0), Input(1), Operation(0), Operation(1), Output]);
        assert_eq!(graph.reads(), [vec![], vec![], vec![0], vec![2, 1, 2, 1], vec![3, 1]]);
        assert_eq!(graph.readers(), [vec![2], vec![3, 3, 4], vec![3, 3], vec![4], vec![]]);
    }

    #[test]
    fn a_graph_to_which_nothing_leads_is_its_output() {
        let mut graph = GraphBuilder::default();
        graph.input(0);
        let nothing = graph.sum([]);
        let graph = graph.finish([nothing]);
        assert_eq!(graph.labels(), [VertexLabel::Output]);
    }

    #[test]
    fn fingerprints_do_not_see_numbers_but_edges_and_labels() {
        let diamond = |swap: bool, label: usize| {
            let mut graph = GraphBuilder::default();
            let input = graph.input(0);
            let [one, other] = if swap { [label, 0] } else { [0, label] };
            let (one, other) = (graph.operation(one, [input]), graph.operation(other, [input]));
            graph.finish([one, other]).fingerprint()
        };
        assert_eq!(diamond(false, 1), diamond(true, 1));
        assert_ne!(diamond(false, 1), diamond(false, 2));
        let mut chain = GraphBuilder::default();
        let input = chain.input(0);
        let first = chain.operation(0, [input]);
        let second = chain.operation(1, [first]);
        assert_ne!(chain.finish([second]).fingerprint(), diamond(false, 1));
    }
}
