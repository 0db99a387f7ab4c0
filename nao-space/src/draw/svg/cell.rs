//! One diagram: lines, boxes, sums.

use super::element::{Anchor, Svg, Tone, number};
use crate::draw::diagram::{Diagram, Operation};
use crate::draw::layout::{Block, DiagramLayout, OP_FONT, Passage, Rect, Route, SUM_RADIUS, Target};
use crate::draw::text::escaped;

/// Writes a diagram; its upper left corner is the origin.
pub(super) fn write_diagram(svg: &mut Svg, diagram: &Diagram, layout: &DiagramLayout) {
    // Lines first, so that boxes lie on them.
    for route in &layout.routes {
        write_route(svg, route);
    }
    for block in &layout.blocks {
        for (op, port) in block.ops.iter().zip(&block.ports) {
            let start = Passage { x: op.middle(), top: op.bottom(), bottom: op.bottom() };
            let end = Passage { x: port.0, top: port.1, bottom: port.1 };
            svg.arrow("sum", &[start, end]);
        }
    }
    if diagram.sink.output.is_some() {
        let end = layout.output.1 - 9.0;
        let down = |y| Passage { x: layout.sink.middle(), top: y, bottom: y };
        svg.arrow("output", &[down(layout.sink.bottom()), down(end)]);
    }

    for (source, rect) in diagram.sources.iter().zip(&layout.sources) {
        svg.neutral_box(rect, &source.label, rect.height / 2.0);
        if let Some(number) = &source.number {
            svg.state_number((rect.x + rect.width + 5.0, rect.y + rect.height / 2.0), number);
        }
    }
    for (node, block) in diagram.nodes.iter().zip(&layout.blocks) {
        for (operation, rect) in node.operations.iter().zip(&block.ops) {
            write_op(svg, operation, rect);
        }
        write_number(svg, &node.number, block);
    }
    svg.neutral_box(&layout.sink, diagram.sink.label, 6.0);
    if let Some(output) = diagram.sink.output {
        svg.text((layout.output.0, layout.output.1 + 4.0), Anchor::Middle, 12.0, Tone::Strong, output);
    }
}

fn write_route(svg: &mut Svg, route: &Route) {
    let class = match route.to {
        Target::Op { .. } => "input",
        Target::Sink => "loose-end",
    };
    svg.arrow(class, &route.passages);
}

/// The number of what a node makes, beside its circle or else beside its box.
fn write_number(svg: &mut Svg, number: &str, block: &Block) {
    match block.sum {
        Some((x, y)) => {
            svg.sum("nao-box nao-sum", (x, y), SUM_RADIUS);
            svg.state_number((x + SUM_RADIUS + 4.0, y), number);
        }
        None => {
            let op = &block.ops[0];
            svg.state_number((op.x + op.width + 4.0, op.y + op.height / 2.0), number);
        }
    }
}

fn write_op(svg: &mut Svg, operation: &Operation, rect: &Rect) {
    let colors = operation.family.scheme().light;
    svg.line(format_args!("<g class=\"nao-op nao-{}\">", operation.family.class()));
    svg.line(format_args!("<title>{}</title>", escaped(&operation.tooltip)));
    svg.swatch(operation.family, rect, 7.0);
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
    match &operation.detail {
        Some(detail) => {
            write(middle - 3.0, OP_FONT, "600", &operation.label);
            write(middle + 11.0, OP_FONT, "400", detail);
        }
        None => write(middle + 4.0, OP_FONT, "600", &operation.label),
    }
    svg.line(format_args!("</g>"));
}
