//! A cell of two branches per node as a graph of operations.

use crate::cell::{Cell, State};
use crate::graph::{GraphBuilder, OperationGraph};
use crate::op::Op;
use crate::op_set::OpSet;

/// The graph of a cell over `ops` whose output concatenates the states `concat`. A branch that is zero is no edge.
pub(in crate::spaces) fn cell_graph(cell: &Cell, ops: &OpSet, concat: &[State]) -> OperationGraph {
    let mut graph = GraphBuilder::default();
    let mut states: Vec<_> = (0..State::INPUTS).map(|input| graph.input(input)).collect();
    for node in cell.nodes() {
        let branches = node.edges.iter().filter(|edge| edge.op != Op::Zero);
        let branches: Vec<_> = branches
            .filter_map(|edge| Some(graph.operation(ops.position(edge.op)?, [states[edge.input.index()]])))
            .collect();
        states.push(graph.sum(branches));
    }
    graph.finish(concat.iter().map(|state| states[state.index()]))
}
