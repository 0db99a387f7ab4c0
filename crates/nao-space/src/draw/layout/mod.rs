//! Where everything of a cell goes: a layered layout, top to bottom, after Sugiyama.
//!
//! A node of the cell is one *block*: its two operations side by side above their sum. Blocks stand in rows
//! below all that they read ([`rows`]); a state that is read further down gets a *trunk*, one passage per row
//! between, which all its later readers share. Each row is ordered so that few lines cross ([`order`]) and then
//! placed so that lines run as straight as they can ([`place`]). Lines bend between rows only and pass a row
//! vertically through their passage, so no line crosses a box.

mod graph;
mod order;
mod place;
mod rows;

use crate::cell::{Cell, State};
use graph::{Graph, Part, Port};

/// Width and height of an operation.
pub(super) const OP_SIZE: (f64, f64) = (72.0, 36.0);
/// Between the two operations of a node.
const OP_GAP: f64 = 10.0;
/// From the operations of a node down to its sum.
const SUM_GAP: f64 = 20.0;
/// The circle of a sum.
pub(super) const SUM_RADIUS: f64 = 10.0;
/// How far from the middle of a sum its branches arrive.
const SUM_PORT: f64 = 4.5;
/// Width and height of a cell input, and the room for its number on either side.
const INPUT_SIZE: (f64, f64) = (64.0, 26.0);
const INPUT_SIDE: f64 = 12.0;
/// Height of the concatenation, its least width, and its width per loose end.
const CONCAT_HEIGHT: f64 = 26.0;
const CONCAT_WIDTH: f64 = 72.0;
const CONCAT_SLOT: f64 = 18.0;
/// From the concatenation to the output label's upper edge, and the height of the label.
const OUTPUT_GAP: f64 = 22.0;
const OUTPUT_HEIGHT: f64 = 18.0;
/// The room of a trunk in a row.
const TRUNK_WIDTH: f64 = 4.0;
/// Between neighbours in a row.
const SPACING: f64 = 14.0;

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

/// One node of the cell: two operations and the circle that adds them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    /// The operations, x branch before y branch (either may stand on the left).
    pub ops: [Rect; 2],
    /// The middle of the circle.
    pub sum: (f64, f64),
    /// Where the branches arrive at the circle.
    pub ports: [(f64, f64); 2],
}

/// What a line leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The operation of a branch of a node.
    Op { node: usize, branch: usize },
    /// The concatenation.
    Concat,
}

/// A vertical piece of a line. Between two pieces a line bends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Passage {
    pub x: f64,
    pub top: f64,
    pub bottom: f64,
}

/// The line from a state to one of its readers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub from: State,
    pub to: Target,
    pub passages: Vec<Passage>,
}

/// A cell with a place for everything. The upper left corner is (0, 0).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CellLayout {
    pub width: f64,
    pub height: f64,
    pub inputs: [Rect; 2],
    pub blocks: Vec<Block>,
    pub concat: Rect,
    /// The middle of the output label.
    pub output: (f64, f64),
    pub routes: Vec<Route>,
}

/// Lays a cell out. The same cell gets the same layout on every machine. Where it would be less high than
/// `least_height`, its rows are moved apart, but not farther than looks right.
pub(super) fn layout_cell(cell: &Cell, least_height: f64) -> CellLayout {
    let rows = rows::assign_rows(cell);
    let mut graph = Graph::new(cell, &rows);
    order::reduce_crossings(&mut graph);
    let x = place::place(&graph);
    let mut y = layer_heights(&graph, &x);
    stretch(&mut y, least_height - OUTPUT_GAP - OUTPUT_HEIGHT);
    assemble(cell, &graph, &x, &y)
}

/// Top and bottom of every layer. Where a line has far to go sideways, there is more room for its bend.
fn layer_heights(graph: &Graph, x: &[f64]) -> Vec<(f64, f64)> {
    const LEAST: f64 = 30.0;
    const MOST: f64 = 90.0;
    const PER_SIDEWAYS: f64 = 0.2;
    let mut top = 0.0;
    let mut layers = Vec::with_capacity(graph.layers.len());
    for layer in 0..graph.layers.len() {
        let height = match layer {
            0 => INPUT_SIZE.1,
            _ if layer + 1 == graph.layers.len() => CONCAT_HEIGHT,
            _ => OP_SIZE.1 + SUM_GAP + 2.0 * SUM_RADIUS,
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

fn assemble(cell: &Cell, graph: &Graph, x: &[f64], y: &[(f64, f64)]) -> CellLayout {
    let layer_of = |vertex: usize| y[graph.layer_of[vertex]];
    let input = |state: usize| {
        let vertex = graph.vertex_of_state(State(state as u8));
        Rect::below(x[vertex], layer_of(vertex).0, INPUT_SIZE)
    };
    let block = |node: usize| {
        let vertex = graph.vertex_of_state(State::of_node(node));
        let (top, bottom) = layer_of(vertex);
        let offset = |branch| graph.branch_offset(vertex, branch);
        let sum = (x[vertex], bottom - SUM_RADIUS);
        let rise = (SUM_RADIUS * SUM_RADIUS - SUM_PORT * SUM_PORT).sqrt();
        Block {
            ops: [0, 1].map(|branch| Rect::below(x[vertex] + offset(branch), top, OP_SIZE)),
            sum,
            ports: [0, 1].map(|branch| (sum.0 + SUM_PORT * offset(branch).signum(), sum.1 - rise)),
        }
    };
    let concat = graph.concat();
    let concat = Rect::below(x[concat], layer_of(concat).0, (graph.width(concat), CONCAT_HEIGHT));
    let routes = graph.segments.iter().filter_map(|segment| {
        let to = match (graph.parts[segment.lower], segment.port) {
            (Part::Block(node), Port::Branch(branch)) => Target::Op { node, branch },
            (Part::Concat, _) => Target::Concat,
            _ => return None,
        };
        let mut passages: Vec<Passage> = graph
            .trunk_down_to(segment)
            .iter()
            .map(|&vertex| Passage { x: x[vertex], top: layer_of(vertex).0, bottom: layer_of(vertex).1 })
            .collect();
        let (top, _) = layer_of(segment.lower);
        let end = Passage { x: x[segment.lower] + graph.port_offset(segment), top, bottom: top };
        // The first piece starts at the lower edge of what makes the state.
        passages[0].top = passages[0].bottom;
        passages.push(end);
        Some(Route { from: segment.state, to, passages })
    });
    CellLayout {
        width: graph.right_edge(x),
        height: concat.bottom() + OUTPUT_GAP + OUTPUT_HEIGHT,
        inputs: [input(0), input(1)],
        blocks: (0..cell.nodes().len()).map(block).collect(),
        output: (concat.middle(), concat.bottom() + OUTPUT_GAP + OUTPUT_HEIGHT / 2.0),
        routes: routes.collect(),
        concat,
    }
}

#[cfg(test)]
mod tests;
