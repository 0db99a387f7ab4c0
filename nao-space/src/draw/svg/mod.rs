//! Pictures as SVG: self-contained, for light and dark surroundings, the same bytes for the same cell.
//!
//! Light colours are attributes, so that every viewer shows them; a style sheet overrides them where the
//! surroundings are dark and the viewer knows. The picture brings its own background.

mod cell;
mod choices;
mod element;
mod legend;
mod page;

use self::cell::write_diagram;
pub(super) use self::choices::choices_svg;
use self::element::{Anchor, MARGIN, Svg, Tone, number};
use self::legend::write_legend;
pub use self::page::{Arrangement, Drawing};
use self::page::{LEAST_WIDTH, WIDEST_ROW, document, write_heading};
use super::diagram::Diagram;
use super::layout::{DiagramLayout, Rect, lay_out};
use super::palette::{Family, PAGE};
use super::text::text_width;
use crate::image::{Cell, CnnArch};

const PANEL_PADDING: f64 = 22.0;
const PANEL_HEADING: f64 = 52.0;
const HEADING_GAP: f64 = 12.0;
/// Both cells of an architecture as SVG, with a legend of the colours in use; they concatenate their loose ends.
/// [`Picture`](super::Picture) draws other outputs and the architectures of other spaces.
pub fn arch_svg(arch: &CnnArch, drawing: &Drawing) -> String {
    svg(&arch.cells().map(|(role, cell)| Diagram::of_cell(Some(role), cell, &cell.loose_ends())), drawing)
}

/// One cell as SVG, with a legend of the colours in use; it concatenates its loose ends.
pub fn cell_svg(cell: &Cell, drawing: &Drawing) -> String {
    svg(&[Diagram::of_cell(None, cell, &cell.loose_ends())], drawing)
}

pub(super) fn svg(diagrams: &[Diagram], drawing: &Drawing) -> String {
    picture(&diagrams.iter().map(Panel::of).collect::<Vec<_>>(), drawing)
}

/// A diagram in its frame.
struct Panel<'a> {
    diagram: &'a Diagram,
    layout: DiagramLayout,
}

impl<'a> Panel<'a> {
    fn of(diagram: &'a Diagram) -> Self {
        Panel { diagram, layout: lay_out(diagram, 0.0) }
    }

    fn heading(&self) -> Option<(&str, &'static str)> {
        self.diagram.heading.as_ref().map(|(heading, note)| (heading.as_ref(), *note))
    }

    fn heading_height(&self) -> f64 {
        if self.heading().is_some() { PANEL_HEADING } else { PANEL_PADDING }
    }

    fn width(&self) -> f64 {
        let heading = self
            .heading()
            .map_or(0.0, |(heading, note)| text_width(heading, 13.0) + HEADING_GAP + text_width(note, 11.0));
        self.layout.width.max(heading) + 2.0 * PANEL_PADDING
    }

    fn height(&self) -> f64 {
        self.heading_height() + self.layout.height + PANEL_PADDING / 2.0
    }

    /// The same panel, its rows moved apart where it is less high than `height`.
    fn stretched(&self, height: f64) -> Self {
        if self.height() >= height {
            return Panel { layout: self.layout.clone(), ..*self };
        }
        let least = self.layout.height + height - self.height();
        Panel { layout: lay_out(self.diagram, least), ..*self }
    }
}

fn picture(panels: &[Panel<'_>], drawing: &Drawing) -> String {
    let rows = rows(panels, drawing.arrangement);
    let inner = rows.iter().map(|row| row_width(row)).fold(LEAST_WIDTH, f64::max);

    let mut body = Svg::default();
    let mut y = write_heading(&mut body, drawing, inner);
    for row in rows {
        y = write_row(&mut body, row, (inner - row_width(row)) / row.len() as f64, y);
    }
    let families = families_in_use(panels);
    let with_sum = panels.iter().find(|panel| panel.diagram.nodes.iter().any(|node| node.sum));
    let join = with_sum.map(|panel| panel.diagram.join);
    let bottom = write_legend(&mut body, &families, join, inner, y);
    document(&body, drawing, &families, (inner + 2.0 * MARGIN, bottom + MARGIN))
}

fn row_width(panels: &[Panel<'_>]) -> f64 {
    panels.iter().map(Panel::width).sum::<f64>() + MARGIN * (panels.len() - 1) as f64
}

/// Which panels stand side by side.
fn rows<'p, 'd>(panels: &'p [Panel<'d>], arrangement: Arrangement) -> Vec<&'p [Panel<'d>]> {
    match arrangement {
        Arrangement::SideBySide => vec![panels],
        Arrangement::Stacked => panels.chunks(1).collect(),
        Arrangement::Auto => {
            let (mut rows, mut rest) = (Vec::new(), panels);
            while !rest.is_empty() {
                let fits = |count: &usize| row_width(&rest[..*count]) <= WIDEST_ROW;
                let (row, others) = rest.split_at((1..=rest.len()).take_while(fits).last().unwrap_or(1));
                rows.push(row);
                rest = others;
            }
            rows
        }
    }
}

/// Writes panels side by side, each `spare` wider than it must be; returns where the next thing begins.
fn write_row(svg: &mut Svg, panels: &[Panel<'_>], spare: f64, y: f64) -> f64 {
    let height = panels.iter().map(Panel::height).fold(0.0, f64::max);
    let mut x = MARGIN;
    for panel in panels {
        let width = panel.width() + spare;
        write_panel(svg, &panel.stretched(height), Rect { x, y, width, height });
        x += width + MARGIN;
    }
    y + height + MARGIN
}

/// The families that the picture shows, in the order of the legend.
fn families_in_use(panels: &[Panel<'_>]) -> Vec<Family> {
    let operations =
        || panels.iter().flat_map(|panel| &panel.diagram.nodes).flat_map(|node| &node.operations);
    let used = |family| operations().any(|operation| operation.family == family);
    Family::ALL.into_iter().filter(|&family| used(family)).collect()
}

fn write_panel(svg: &mut Svg, panel: &Panel<'_>, frame: Rect) {
    svg.line(format_args!(
        "<rect class=\"nao-panel\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"none\" stroke=\"{}\"/>",
        number(frame.x),
        number(frame.y),
        number(frame.width),
        number(frame.height),
        PAGE.light.stroke
    ));
    if let Some((heading, note)) = panel.heading() {
        let (x, y) = (frame.x + PANEL_PADDING - 6.0, frame.y + 24.0);
        svg.text((x, y), Anchor::Start, 13.0, Tone::Strong, heading);
        let after = x + text_width(heading, 13.0) + HEADING_GAP;
        svg.text((after, y), Anchor::Start, 11.0, Tone::Quiet, note);
    }
    let x = frame.x + (frame.width - panel.layout.width) / 2.0;
    let y = frame.y + panel.heading_height();
    svg.line(format_args!("<g class=\"nao-cell\" transform=\"translate({} {})\">", number(x), number(y)));
    write_diagram(svg, panel.diagram, &panel.layout);
    svg.line(format_args!("</g>"));
}

#[cfg(test)]
mod tests;
