//! Choices as rows: the name of each position, and what was chosen among what.

use super::element::{Anchor, MARGIN, Svg, Tone, number};
use super::page::{Drawing, LEAST_WIDTH, WIDEST_ROW, document, write_heading};
use crate::draw::choices::Choice;
use crate::draw::layout::Rect;
use crate::draw::palette::{Family, LINE};
use crate::draw::text::text_width;

const ROW: f64 = 34.0;
const CHIP_HEIGHT: f64 = 22.0;
const CHIP_PADDING: f64 = 9.0;
const CHIP_GAP: f64 = 6.0;
const INDENT: f64 = 18.0;
const FONT: f64 = 12.0;
/// Between the names of positions and their choices.
const AFTER_NAMES: f64 = 20.0;
/// How many choices are shown around the chosen one.
const MOST_SHOWN: usize = 9;
/// Deeper rows are not moved further.
const DEEPEST: usize = 12;

/// The chosen one has the colours of this family, the others are plain.
const CHOSEN: Family = Family::Motif;

pub(in crate::draw) fn choices_svg(choices: &[Choice], drawing: &Drawing) -> String {
    let indents: Vec<f64> =
        choices.iter().map(|choice| INDENT * choice.depth(choices).min(DEEPEST) as f64).collect();
    let names = choices.iter().zip(&indents);
    let names = names.map(|(choice, indent)| indent + text_width(&choice.position, FONT)).fold(0.0, f64::max);
    let first_chip = 2.0 * MARGIN + names + AFTER_NAMES;
    let rows: Vec<Vec<Chip>> = choices.iter().map(chips).collect();
    let widest = rows.iter().map(|row| row.iter().map(Chip::width).sum::<f64>()).fold(0.0, f64::max);
    let inner = (first_chip + widest).max(LEAST_WIDTH).min(first_chip + WIDEST_ROW);
    let mut body = Svg::default();
    let top = write_heading(&mut body, drawing, inner);
    let middle = |row: usize| top + ROW * (row as f64 + 0.5);
    for (row, (choice, indent)) in choices.iter().zip(&indents).enumerate() {
        if let Some(parent) = choice.parent {
            let x = MARGIN + 4.0 + indents[parent];
            write_branch(&mut body, (x, middle(parent) + 10.0), (MARGIN + indent - 3.0, middle(row)));
        }
        body.text((MARGIN + indent, middle(row) + 4.0), Anchor::Start, FONT, Tone::Strong, &choice.position);
        let mut x = first_chip;
        for chip in &rows[row] {
            write_chip(&mut body, chip, (x, middle(row) - CHIP_HEIGHT / 2.0));
            x += chip.width();
        }
    }
    let bottom = top + ROW * choices.len() as f64;
    document(&body, drawing, &[CHOSEN], (inner + MARGIN, bottom + MARGIN))
}

/// What stands in a row: a choice, or how many are left out.
struct Chip {
    text: String,
    chosen: bool,
    boxed: bool,
}

impl Chip {
    fn width(&self) -> f64 {
        text_width(&self.text, FONT) + 2.0 * CHIP_PADDING + CHIP_GAP
    }
}

fn chips(choice: &Choice) -> Vec<Chip> {
    let count = choice.choices.len();
    let first = choice.chosen.saturating_sub(MOST_SHOWN / 2).min(count.saturating_sub(MOST_SHOWN));
    let last = count.min(first + MOST_SHOWN);
    let left_out = |number: usize| {
        let text = format!("{number} more");
        (number > 0).then_some(Chip { text, chosen: false, boxed: false })
    };
    let shown = (first..last).map(|at| Chip {
        text: choice.choices[at].clone(),
        chosen: at == choice.chosen,
        boxed: true,
    });
    left_out(first).into_iter().chain(shown).chain(left_out(count - last)).collect()
}

fn write_chip(svg: &mut Svg, chip: &Chip, (x, y): (f64, f64)) {
    let rect = Rect { x, y, width: chip.width() - CHIP_GAP, height: CHIP_HEIGHT };
    if chip.chosen {
        svg.line(format_args!("<g class=\"nao-chosen nao-{}\">", CHOSEN.class()));
        svg.swatch(CHOSEN, &rect, 6.0);
        svg.line(format_args!("</g>"));
    } else if chip.boxed {
        svg.line(format_args!(
            "<rect class=\"nao-panel\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"none\" stroke=\"{}\"/>",
            number(rect.x),
            number(rect.y),
            number(rect.width),
            number(rect.height),
            LINE.light.stroke
        ));
    }
    let tone = if chip.chosen { Tone::Strong } else { Tone::Quiet };
    svg.text((rect.middle(), y + CHIP_HEIGHT / 2.0 + 4.0), Anchor::Middle, FONT, tone, &chip.text);
}

/// From a position down and right to one that depends on it.
fn write_branch(svg: &mut Svg, (x, top): (f64, f64), (right, y): (f64, f64)) {
    svg.line(format_args!(
        "<path class=\"nao-line nao-branch\" d=\"M{} {}V{}H{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.2\"/>",
        number(x),
        number(top),
        number(y),
        number(right),
        LINE.light.stroke
    ));
}
