//! Tables for people.

use std::io::IsTerminal;

use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::best::BestEntry;

/// A table that fits the terminal; numbers go to the right.
pub fn plain_table(header: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for &index in right {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// A table of many narrow columns without lines, a space between them.
pub fn narrow_table(header: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// The best architectures, each with all that makes its score readable.
pub fn best_table(entries: &[BestEntry]) -> String {
    let rows = entries.iter().map(|entry| {
        let objective = &entry.objective;
        vec![
            entry.rank.to_string(),
            entry.trial.to_string(),
            figure(objective.value),
            objective.split.clone(),
            entry.fidelity.to_string(),
            millions(entry.params),
            millions(entry.macs),
            entry.origin.words(),
        ]
    });
    let value = entries.first().map_or("value", |entry| entry.objective.name.as_str());
    let header = ["rank", "trial", value, "split", "fidelity", "params", "MACs", "found by"];
    plain_table(&header, &[0, 1, 2, 5, 6], rows.collect())
}

/// A measured value as people read it: four digits after the point of a fraction, two of a perplexity.
pub fn figure(value: f64) -> String {
    if value.abs() < 10.0 { format!("{value:.4}") } else { format!("{value:.2}") }
}

/// A count as people read it: `11.47 M`, `35.2 k`.
pub fn millions(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{:.1} k", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} M", count as f64 / 1e6),
        _ => format!("{:.2} G", count as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short() {
        let cases = [(7, "7"), (35_206, "35.2 k"), (11_470_150, "11.47 M"), (1_860_000_000, "1.86 G")];
        for (count, text) in cases {
            assert_eq!(millions(count), text);
        }
    }
}
