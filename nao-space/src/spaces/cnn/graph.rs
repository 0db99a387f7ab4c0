//! A cell of two branches per node as a graph of operations, and where its branches stand in sequences.

use crate::graph::{GraphBuilder, OperationGraph};
use crate::image::{Cell, Op, OpSet, State};

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

/// What a position of a language of two cells says, where every branch is written as input and operation.
pub(in crate::spaces) fn cell_position(nodes: usize, position: usize) -> String {
    let role = if position < 4 * nodes { "normal" } else { "reduction" };
    let node = position % (4 * nodes) / 4;
    let part = ["first input", "first operation", "second input", "second operation"][position % 4];
    format!("{role} cell, node {node}, {part}")
}
