//! The page around a picture: heading, background, colours for dark surroundings.

use super::element::{Anchor, MARGIN, Svg, Tone, number};
use crate::draw::palette::{Family, LINE, NEUTRAL, PAGE};
use crate::draw::text::{escaped, wrapped};

/// Wider pictures become hard to read on a page.
pub(super) const WIDEST_ROW: f64 = 1200.0;
pub(super) const LEAST_WIDTH: f64 = 360.0;

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

pub(super) fn document(
    body: &Svg,
    drawing: &Drawing,
    families: &[Family],
    (width, height): (f64, f64),
) -> String {
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
pub(super) fn write_heading(svg: &mut Svg, drawing: &Drawing, width: f64) -> f64 {
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
