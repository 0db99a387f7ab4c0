//! `nao published`: the published results beside what our plans count.

use anyhow::Result;
use nao_space::network::{CountComparison, TableRow, results_table};

use super::{print_json, print_text};
use crate::args::PublishedArgs;
use crate::report::narrow_table;

const HEADER: [&str; 12] =
    ["architecture", "B", "N", "F", "#op", "err %", "params", "counted", "MACs", "tried", "days", "verdict"];

/// The columns of numbers.
const NUMBERS: [usize; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

pub fn run(args: PublishedArgs) -> Result<()> {
    let rows = results_table();
    if args.json {
        return print_json(&rows);
    }
    let mut notes = Notes(Vec::new());
    let mut parts = Vec::new();
    let mut data: Vec<&str> = Vec::new();
    for row in &rows {
        if !data.contains(&row.data) {
            data.push(row.data);
        }
    }
    for data in data {
        let cells: Vec<Vec<String>> =
            rows.iter().filter(|row| row.data == data).map(|row| cells(row, &mut notes)).collect();
        let table = if args.markdown { markdown(cells) } else { narrow_table(&HEADER, &NUMBERS, cells) };
        parts.push(if args.markdown {
            format!("**{data}**\n\n{table}")
        } else {
            format!("{data}\n\n{table}")
        });
    }
    parts.push(notes.text(if args.markdown { "." } else { " " }));
    print_text(&parts.join("\n\n"))
}

/// Reasons, each given once below the tables.
struct Notes(Vec<&'static str>);

impl Notes {
    fn number(&mut self, reason: &'static str) -> usize {
        match self.0.iter().position(|&known| known == reason) {
            Some(at) => at + 1,
            None => {
                self.0.push(reason);
                self.0.len()
            }
        }
    }

    /// `mark` follows the number of a note.
    fn text(&self, mark: &str) -> String {
        let intro = "err %, params: as published. counted, MACs: of the plan that nao builds, without auxiliary head,\n\
                     exact to the last scalar; multiply-accumulates of one image. tried, days: how many cells the search\n\
                     evaluated, and its GPU-days. verdict: whether the published parameters are the counted ones;\n\
                     no cell: the cell not published.\n";
        let notes = self.0.iter().enumerate().map(|(index, note)| format!("{}{mark} {note}", index + 1));
        std::iter::once(intro.to_owned()).chain(notes).collect::<Vec<_>>().join("\n")
    }
}

fn cells(row: &TableRow, notes: &mut Notes) -> Vec<String> {
    let size = |value: Option<usize>| value.map_or("-".to_owned(), |value| value.to_string());
    let verdict = match row.verdict {
        CountComparison::Exact => "exact".to_owned(),
        CountComparison::Differs(why) => format!("differs {}", notes.number(why)),
        CountComparison::NothingPublished => "-".to_owned(),
        CountComparison::CellsUnknown(why) => format!("no cell {}", notes.number(why)),
    };
    vec![
        row.name.to_owned(),
        size(row.nodes),
        size(row.cells_per_stage),
        size(row.width),
        row.searched_ops.map_or("-".into(), |ops| ops.to_string()),
        format!("{:.2}", row.published_error_percent),
        row.published_params_millions.map_or("-".into(), |params| format!("{params}M")),
        row.params.map_or("-".into(), grouped),
        row.macs.map_or("-".into(), rounded),
        row.models_evaluated.map_or("-".into(), |models| models.to_string()),
        row.gpu_days.map_or("-".into(), |days| days.to_string()),
        verdict,
    ]
}

/// A count as people compare it: `544M`, `1.7G`.
fn rounded(count: u64) -> String {
    match count {
        0..1_000_000_000 => format!("{:.0}M", count as f64 / 1e6),
        _ => format!("{:.1}G", count as f64 / 1e9),
    }
}

/// A count with a comma after every three digits.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn markdown(rows: Vec<Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let header = line(&HEADER.map(str::to_owned));
    let rule: Vec<String> = (0..HEADER.len())
        .map(|column| if NUMBERS.contains(&column) { "--:" } else { "--" }.to_owned())
        .collect();
    let rows = rows.iter().map(|row| line(row));
    [header, line(&rule)].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (11_470_150, "11,470,150")] {
            assert_eq!(grouped(count), text);
        }
    }
}
