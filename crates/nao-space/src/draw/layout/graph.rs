//! The graph that is laid out: blocks, inputs, trunks and the concatenation in layers, joined by segments from
//! one layer to the next.

use super::{CONCAT_SLOT, CONCAT_WIDTH, INPUT_SIDE, INPUT_SIZE, OP_GAP, OP_SIZE, SPACING, TRUNK_WIDTH};
use crate::cell::{Cell, State};

/// What a vertex is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A cell input.
    Input,
    /// The two operations and the sum of a node.
    Block(usize),
    /// The passage of a state through a row.
    Trunk,
    /// The concatenation of the loose ends.
    Concat,
}

/// Where a segment ends on its lower vertex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// At the middle.
    Middle,
    /// At the operation of a branch.
    Branch(usize),
    /// In one of the slots of the concatenation, which are numbered from the left.
    Slot(usize),
}

/// A piece of a line, from a layer to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub state: State,
    pub upper: usize,
    pub lower: usize,
    pub port: Port,
}

pub(super) struct Graph {
    pub parts: Vec<Part>,
    pub layer_of: Vec<usize>,
    /// The vertices of each layer from left to right: inputs, rows of blocks, concatenation.
    pub layers: Vec<Vec<usize>>,
    pub segments: Vec<Segment>,
    /// Whether a block has its y branch on the left.
    pub swapped: Vec<bool>,
    /// The vertices of every state: what makes it, then its trunk downward.
    pub trunks: Vec<Vec<usize>>,
}

impl Graph {
    pub(super) fn new(cell: &Cell, rows: &[usize]) -> Self {
        let last_row = rows.iter().max().copied().unwrap_or(0);
        let states = cell.nodes().len() + State::INPUTS;
        let mut graph = Graph {
            parts: Vec::new(),
            layer_of: Vec::new(),
            layers: vec![Vec::new(); last_row + 3],
            segments: Vec::new(),
            swapped: Vec::new(),
            trunks: vec![Vec::new(); states],
        };
        for state in 0..State::INPUTS {
            let vertex = graph.add(Part::Input, 0);
            graph.trunks[state].push(vertex);
        }
        for (node, row) in rows.iter().enumerate() {
            let vertex = graph.add(Part::Block(node), row + 1);
            graph.trunks[State::of_node(node).index()].push(vertex);
        }
        let concat = graph.add(Part::Concat, last_row + 2);
        for (node, both) in cell.nodes().iter().enumerate() {
            let reader = graph.vertex_of_state(State::of_node(node));
            for (branch, edge) in both.edges.iter().enumerate() {
                graph.join(edge.input, reader, Port::Branch(branch));
            }
        }
        for (slot, state) in cell.loose_ends().into_iter().enumerate() {
            graph.join(state, concat, Port::Slot(slot));
        }
        graph
    }

    fn add(&mut self, part: Part, layer: usize) -> usize {
        let vertex = self.parts.len();
        self.parts.push(part);
        self.layer_of.push(layer);
        self.layers[layer].push(vertex);
        self.swapped.push(false);
        vertex
    }

    /// Joins a state to a reader, with as much more of its trunk as that takes.
    fn join(&mut self, state: State, reader: usize, port: Port) {
        let made_in = self.layer_of[self.vertex_of_state(state)];
        let above_reader = self.layer_of[reader] - 1;
        while made_in + self.trunks[state.index()].len() <= above_reader {
            let layer = made_in + self.trunks[state.index()].len();
            let upper = self.trunks[state.index()][layer - made_in - 1];
            let lower = self.add(Part::Trunk, layer);
            self.trunks[state.index()].push(lower);
            self.segments.push(Segment { state, upper, lower, port: Port::Middle });
        }
        let upper = self.trunks[state.index()][above_reader - made_in];
        self.segments.push(Segment { state, upper, lower: reader, port });
    }

    pub(super) fn vertex_of_state(&self, state: State) -> usize {
        self.trunks[state.index()][0]
    }

    /// The vertices from what makes the state of a segment down to the segment's upper end.
    pub(super) fn trunk_down_to(&self, segment: &Segment) -> &[usize] {
        let trunk = &self.trunks[segment.state.index()];
        let steps = self.layer_of[segment.upper] - self.layer_of[trunk[0]];
        &trunk[..=steps]
    }

    pub(super) fn concat(&self) -> usize {
        self.layers[self.layers.len() - 1][0]
    }

    pub(super) fn segments_below(&self, layer: usize) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(move |segment| self.layer_of[segment.upper] == layer)
    }

    fn loose_ends(&self) -> usize {
        self.segments.iter().filter(|segment| matches!(segment.port, Port::Slot(_))).count()
    }

    pub(super) fn width(&self, vertex: usize) -> f64 {
        match self.parts[vertex] {
            Part::Input => INPUT_SIZE.0 + 2.0 * INPUT_SIDE,
            Part::Block(_) => 2.0 * OP_SIZE.0 + OP_GAP,
            Part::Trunk => TRUNK_WIDTH,
            Part::Concat => CONCAT_WIDTH.max(CONCAT_SLOT * self.loose_ends() as f64),
        }
    }

    /// The least distance between the middles of two neighbours in a layer.
    pub(super) fn separation(&self, left: usize, right: usize) -> f64 {
        (self.width(left) + self.width(right)) / 2.0 + SPACING
    }

    pub(super) fn right_edge(&self, x: &[f64]) -> f64 {
        (0..x.len()).map(|vertex| x[vertex] + self.width(vertex) / 2.0).fold(0.0, f64::max)
    }

    /// How far right of the middle of a block the operation of a branch is.
    pub(super) fn branch_offset(&self, block: usize, branch: usize) -> f64 {
        let right = (branch == 1) != self.swapped[block];
        let half = (OP_SIZE.0 + OP_GAP) / 2.0;
        if right { half } else { -half }
    }

    /// How far right of the middle of its lower vertex a segment ends.
    pub(super) fn port_offset(&self, segment: &Segment) -> f64 {
        match segment.port {
            Port::Middle => 0.0,
            Port::Branch(branch) => self.branch_offset(segment.lower, branch),
            Port::Slot(slot) => {
                let slots = self.loose_ends() as f64;
                (slot as f64 + 0.5 - slots / 2.0) * self.width(segment.lower) / slots
            }
        }
    }
}
