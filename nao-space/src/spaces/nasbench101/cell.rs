//! A NAS-Bench-101 cell: a small directed graph with an operation on each inner vertex.

use std::fmt;

use crate::image::{Border, Op};

/// What an inner vertex of a NAS-Bench-101 cell does to the sum of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VertexOp {
    /// 1x1 convolution, batch norm, ReLU.
    Conv1x1,
    /// 3x3 convolution, batch norm, ReLU.
    Conv3x3,
    /// Maximum over a 3x3 window.
    MaxPool3x3,
}

impl VertexOp {
    /// All of them, in the order of their tokens.
    pub const ALL: [VertexOp; 3] = [VertexOp::Conv1x1, VertexOp::Conv3x3, VertexOp::MaxPool3x3];

    /// The benchmark's name.
    pub fn name(self) -> &'static str {
        match self {
            VertexOp::Conv1x1 => "conv1x1-bn-relu",
            VertexOp::Conv3x3 => "conv3x3-bn-relu",
            VertexOp::MaxPool3x3 => "maxpool3x3",
        }
    }

    /// The operation of that name.
    pub fn named(name: &str) -> Option<VertexOp> {
        VertexOp::ALL.into_iter().find(|op| op.name() == name)
    }

    /// The operation in the words of all spaces, up to the order of its ReLU.
    pub fn op(self) -> Op {
        match self {
            VertexOp::Conv1x1 => Op::Conv { kernel: 1 },
            VertexOp::Conv3x3 => Op::Conv { kernel: 3 },
            VertexOp::MaxPool3x3 => Op::MaxPool { kernel: 3, border: Border::Ignored },
        }
    }
}

impl fmt::Display for VertexOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of vertices of one cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct VertexSet(pub(super) u8);

impl VertexSet {
    pub(super) const EMPTY: VertexSet = VertexSet(0);

    pub(super) fn of(vertex: usize) -> Self {
        VertexSet(1 << vertex)
    }

    /// The vertices before `vertex`.
    pub(super) fn before(vertex: usize) -> Self {
        VertexSet((1 << vertex) - 1)
    }

    pub(super) fn contains(self, vertex: usize) -> bool {
        self.0 >> vertex & 1 == 1
    }

    pub(super) fn and(self, other: VertexSet) -> Self {
        VertexSet(self.0 & other.0)
    }

    pub(super) fn or(self, other: VertexSet) -> Self {
        VertexSet(self.0 | other.0)
    }

    pub(super) fn without(self, other: VertexSet) -> Self {
        VertexSet(self.0 & !other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    pub(super) fn iter(self) -> impl Iterator<Item = usize> + Clone {
        (0..u8::BITS as usize).filter(move |&vertex| self.contains(vertex))
    }

    /// The set after every vertex got another number.
    pub(super) fn renumbered(self, number: impl Fn(usize) -> usize) -> Self {
        self.iter().fold(VertexSet::EMPTY, |set, vertex| set.or(VertexSet::of(number(vertex))))
    }
}

/// A NAS-Bench-101 cell (Ying et al., ICML 2019): vertex 0 is the input, the last one the output, edges lead to
/// later vertices, and every vertex lies on a path from input to output.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NasBench101Arch {
    /// What vertices 1, 2, … read.
    pub(super) inputs: Vec<VertexSet>,
    /// The operations of the inner vertices.
    pub(super) ops: Vec<VertexOp>,
}

impl NasBench101Arch {
    /// The largest number of vertices, input and output included.
    pub const MAX_VERTICES: usize = 7;
    /// The largest number of edges.
    pub const MAX_EDGES: usize = 9;

    /// A cell from its adjacency matrix (`matrix[from][to]`) and the operations of its inner vertices. Vertices on
    /// no path from input to output are left out, with their edges: they do nothing. The limit on edges holds for
    /// what is left.
    ///
    /// # Errors
    /// When the sizes do not fit each other or the space, an edge does not lead to a later vertex, no path leads
    /// to the output, or too many edges are left.
    pub fn new(matrix: &[Vec<bool>], ops: &[VertexOp]) -> Result<Self, InvalidNasBench101> {
        let vertices = ops.len() + 2;
        let columns = matrix.iter().map(Vec::len).find(|&columns| columns != vertices).unwrap_or(vertices);
        if matrix.len() != vertices || columns != vertices {
            return Err(InvalidNasBench101::Sizes { rows: matrix.len(), columns, vertices });
        }
        if vertices > NasBench101Arch::MAX_VERTICES {
            return Err(InvalidNasBench101::VertexCount { vertices });
        }
        for (row, entries) in matrix.iter().enumerate() {
            if let Some(column) = (0..=row).find(|&column| entries[column]) {
                return Err(InvalidNasBench101::LowerTriangular { row, column, vertices });
            }
        }
        let read_by = |to: usize| {
            let sources = (0..to).filter(|&from| matrix[from][to]);
            sources.fold(VertexSet::EMPTY, |set, from| set.or(VertexSet::of(from)))
        };
        let arch =
            NasBench101Arch { inputs: (1..vertices).map(read_by).collect(), ops: ops.to_vec() }.pruned()?;
        match arch.edges() {
            edges if edges > NasBench101Arch::MAX_EDGES => Err(InvalidNasBench101::TooManyEdges { edges }),
            _ => Ok(arch),
        }
    }

    /// A cell from what vertices 1, 2, … read; `None` unless it is one as it stands, with nothing to prune.
    pub(super) fn from_inputs(inputs: Vec<VertexSet>, ops: Vec<VertexOp>) -> Option<Self> {
        let arch = NasBench101Arch { inputs, ops };
        let valid = arch.vertices() <= NasBench101Arch::MAX_VERTICES
            && arch.edges() <= NasBench101Arch::MAX_EDGES
            && arch.useful() == VertexSet::before(arch.vertices());
        valid.then_some(arch)
    }

    /// Number of vertices, input and output included: 2 to 7.
    pub fn vertices(&self) -> usize {
        self.inputs.len() + 1
    }

    /// Number of edges: 1 to 9.
    pub fn edges(&self) -> usize {
        self.inputs.iter().map(|set| set.len()).sum()
    }

    /// The operations of the inner vertices 1, 2, ….
    pub fn ops(&self) -> &[VertexOp] {
        &self.ops
    }

    /// Whether an edge leads from one vertex to another.
    pub fn has_edge(&self, from: usize, to: usize) -> bool {
        to.checked_sub(1)
            .and_then(|to| self.inputs.get(to))
            .is_some_and(|set| from < to && set.contains(from))
    }

    /// The adjacency matrix: `matrix[from][to]`.
    pub fn matrix(&self) -> Vec<Vec<bool>> {
        let all = 0..self.vertices();
        all.clone().map(|from| all.clone().map(|to| self.has_edge(from, to)).collect()).collect()
    }

    /// What a vertex reads; nothing for the input.
    pub(super) fn inputs_of(&self, vertex: usize) -> VertexSet {
        vertex.checked_sub(1).map_or(VertexSet::EMPTY, |index| self.inputs[index])
    }

    /// The vertices on a path from input to output; empty where there is none.
    fn useful(&self) -> VertexSet {
        let output = self.vertices() - 1;
        let mut reached = VertexSet::of(0);
        for vertex in 1..=output {
            if !self.inputs_of(vertex).and(reached).is_empty() {
                reached = reached.or(VertexSet::of(vertex));
            }
        }
        let mut needed = VertexSet::of(output);
        for vertex in (1..=output).rev().filter(|&vertex| reached.contains(vertex)) {
            if needed.contains(vertex) {
                needed = needed.or(self.inputs_of(vertex));
            }
        }
        if reached.contains(output) { reached.and(needed) } else { VertexSet::EMPTY }
    }

    /// The cell without the vertices that are on no path from input to output.
    fn pruned(self) -> Result<Self, InvalidNasBench101> {
        let useful = self.useful();
        if useful.is_empty() {
            return Err(InvalidNasBench101::UnreachableOutput { vertices: self.vertices() });
        }
        let number = |vertex| useful.and(VertexSet::before(vertex)).len();
        let kept = useful.iter().skip(1);
        let inputs = kept.clone().map(|vertex| self.inputs_of(vertex).and(useful).renumbered(number));
        let inner = kept.filter(|&vertex| vertex + 1 < self.vertices());
        let ops = inner.map(|vertex| self.ops[vertex - 1]).collect();
        Ok(NasBench101Arch { inputs: inputs.collect(), ops })
    }
}

/// Why a matrix and operations are no NAS-Bench-101 cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNasBench101 {
    /// The matrix does not fit the operations.
    #[error(
        "the matrix is {rows}x{columns}, but the operations name {vertices} vertices: \
         it must be {vertices}x{vertices}"
    )]
    Sizes {
        /// Rows of the matrix.
        rows: usize,
        /// Entries of its first row of another length than needed.
        columns: usize,
        /// Vertices that the operations name, input and output included.
        vertices: usize,
    },
    /// More vertices than a cell may have.
    #[error("a cell has 2 to {} vertices, this one has {vertices}", NasBench101Arch::MAX_VERTICES)]
    VertexCount {
        /// The vertices given.
        vertices: usize,
    },
    /// An edge that does not lead to a later vertex.
    #[error(
        "row {row}, column {column} of the {vertices}x{vertices} matrix is 1: entries on and below the \
         diagonal are 0, for edges lead to later vertices"
    )]
    LowerTriangular {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// Rows and columns of the matrix.
        vertices: usize,
    },
    /// No path from input to output.
    #[error("no path leads from vertex 0, the input, to vertex {}, the output of {vertices} vertices", .vertices - 1)]
    UnreachableOutput {
        /// The vertices given.
        vertices: usize,
    },
    /// More edges than a cell may have, after pruning.
    #[error(
        "a cell has at most {} edges, this one has {edges} on paths from input to output",
        NasBench101Arch::MAX_EDGES
    )]
    TooManyEdges {
        /// The edges on paths from input to output.
        edges: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[u8]]) -> Vec<Vec<bool>> {
        rows.iter().map(|row| row.iter().map(|&entry| entry == 1).collect()).collect()
    }

    const POOL: [VertexOp; 1] = [VertexOp::MaxPool3x3];

    #[test]
    fn vertices_on_no_path_are_left_out() {
        // 1 is read by nobody, 3 reads nothing; 0 -> 2 -> 4 is left.
        let rows: [&[u8]; 5] =
            [&[0, 1, 1, 0, 0], &[0, 0, 0, 0, 0], &[0, 0, 0, 0, 1], &[0, 0, 0, 0, 1], &[0, 0, 0, 0, 0]];
        let arch = NasBench101Arch::new(&matrix(&rows), &VertexOp::ALL).unwrap();
        assert_eq!((arch.vertices(), arch.edges()), (3, 2));
        assert_eq!(arch.ops(), [VertexOp::Conv3x3]);
        assert_eq!(arch.matrix(), matrix(&[&[0, 1, 0], &[0, 0, 1], &[0, 0, 0]]));
    }

    #[test]
    fn each_fault_has_its_own_error_with_sizes() {
        let cases: [(&[&[u8]], &str); 5] = [
            (&[&[0, 1], &[0, 0]], "the matrix is 2x2, but the operations name 3 vertices: it must be 3x3"),
            (
                &[&[0, 1, 0], &[0, 0], &[0, 0, 0]],
                "the matrix is 3x2, but the operations name 3 vertices: it must be 3x3",
            ),
            (&[&[0, 1, 0], &[0, 0, 1], &[1, 0, 0]], "row 2, column 0 of the 3x3 matrix is 1"),
            (&[&[0, 1, 0], &[0, 1, 1], &[0, 0, 0]], "row 1, column 1 of the 3x3 matrix is 1"),
            (
                &[&[0, 1, 0], &[0, 0, 0], &[0, 0, 0]],
                "no path leads from vertex 0, the input, to vertex 2, the output of 3 vertices",
            ),
        ];
        for (rows, message) in cases {
            let error = NasBench101Arch::new(&matrix(rows), &POOL).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error:?} should start with {message:?}");
        }
    }

    #[test]
    fn ten_edges_are_too_many_unless_they_lead_nowhere() {
        let complete = |vertices: usize| -> Vec<Vec<bool>> {
            (0..vertices).map(|from| (0..vertices).map(|to| from < to).collect()).collect()
        };
        let error = NasBench101Arch::new(&complete(5), &VertexOp::ALL).unwrap_err();
        assert_eq!(error, InvalidNasBench101::TooManyEdges { edges: 10 });
        let error = NasBench101Arch::new(&complete(8), &[VertexOp::Conv1x1; 6]).unwrap_err();
        assert_eq!(error, InvalidNasBench101::VertexCount { vertices: 8 });
        let mut dead = complete(5);
        dead[3][4] = false;
        let arch = NasBench101Arch::new(&dead, &VertexOp::ALL).unwrap();
        assert_eq!((arch.vertices(), arch.edges()), (4, 6));
    }
}
