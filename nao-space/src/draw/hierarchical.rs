//! Diagrams of hierarchical architectures: the cell of motifs, and each motif that it uses.

use super::diagram::{Diagram, Node, Operation, Sink, Source, Value};
use super::op_lines;
use super::palette::Family;
use crate::image::OpKind;
use crate::spaces::{HierarchicalArch, MotifId, Primitive};

/// What the circles do.
const JOIN: &str = "concatenation and 1×1 convolution, with the number of the node";

/// The cell first, then its motifs in the order of their numbers.
pub(super) fn diagrams(arch: &HierarchicalArch) -> Vec<Diagram> {
    let edges = live_edges(&arch.cell, HierarchicalArch::CELL_NODES);
    let of_motif = |motif: MotifId, from: usize| Operation {
        label: format!("motif {}", motif.index() + 1),
        detail: None,
        family: Family::Motif,
        tooltip: format!("motif {} of node {from}", motif.index() + 1),
        reads: Vec::new(),
    };
    let mut all = vec![graph("cell".into(), "Cell".into(), &edges, of_motif)];
    let mut used: Vec<MotifId> = edges.iter().map(|edge| edge.label).collect();
    used.sort_unstable();
    used.dedup();
    for motif in used {
        let edges = live_edges(&arch.motifs[motif.index()].edges, HierarchicalArch::MOTIF_NODES);
        let number = motif.index() + 1;
        all.push(graph(format!("motif_{number}"), format!("Motif {number}"), &edges, of_primitive));
    }
    all
}

fn of_primitive(primitive: Primitive, from: usize) -> Operation {
    let (label, detail) = match primitive.op() {
        Some(op) => op_lines(op),
        None => ("depthwise conv".to_owned(), Some("3×3".to_owned())),
    };
    let kind = primitive.op().map_or(OpKind::Separable, |op| op.kind());
    let tooltip = format!("{} of node {from}", primitive.name());
    Operation { label, detail, family: Family::Op(kind), tooltip, reads: Vec::new() }
}

/// An edge on a path from input to output.
struct LiveEdge<T> {
    from: usize,
    to: usize,
    label: T,
}

/// The edges that carry something from the input to the output, by the node that they lead to.
fn live_edges<T: Copy>(edges: &[Option<T>], nodes: usize) -> Vec<LiveEdge<T>> {
    let pairs = (1..nodes).flat_map(|to| (0..to).map(move |from| (from, to)));
    let mut live: Vec<LiveEdge<T>> = pairs
        .zip(edges)
        .filter_map(|((from, to), label)| Some(LiveEdge { from, to, label: (*label)? }))
        .collect();
    let mut fed = vec![false; nodes];
    fed[0] = true;
    // Edges stand in the order of the nodes that they lead to.
    live.iter().for_each(|edge| fed[edge.to] |= fed[edge.from]);
    let mut read = vec![false; nodes];
    read[nodes - 1] = true;
    live.iter().rev().for_each(|edge| read[edge.from] |= read[edge.to]);
    live.retain(|edge| fed[edge.from] && read[edge.to]);
    live
}

/// One graph. Nodes on no path are left out, and keep their numbers.
fn graph<T: Copy>(
    name: String,
    heading: String,
    edges: &[LiveEdge<T>],
    operation: impl Fn(T, usize) -> Operation,
) -> Diagram {
    let mut numbers: Vec<usize> = edges.iter().map(|edge| edge.to).collect();
    numbers.dedup();
    let value = |node: usize| {
        let place = numbers.iter().position(|&number| number == node);
        Value(place.map_or(0, |place| place + 1))
    };
    let node = |&number: &usize| {
        let into = edges.iter().filter(|edge| edge.to == number);
        let operations =
            into.map(|edge| Operation { reads: vec![value(edge.from)], ..operation(edge.label, edge.from) });
        Node { operations: operations.collect(), sum: true, number: number.to_string() }
    };
    let reads = numbers.last().map(|&output| vec![value(output)]);
    Diagram {
        name: name.into(),
        heading: Some((heading.into(), if reads.is_some() { "" } else { "nothing reaches the output" })),
        join: JOIN,
        sources: vec![Source { label: "input".to_owned(), number: Some("0".to_owned()) }],
        nodes: numbers.iter().map(node).collect(),
        sink: Sink { label: "output", reads: reads.unwrap_or_default(), output: None },
    }
}
