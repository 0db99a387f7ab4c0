//! The SVG elements that pictures are made of.

use std::fmt::Write;

use crate::draw::layout::{Passage, Rect};
use crate::draw::palette::{Family, LINE, NEUTRAL, PAGE};
use crate::draw::text::escaped;

/// Around everything, and between panels.
pub(super) const MARGIN: f64 = 16.0;

/// SVG elements, one per line.
#[derive(Default)]
pub(super) struct Svg {
    pub text: String,
}

#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
}

#[derive(Clone, Copy)]
pub(super) enum Tone {
    Title,
    Strong,
    Quiet,
}

impl Svg {
    pub(super) fn line(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{element}").expect("writing to a string does not fail");
    }

    /// Text on a base line.
    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, size: f64, tone: Tone, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
        };
        let (class, weight, fill) = match tone {
            Tone::Title => ("nao-strong", "700", PAGE.light.text),
            Tone::Strong => ("nao-strong", "600", PAGE.light.text),
            Tone::Quiet => ("nao-quiet", "400", LINE.light.text),
        };
        self.line(format_args!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\" font-size=\"{}\" \
             font-weight=\"{weight}\" fill=\"{fill}\">{}</text>",
            number(x),
            number(y),
            number(size),
            escaped(text)
        ));
    }

    pub(super) fn state_number(&mut self, (x, middle): (f64, f64), number: &str) {
        self.text((x, middle + 3.5), Anchor::Start, 10.0, Tone::Quiet, number);
    }

    pub(super) fn neutral_box(&mut self, rect: &Rect, label: &str, radius: f64) {
        self.line(format_args!(
            "<rect class=\"nao-box\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{}\" stroke=\"{}\"/>",
            number(rect.x),
            number(rect.y),
            number(rect.width),
            number(rect.height),
            number(radius),
            NEUTRAL.light.fill,
            NEUTRAL.light.stroke
        ));
        let base = rect.y + rect.height / 2.0 + 4.0;
        self.text((rect.middle(), base), Anchor::Middle, 12.0, Tone::Strong, label);
    }

    /// A box in the colours of a family.
    pub(super) fn swatch(&mut self, family: Family, rect: &Rect, radius: f64) {
        let colors = family.scheme().light;
        let dashes =
            family.dashes().map(|dashes| format!(" stroke-dasharray=\"{dashes}\"")).unwrap_or_default();
        self.line(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{}\" stroke=\"{}\" \
             stroke-width=\"1.2\"{dashes}/>",
            number(rect.x),
            number(rect.y),
            number(rect.width),
            number(rect.height),
            number(radius),
            colors.fill,
            colors.stroke
        ));
    }

    /// A circle with a plus sign.
    pub(super) fn sum(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        self.line(format_args!(
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\" stroke=\"{}\"/>",
            number(x),
            number(y),
            number(radius),
            NEUTRAL.light.fill,
            NEUTRAL.light.stroke
        ));
        const ARM: f64 = 3.8;
        self.line(format_args!(
            "<path class=\"nao-plus\" d=\"M{} {}h{}M{} {}v{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\"/>",
            number(x - ARM),
            number(y),
            number(2.0 * ARM),
            number(x),
            number(y - ARM),
            number(2.0 * ARM),
            NEUTRAL.light.stroke
        ));
    }

    /// A line through its passages with a head at the end. Bends begin and end vertically.
    pub(super) fn arrow(&mut self, class: &str, passages: &[Passage]) {
        const HEAD: (f64, f64) = (6.0, 6.5);
        let (first, last) = (passages[0], passages[passages.len() - 1]);
        let mut path = format!("M{} {}", number(first.x), number(first.bottom));
        let mut from = first;
        for (index, to) in passages.iter().enumerate().skip(1) {
            let end = if index + 1 == passages.len() { to.top - HEAD.1 + 0.5 } else { to.top };
            let half = number((from.bottom + end) / 2.0);
            let bend = format!(
                "C{} {half} {} {half} {} {}",
                number(from.x),
                number(to.x),
                number(to.x),
                number(end)
            );
            path.push_str(&bend);
            if index + 1 < passages.len() {
                path.push_str(&format!("V{}", number(to.bottom)));
            }
            from = *to;
        }
        let stroke = LINE.light.stroke;
        self.line(format_args!(
            "<path class=\"nao-line nao-{class}\" d=\"{path}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"1.4\"/>"
        ));
        self.line(format_args!(
            "<path class=\"nao-head\" d=\"M{} {}h{}L{} {}z\" fill=\"{stroke}\"/>",
            number(last.x - HEAD.0 / 2.0),
            number(last.top - HEAD.1),
            number(HEAD.0),
            number(last.x),
            number(last.top)
        ));
    }
}

/// A coordinate to a tenth, as short as it can be.
pub(super) fn number(value: f64) -> String {
    let tenths = (value * 10.0).round() as i64;
    if tenths % 10 == 0 { (tenths / 10).to_string() } else { format!("{:.1}", tenths as f64 / 10.0) }
}
