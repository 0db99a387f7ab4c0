//! Pictures as SVG: self-contained, for light and dark surroundings, the same bytes for the same cell.
//!
//! Light colours are attributes, so that every viewer shows them; a style sheet overrides them where the
//! surroundings are dark and the viewer knows. The picture brings its own background.

mod cell;
mod element;
mod legend;

use self::cell::write_diagram;
use self::element::{Anchor, MARGIN, Svg, Tone, number};
use self::legend::write_legend;
use super::diagram::Diagram;
use super::layout::{DiagramLayout, Rect, lay_out};
use super::palette::{Family, LINE, NEUTRAL, PAGE};
use super::text::{escaped, text_width, wrapped};
use crate::image::{Cell, CnnArch};

/// What is written around a picture, and how its cells stand.
///
/// ```
/// use nao_space::draw::{Arrangement, Drawing};
/// let drawing = Drawing {
///     subtitle: "2.48 % test error".to_owned(),
///     arrangement: Arrangement::Stacked,
///     ..Drawing::titled("NAONet-A")
/// };
/// assert_eq!(drawing.title, "NAONet-A");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawing {
    /// The heading; an empty one is left out.
    pub title: String,
    /// A line below the heading, such as the score or the NAO string; an empty one is left out.
    pub subtitle: String,
    /// How two cells stand.
    pub arrangement: Arrangement,
}

impl Drawing {
    /// A drawing with a heading and no more.
    pub fn titled(title: impl Into<String>) -> Self {
        Drawing { title: title.into(), ..Drawing::default() }
    }
}

/// How the normal and the reduction cell stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrangement {
    /// Side by side while that is not too wide for a page, otherwise one above the other.
    #[default]
    Auto,
    /// Normal left, reduction right.
    SideBySide,
    /// Normal above, reduction below.
    Stacked,
}

const PANEL_PADDING: f64 = 22.0;
const PANEL_HEADING: f64 = 52.0;
const HEADING_GAP: f64 = 12.0;
/// Wider pictures become hard to read on a page.
const WIDEST_ROW: f64 = 1200.0;
const LEAST_WIDTH: f64 = 360.0;

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

    fn heading(&self) -> Option<(&'static str, &'static str)> {
        self.diagram.heading
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
    let side_by_side = panels.iter().map(Panel::width).sum::<f64>() + MARGIN * (panels.len() - 1) as f64;
    let in_a_row = match drawing.arrangement {
        Arrangement::Auto => side_by_side <= WIDEST_ROW,
        Arrangement::SideBySide => true,
        Arrangement::Stacked => false,
    };
    let widest = panels.iter().map(Panel::width).fold(0.0, f64::max);
    let inner = if in_a_row { side_by_side } else { widest }.max(LEAST_WIDTH);

    let mut body = Svg::default();
    let mut y = write_heading(&mut body, drawing, inner);
    y = if in_a_row {
        write_row(&mut body, panels, (inner - side_by_side) / panels.len() as f64, y)
    } else {
        panels.iter().fold(y, |y, panel| {
            let height = panel.height();
            write_panel(&mut body, panel, Rect { x: MARGIN, y, width: inner, height });
            y + height + MARGIN
        })
    };
    let families = families_in_use(panels);
    let sums = panels.iter().flat_map(|panel| &panel.diagram.nodes).any(|node| node.sum);
    let bottom = write_legend(&mut body, &families, sums, inner, y);
    document(&body, drawing, &families, (inner + 2.0 * MARGIN, bottom + MARGIN))
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

fn document(body: &Svg, drawing: &Drawing, families: &[Family], (width, height): (f64, f64)) -> String {
    let mut svg = Svg::default();
    let (w, h) = (number(width), number(height));
    let name = if drawing.title.is_empty() { "Architecture cells" } else { &drawing.title };
    svg.line(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         role=\"img\" font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, \
         sans-serif\" font-size=\"12\">"
    ));
    svg.line(format_args!("<title>{}</title>", escaped(name)));
    svg.line(format_args!("<style>\n{}</style>", dark_style(families)));
    svg.line(format_args!(
        "<rect class=\"nao-page\" width=\"{w}\" height=\"{h}\" rx=\"10\" fill=\"{}\"/>",
        PAGE.light.fill
    ));
    svg.text.push_str(&body.text);
    svg.line(format_args!("</svg>"));
    svg.text
}

/// The dark colours. Class names start with `nao-`, for a style sheet inside HTML holds for the whole page.
fn dark_style(families: &[Family]) -> String {
    let (page, neutral, line) = (PAGE.dark, NEUTRAL.dark, LINE.dark);
    let mut rules = vec![
        format!(".nao-page {{ fill: {} }}", page.fill),
        format!(".nao-panel {{ stroke: {} }}", page.stroke),
        format!(".nao-strong {{ fill: {} }}", page.text),
        format!(".nao-quiet {{ fill: {} }}", line.text),
        format!(".nao-line {{ stroke: {} }}", line.stroke),
        format!(".nao-head {{ fill: {} }}", line.stroke),
        format!(".nao-plus {{ stroke: {} }}", neutral.stroke),
        format!(".nao-box {{ fill: {}; stroke: {} }}", neutral.fill, neutral.stroke),
    ];
    for &family in families {
        let (class, colors) = (family.class(), family.scheme().dark);
        rules.push(format!(".nao-{class} rect {{ fill: {}; stroke: {} }}", colors.fill, colors.stroke));
        rules.push(format!(".nao-{class} text {{ fill: {} }}", colors.text));
    }
    format!("@media (prefers-color-scheme: dark) {{\n{}\n}}\n", rules.join("\n"))
}

/// Writes title and subtitle; returns where the rest begins.
fn write_heading(svg: &mut Svg, drawing: &Drawing, width: f64) -> f64 {
    let mut y = MARGIN;
    for line in wrapped(&drawing.title, 18.0, width) {
        y += 22.0;
        svg.text((MARGIN, y - 5.0), Anchor::Start, 18.0, Tone::Title, &line);
    }
    for line in wrapped(&drawing.subtitle, 12.0, width) {
        y += 17.0;
        svg.text((MARGIN, y - 4.0), Anchor::Start, 12.0, Tone::Quiet, &line);
    }
    if y > MARGIN { y + 10.0 } else { y }
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
