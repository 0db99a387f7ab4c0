//! The graph that is laid out: blocks, sources, trunks and the sink in layers, joined by segments from
//! one layer to the next.

use super::sizes::{
    OP_GAP, OP_SIDE, OP_SIZE, SINK_FONT, SINK_SIDE, SINK_SLOT, SINK_WIDTH, SOURCE_SIDE, SOURCE_SIZE, SPACING,
    TRUNK_WIDTH,
};
use crate::draw::diagram::{Diagram, Value};
use crate::draw::text::text_width;

/// What a vertex is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Something from outside.
    Source,
    /// The operations of a node, and their sum if it has one.
    Block { node: usize, sum: bool },
    /// The passage of a value through a row.
    Trunk,
    /// Where everything ends.
    Sink,
}

/// Where a segment ends on its lower vertex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// At the middle.
    Middle,
    /// At an operation of a node.
    Op(usize),
    /// In one of the slots of the sink, which are numbered from the left.
    Slot(usize),
}

/// A piece of a line, from a layer to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub value: Value,
    pub upper: usize,
    pub lower: usize,
    pub port: Port,
}

pub(super) struct Graph {
    pub parts: Vec<Part>,
    pub layer_of: Vec<usize>,
    /// The vertices of each layer from left to right: sources, rows of blocks, sink.
    pub layers: Vec<Vec<usize>>,
    pub segments: Vec<Segment>,
    /// The place of every operation of a block, counted from the left; empty for other vertices.
    pub op_places: Vec<Vec<usize>>,
    /// The vertices of every value: what makes it, then its trunk downward.
    pub trunks: Vec<Vec<usize>>,
    /// The least width of the sink, for its label.
    sink_width: f64,
}

impl Graph {
    pub(super) fn new(diagram: &Diagram, rows: &[usize]) -> Self {
        let last_row = rows.iter().max().copied().unwrap_or(0);
        let mut graph = Graph {
            parts: Vec::new(),
            layer_of: Vec::new(),
            layers: vec![Vec::new(); last_row + 3],
            segments: Vec::new(),
            op_places: Vec::new(),
            trunks: Vec::new(),
            sink_width: SINK_WIDTH.max(text_width(diagram.sink.label, SINK_FONT) + 2.0 * SINK_SIDE),
        };
        for _ in &diagram.sources {
            let vertex = graph.add(Part::Source, 0);
            graph.trunks.push(vec![vertex]);
        }
        for (index, (node, row)) in diagram.nodes.iter().zip(rows).enumerate() {
            let vertex = graph.add(Part::Block { node: index, sum: node.sum }, row + 1);
            graph.op_places[vertex] = (0..node.operations.len()).collect();
            graph.trunks.push(vec![vertex]);
        }
        let sink = graph.add(Part::Sink, last_row + 2);
        for (index, node) in diagram.nodes.iter().enumerate() {
            let reader = graph.vertex_of(diagram.value_of(index));
            for (place, operation) in node.operations.iter().enumerate() {
                for &value in &operation.reads {
                    graph.join(value, reader, Port::Op(place));
                }
            }
        }
        for (slot, &value) in diagram.sink.reads.iter().enumerate() {
            graph.join(value, sink, Port::Slot(slot));
        }
        graph
    }

    fn add(&mut self, part: Part, layer: usize) -> usize {
        let vertex = self.parts.len();
        self.parts.push(part);
        self.layer_of.push(layer);
        self.layers[layer].push(vertex);
        self.op_places.push(Vec::new());
        vertex
    }

    /// Joins a value to a reader, with as much more of its trunk as that takes.
    fn join(&mut self, value: Value, reader: usize, port: Port) {
        let made_in = self.layer_of[self.vertex_of(value)];
        let above_reader = self.layer_of[reader] - 1;
        while made_in + self.trunks[value.0].len() <= above_reader {
            let layer = made_in + self.trunks[value.0].len();
            let upper = self.trunks[value.0][layer - made_in - 1];
            let lower = self.add(Part::Trunk, layer);
            self.trunks[value.0].push(lower);
            self.segments.push(Segment { value, upper, lower, port: Port::Middle });
        }
        let upper = self.trunks[value.0][above_reader - made_in];
        self.segments.push(Segment { value, upper, lower: reader, port });
    }

    pub(super) fn vertex_of(&self, value: Value) -> usize {
        self.trunks[value.0][0]
    }

    /// The vertices from what makes the value of a segment down to the segment's upper end.
    pub(super) fn trunk_down_to(&self, segment: &Segment) -> &[usize] {
        let trunk = &self.trunks[segment.value.0];
        let steps = self.layer_of[segment.upper] - self.layer_of[trunk[0]];
        &trunk[..=steps]
    }

    pub(super) fn sink(&self) -> usize {
        self.layers[self.layers.len() - 1][0]
    }

    pub(super) fn segments_below(&self, layer: usize) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(move |segment| self.layer_of[segment.upper] == layer)
    }

    fn slots(&self) -> usize {
        self.segments.iter().filter(|segment| matches!(segment.port, Port::Slot(_))).count()
    }

    pub(super) fn width(&self, vertex: usize) -> f64 {
        match self.parts[vertex] {
            Part::Source => SOURCE_SIZE.0 + 2.0 * SOURCE_SIDE,
            Part::Block { sum, .. } => {
                let ops = self.op_places[vertex].len() as f64;
                let side = if sum { 0.0 } else { OP_SIDE };
                ops * OP_SIZE.0 + (ops - 1.0) * OP_GAP + 2.0 * side
            }
            Part::Trunk => TRUNK_WIDTH,
            Part::Sink => self.sink_width.max(SINK_SLOT * self.slots() as f64),
        }
    }

    /// The least distance between the middles of two neighbours in a layer.
    pub(super) fn separation(&self, left: usize, right: usize) -> f64 {
        (self.width(left) + self.width(right)) / 2.0 + SPACING
    }

    pub(super) fn right_edge(&self, x: &[f64]) -> f64 {
        (0..x.len()).map(|vertex| x[vertex] + self.width(vertex) / 2.0).fold(0.0, f64::max)
    }

    /// How far right of the middle of a block an operation is, in halves of the distance between two.
    pub(super) fn op_half_steps(&self, block: usize, operation: usize) -> isize {
        let places = &self.op_places[block];
        2 * places[operation] as isize - (places.len() as isize - 1)
    }

    /// How far right of the middle of a block an operation is.
    pub(super) fn op_offset(&self, block: usize, operation: usize) -> f64 {
        self.op_half_steps(block, operation) as f64 * (OP_SIZE.0 + OP_GAP) / 2.0
    }

    /// How far right of the middle of its lower vertex a segment ends.
    pub(super) fn port_offset(&self, segment: &Segment) -> f64 {
        match segment.port {
            Port::Middle => 0.0,
            Port::Op(operation) => self.op_offset(segment.lower, operation),
            Port::Slot(slot) => {
                let slots = self.slots() as f64;
                (slot as f64 + 0.5 - slots / 2.0) * self.width(segment.lower) / slots
            }
        }
    }
}
