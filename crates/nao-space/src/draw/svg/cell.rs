//! One cell: lines, boxes, sums.

use super::element::{Anchor, Svg, Tone, number};
use crate::cell::{Cell, State};
use crate::draw::layout::{Block, CellLayout, Passage, Rect, Route, SUM_RADIUS, Target};
use crate::draw::palette::{kind_class, kind_scheme};
use crate::draw::text::escaped;
use crate::draw::{OUTPUT_LABEL, input_label, op_lines};
use crate::op::Op;

/// Writes a cell; its upper left corner is the origin.
pub(super) fn write_cell(svg: &mut Svg, cell: &Cell, layout: &CellLayout) {
    // Lines first, so that boxes lie on them.
    for route in &layout.routes {
        write_route(svg, route);
    }
    for block in &layout.blocks {
        for (op, port) in block.ops.iter().zip(block.ports) {
            let start = Passage { x: op.middle(), top: op.bottom(), bottom: op.bottom() };
            let end = Passage { x: port.0, top: port.1, bottom: port.1 };
            svg.arrow("sum", &[start, end]);
        }
    }
    let end = layout.output.1 - 9.0;
    let down = |y| Passage { x: layout.concat.middle(), top: y, bottom: y };
    svg.arrow("output", &[down(layout.concat.bottom()), down(end)]);

    for (state, rect) in layout.inputs.iter().enumerate() {
        let state = State(state as u8);
        svg.neutral_box(rect, &input_label(state), rect.height / 2.0);
        svg.state_number((rect.x + rect.width + 5.0, rect.y + rect.height / 2.0), state);
    }
    for (node, block) in layout.blocks.iter().enumerate() {
        write_block(svg, cell, node, block);
    }
    svg.neutral_box(&layout.concat, "concat", 6.0);
    svg.text((layout.output.0, layout.output.1 + 4.0), Anchor::Middle, 12.0, Tone::Strong, OUTPUT_LABEL);
}

fn write_route(svg: &mut Svg, route: &Route) {
    let class = match route.to {
        Target::Op { .. } => "input",
        Target::Concat => "loose-end",
    };
    svg.arrow(class, &route.passages);
}

fn write_block(svg: &mut Svg, cell: &Cell, node: usize, block: &Block) {
    for (edge, rect) in cell.nodes()[node].edges.iter().zip(&block.ops) {
        let tooltip = format!("{} of state {}", edge.op, edge.input);
        write_op(svg, edge.op, rect, &tooltip);
    }
    let (x, y) = block.sum;
    svg.sum("nao-box nao-sum", block.sum, SUM_RADIUS);
    svg.state_number((x + SUM_RADIUS + 4.0, y), State::of_node(node));
}

fn write_op(svg: &mut Svg, op: Op, rect: &Rect, tooltip: &str) {
    let colors = kind_scheme(op.kind()).light;
    svg.line(format_args!("<g class=\"nao-op nao-{}\">", kind_class(op.kind())));
    svg.line(format_args!("<title>{}</title>", escaped(tooltip)));
    svg.swatch(op.kind(), rect, 7.0);
    let middle = rect.y + rect.height / 2.0;
    let mut write = |y: f64, size: f64, weight: &str, text: &str| {
        svg.line(format_args!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"{}\" font-weight=\"{weight}\" \
             fill=\"{}\">{}</text>",
            number(rect.middle()),
            number(y),
            number(size),
            colors.text,
            escaped(text)
        ));
    };
    match op_lines(op) {
        (family, Some(kernel)) => {
            write(middle - 3.0, 11.0, "600", &family);
            write(middle + 11.0, 11.0, "400", &kernel);
        }
        (family, None) => write(middle + 4.0, 11.0, "600", &family),
    }
    svg.line(format_args!("</g>"));
}
