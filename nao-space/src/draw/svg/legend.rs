//! The legend: what the colours and the circle mean.

use super::element::{Anchor, MARGIN, Svg, Tone};
use crate::draw::layout::Rect;
use crate::draw::palette::Family;
use crate::draw::text::text_width;

const LEGEND_HEIGHT: f64 = 24.0;

/// Writes the legend below `top`, with the circle where there are `sums`, in as many lines as it takes; returns its lower edge.
pub(super) fn write_legend(svg: &mut Svg, families: &[Family], sums: bool, width: f64, top: f64) -> f64 {
    const SWATCH: (f64, f64) = (20.0, 12.0);
    const AFTER_SWATCH: f64 = 6.0;
    const AFTER_TEXT: f64 = 18.0;
    const SUM_TEXT: &str = "sum, with the number of its state";
    let mut place = (MARGIN, top);
    let mut next = |text: &str| {
        let needed = SWATCH.0 + AFTER_SWATCH + text_width(text, 11.0);
        if place.0 > MARGIN && place.0 + needed > MARGIN + width {
            place = (MARGIN, place.1 + LEGEND_HEIGHT);
        }
        let here = place;
        place.0 += needed + AFTER_TEXT;
        here
    };
    for &family in families {
        let (x, y) = next(family.label());
        svg.line(format_args!("<g class=\"nao-{}\">", family.class()));
        let rect = Rect { x, y: y + (LEGEND_HEIGHT - SWATCH.1) / 2.0, width: SWATCH.0, height: SWATCH.1 };
        svg.swatch(family, &rect, 4.0);
        svg.line(format_args!("</g>"));
        let after = x + SWATCH.0 + AFTER_SWATCH;
        svg.text((after, y + LEGEND_HEIGHT / 2.0 + 4.0), Anchor::Start, 11.0, Tone::Quiet, family.label());
    }
    if sums {
        let (x, y) = next(SUM_TEXT);
        let (middle, line) = (x + SWATCH.0 / 2.0, y + LEGEND_HEIGHT / 2.0);
        svg.sum("nao-box", (middle, line), 7.0);
        svg.text((x + SWATCH.0 + AFTER_SWATCH, line + 4.0), Anchor::Start, 11.0, Tone::Quiet, SUM_TEXT);
    }
    place.1 + LEGEND_HEIGHT
}
