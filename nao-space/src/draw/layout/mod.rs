//! Where everything of a diagram goes: a layered layout, top to bottom, after Sugiyama.
//!
//! A node is one *block*: its operations side by side above their sum, if it has one. Blocks stand in rows
//! below all that they read ([`rows`]); a value that is read further down gets a *trunk*, one passage per row
//! between, which all its later readers share. Each row is ordered so that few lines cross ([`order`]) and then
//! placed so that lines run as straight as they can ([`place`]). Lines bend between rows only and pass a row
//! vertically through their passage, so no line crosses a box.

mod graph;
mod order;
mod place;
mod rows;
mod sizes;

use super::diagram::{Diagram, Value};
use graph::{Graph, Part, Port};
use sizes::{OP_SIZE, OUTPUT_GAP, OUTPUT_HEIGHT, SINK_HEIGHT, SOURCE_SIZE, SUM_GAP, SUM_PORT};

pub(super) use sizes::SUM_RADIUS;

/// A rectangle, by its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Rect {
    /// The rectangle around a middle x, below a y.
    fn below(middle: f64, y: f64, (width, height): (f64, f64)) -> Self {
        Rect { x: middle - width / 2.0, y, width, height }
    }

    pub(super) fn middle(&self) -> f64 {
        self.x + self.width / 2.0
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// One node: its operations and the circle that adds them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    /// The operations in the order of the node (any may stand on the left).
    pub ops: Vec<Rect>,
    /// The middle of the circle.
    pub sum: Option<(f64, f64)>,
    /// Where the operations arrive at the circle.
    pub ports: Vec<(f64, f64)>,
}

/// What a line leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An operation of a node.
    Op { node: usize, operation: usize },
    /// The sink.
    Sink,
}

/// A vertical piece of a line. Between two pieces a line bends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Passage {
    pub x: f64,
    pub top: f64,
    pub bottom: f64,
}

/// The line from a value to one of its readers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub from: Value,
    pub to: Target,
    pub passages: Vec<Passage>,
}

/// A diagram with a place for everything. The upper left corner is (0, 0).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DiagramLayout {
    pub width: f64,
    pub height: f64,
    pub sources: Vec<Rect>,
    pub blocks: Vec<Block>,
    pub sink: Rect,
    /// The middle of the output label.
    pub output: (f64, f64),
    pub routes: Vec<Route>,
}

/// Lays a diagram out. The same diagram gets the same layout on every machine. Where it would be less high than
/// `least_height`, its rows are moved apart, but not farther than looks right.
pub(super) fn lay_out(diagram: &Diagram, least_height: f64) -> DiagramLayout {
    let rows = rows::assign_rows(diagram);
    let mut graph = Graph::new(diagram, &rows);
    order::reduce_crossings(&mut graph);
    let x = place::place(&graph);
    let mut y = layer_heights(diagram, &graph, &x);
    stretch(&mut y, least_height - below_sink(diagram));
    assemble(diagram, &graph, &x, &y)
}

/// The room of the output label.
fn below_sink(diagram: &Diagram) -> f64 {
    if diagram.sink.output.is_some() { OUTPUT_GAP + OUTPUT_HEIGHT } else { 0.0 }
}

/// Top and bottom of every layer. Where a line has far to go sideways, there is more room for its bend.
fn layer_heights(diagram: &Diagram, graph: &Graph, x: &[f64]) -> Vec<(f64, f64)> {
    const LEAST: f64 = 30.0;
    const MOST: f64 = 90.0;
    const PER_SIDEWAYS: f64 = 0.2;
    let sums = diagram.nodes.iter().any(|node| node.sum);
    let block = if sums { OP_SIZE.1 + SUM_GAP + 2.0 * SUM_RADIUS } else { OP_SIZE.1 };
    let mut top = 0.0;
    let mut layers = Vec::with_capacity(graph.layers.len());
    for layer in 0..graph.layers.len() {
        let height = match layer {
            0 => SOURCE_SIZE.1,
            _ if layer + 1 == graph.layers.len() => SINK_HEIGHT,
            _ => block,
        };
        layers.push((top, top + height));
        let sideways = graph
            .segments_below(layer)
            .map(|segment| (x[segment.upper] - x[segment.lower] - graph.port_offset(segment)).abs())
            .fold(0.0, f64::max);
        top += height + (LEAST + PER_SIDEWAYS * sideways).min(MOST);
    }
    layers
}

/// Moves the layers apart until they end at `height`.
fn stretch(layers: &mut [(f64, f64)], height: f64) {
    const MOST_PER_GAP: f64 = 60.0;
    let gaps = (layers.len() - 1) as f64;
    let spare = ((height - layers[layers.len() - 1].1) / gaps).clamp(0.0, MOST_PER_GAP);
    for (layer, (top, bottom)) in layers.iter_mut().enumerate() {
        *top += spare * layer as f64;
        *bottom += spare * layer as f64;
    }
}

fn assemble(diagram: &Diagram, graph: &Graph, x: &[f64], y: &[(f64, f64)]) -> DiagramLayout {
    let layer_of = |vertex: usize| y[graph.layer_of[vertex]];
    let source = |source: usize| {
        let vertex = graph.vertex_of(Value(source));
        Rect::below(x[vertex], layer_of(vertex).0, SOURCE_SIZE)
    };
    let block = |node: usize| {
        let vertex = graph.vertex_of(diagram.value_of(node));
        let (top, bottom) = layer_of(vertex);
        let offsets = (0..diagram.nodes[node].operations.len()).map(|op| graph.op_offset(vertex, op));
        let ops = offsets.clone().map(|offset| Rect::below(x[vertex] + offset, top, OP_SIZE)).collect();
        if !diagram.nodes[node].sum {
            return Block { ops, sum: None, ports: Vec::new() };
        }
        let sum = (x[vertex], bottom - SUM_RADIUS);
        let port = |offset: f64| {
            let aside = if offset == 0.0 { 0.0 } else { SUM_PORT * offset.signum() };
            (sum.0 + aside, sum.1 - (SUM_RADIUS * SUM_RADIUS - aside * aside).sqrt())
        };
        Block { ops, sum: Some(sum), ports: offsets.map(port).collect() }
    };
    let sources: Vec<Rect> = (0..diagram.sources.len()).map(source).collect();
    let blocks: Vec<Block> = (0..diagram.nodes.len()).map(block).collect();
    let lower_edge = |value: Value| match diagram.node_of(value) {
        None => sources[value.0].bottom(),
        Some(node) => match blocks[node].sum {
            Some((_, middle)) => middle + SUM_RADIUS,
            None => blocks[node].ops[0].bottom(),
        },
    };
    let sink = graph.sink();
    let sink = Rect::below(x[sink], layer_of(sink).0, (graph.width(sink), SINK_HEIGHT));
    let routes = graph.segments.iter().filter_map(|segment| {
        let to = match (graph.parts[segment.lower], segment.port) {
            (Part::Block { node, .. }, Port::Op(operation)) => Target::Op { node, operation },
            (Part::Sink, _) => Target::Sink,
            _ => return None,
        };
        let mut passages: Vec<Passage> = graph
            .trunk_down_to(segment)
            .iter()
            .map(|&vertex| Passage { x: x[vertex], top: layer_of(vertex).0, bottom: layer_of(vertex).1 })
            .collect();
        let (top, _) = layer_of(segment.lower);
        let end = Passage { x: x[segment.lower] + graph.port_offset(segment), top, bottom: top };
        // The first piece starts at the lower edge of what makes the value.
        let start = lower_edge(segment.value);
        (passages[0].top, passages[0].bottom) = (start, start);
        passages.push(end);
        Some(Route { from: segment.value, to, passages })
    });
    DiagramLayout {
        width: graph.right_edge(x),
        height: sink.bottom() + below_sink(diagram),
        output: (sink.middle(), sink.bottom() + OUTPUT_GAP + OUTPUT_HEIGHT / 2.0),
        routes: routes.collect(),
        sources,
        blocks,
        sink,
    }
}

#[cfg(test)]
mod tests;
