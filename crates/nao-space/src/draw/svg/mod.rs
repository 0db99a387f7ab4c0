//! Cells as SVG: self-contained, for light and dark surroundings, the same bytes for the same cell.
//!
//! Light colours are attributes, so that every viewer shows them; a style sheet overrides them where the
//! surroundings are dark and the viewer knows. The picture brings its own background.

mod cell;
mod element;
mod legend;

use self::cell::write_cell;
use self::element::{Anchor, Svg, Tone, number};
use self::legend::write_legend;
use super::layout::{CellLayout, Rect, layout_cell};
use super::palette::{KINDS, LINE, NEUTRAL, PAGE, kind_class, kind_scheme};
use super::text::{escaped, text_width, wrapped};
use crate::arch::{CellRole, CnnArch};
use crate::cell::Cell;
use crate::op::OpKind;

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

const MARGIN: f64 = 16.0;
const PANEL_PADDING: f64 = 22.0;
const PANEL_HEADING: f64 = 52.0;
const HEADING_GAP: f64 = 12.0;
/// Wider pictures become hard to read on a page.
const WIDEST_ROW: f64 = 1200.0;
const LEAST_WIDTH: f64 = 360.0;

/// Both cells of an architecture as SVG, with a legend of the colours in use.
pub fn arch_svg(arch: &CnnArch, drawing: &Drawing) -> String {
    let panels = arch.cells().map(|(role, cell)| Panel::of(Some(role), cell));
    picture(&panels, drawing)
}

/// One cell as SVG, with a legend of the colours in use.
pub fn cell_svg(cell: &Cell, drawing: &Drawing) -> String {
    picture(&[Panel::of(None, cell)], drawing)
}

/// A cell in its frame.
struct Panel<'a> {
    role: Option<CellRole>,
    cell: &'a Cell,
    layout: CellLayout,
}

impl<'a> Panel<'a> {
    fn of(role: Option<CellRole>, cell: &'a Cell) -> Self {
        Panel { role, cell, layout: layout_cell(cell, 0.0) }
    }

    fn heading(&self) -> Option<(&'static str, &'static str)> {
        self.role.map(|role| match role {
            CellRole::Normal => ("Normal cell", "keeps the resolution"),
            CellRole::Reduction => ("Reduction cell", "stride 2 on both cell inputs"),
        })
    }

    fn heading_height(&self) -> f64 {
        if self.role.is_some() { PANEL_HEADING } else { PANEL_PADDING }
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
        Panel { layout: layout_cell(self.cell, least), ..*self }
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
    let kinds = kinds_in_use(panels);
    let bottom = write_legend(&mut body, &kinds, inner, y);
    document(&body, drawing, &kinds, (inner + 2.0 * MARGIN, bottom + MARGIN))
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
fn kinds_in_use(panels: &[Panel<'_>]) -> Vec<OpKind> {
    let used = |kind| panels.iter().flat_map(|panel| panel.cell.edges()).any(|edge| edge.op.kind() == kind);
    KINDS.into_iter().filter(|&kind| used(kind)).collect()
}

fn document(body: &Svg, drawing: &Drawing, kinds: &[OpKind], (width, height): (f64, f64)) -> String {
    let mut svg = Svg::default();
    let (w, h) = (number(width), number(height));
    let name = if drawing.title.is_empty() { "Architecture cells" } else { &drawing.title };
    svg.line(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         role=\"img\" font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, \
         sans-serif\" font-size=\"12\">"
    ));
    svg.line(format_args!("<title>{}</title>", escaped(name)));
    svg.line(format_args!("<style>\n{}</style>", dark_style(kinds)));
    svg.line(format_args!(
        "<rect class=\"nao-page\" width=\"{w}\" height=\"{h}\" rx=\"10\" fill=\"{}\"/>",
        PAGE.light.fill
    ));
    svg.text.push_str(&body.text);
    svg.line(format_args!("</svg>"));
    svg.text
}

/// The dark colours. Class names start with `nao-`, for a style sheet inside HTML holds for the whole page.
fn dark_style(kinds: &[OpKind]) -> String {
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
    for &kind in kinds {
        let (class, colors) = (kind_class(kind), kind_scheme(kind).dark);
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
    write_cell(svg, panel.cell, &panel.layout);
    svg.line(format_args!("</g>"));
}

#[cfg(test)]
mod tests;
