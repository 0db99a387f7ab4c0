//! Tables for people.

use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};

/// The width of a page where no terminal says another.
const PAGE: usize = 80;

/// A table that fits the terminal, or 80 columns where there is none; numbers go to the right. Words are never broken: a table
/// that is too wide in a box loses it, and one that is too wide even with a word a line turns into lines, a block of them
/// for each row.
pub fn plain_table(header: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    Sheet { header, right, rows }.fitted(&[BOXED, BARE])
}

/// A table of many narrow columns without lines, a space between them; it fits as [`plain_table`] does.
pub fn narrow_table(header: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    Sheet { header, right, rows }.fitted(&[BARE])
}

/// How a table looks, and the room that it needs for that.
struct Style {
    dress: fn(&mut Table),
    /// Characters beside the words of each column.
    beside: usize,
    /// Characters at the ends of each line.
    ends: usize,
}

const BOXED: Style = Style { dress: boxed, beside: 3, ends: 1 };
const BARE: Style = Style { dress: bare, beside: 1, ends: 0 };

/// What a table says.
struct Sheet<'a> {
    header: &'a [&'a str],
    /// The columns of numbers.
    right: &'a [usize],
    rows: Vec<Vec<String>>,
}

impl Sheet<'_> {
    /// The sheet in the first style in which it fits, or as lines.
    fn fitted(&self, styles: &[Style]) -> String {
        let tables = styles.iter().find_map(|style| self.styled(style));
        tables.unwrap_or_else(|| self.lines())
    }

    /// The sheet in a style, its cells wrapped where that is needed; `None` where words would have to be broken.
    fn styled(&self, style: &Style) -> Option<String> {
        let mut table = self.table();
        (style.dress)(&mut table);
        let page = table.width().map_or(PAGE, usize::from);
        let whole = table.trim_fmt();
        if whole.lines().all(|line| line.chars().count() <= page) {
            return Some(whole);
        }
        let narrowest: Vec<usize> = (0..self.header.len()).map(|column| self.narrowest(column)).collect();
        if narrowest.iter().map(|width| width + style.beside).sum::<usize>() + style.ends > page {
            return None;
        }
        let padding = table.column(0).map_or(0, |column| column.padding_width());
        for (column, width) in table.column_iter_mut().zip(narrowest) {
            let least = u16::try_from(width).unwrap_or(u16::MAX).saturating_add(padding);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(page).unwrap_or(u16::MAX));
        Some(table.trim_fmt())
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.set_header(self.header.to_vec());
        table.add_rows(self.rows.clone());
        for &index in self.right {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    /// The characters that a column needs at least: those of its longest word. A number and its unit are one word.
    fn narrowest(&self, column: usize) -> usize {
        let is_number = self.right.contains(&column);
        let width = |text: &str| match is_number {
            true => text.chars().count(),
            false => text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0),
        };
        let words =
            self.header[column].split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
        cells.max().unwrap_or(0).max(words)
    }

    /// A line for each cell that says something, and an empty one between rows.
    fn lines(&self) -> String {
        let widest = self.header.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let row = |row: &Vec<String>| {
            let cells = self.header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
            cells.map(|(name, cell)| format!("{name:widest$}  {cell}")).collect::<Vec<_>>().join("\n")
        };
        self.rows.iter().map(row).collect::<Vec<_>>().join("\n\n")
    }
}

fn boxed(table: &mut Table) {
    table.load_style(UTF8_FULL_CONDENSED);
}

fn bare(table: &mut Table) {
    table.load_style(NOTHING);
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    #[test]
    fn tables_fit_the_page_and_break_no_word() {
        let row = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let sentence = "an edit of the best of the cells that were drawn at random before the search";
        let header = ["rank", "MACs", "found by", "where it came from"];
        for table in [plain_table, narrow_table] {
            let short = table(&header, &[0, 1], vec![row(&["1", "35.2 k", "random", "nowhere"])]);
            assert!(short.contains("where it came from"), "{short}");
            let wrapped = table(&header, &[0, 1], vec![row(&["1", "35.2 k", sentence, sentence])]);
            assert!(widest(&wrapped) <= PAGE && wrapped.lines().count() > 3, "{wrapped}");
            assert!(wrapped.contains("35.2 k"), "{wrapped}");
            for word in sentence.split(' ') {
                assert!(wrapped.split_whitespace().any(|found| found == word), "{word}: {wrapped}");
            }
            let long = "x".repeat(70);
            let lines = table(&header, &[0, 1], vec![row(&["1", "35.2 k", &long, "nowhere"]); 2]);
            assert!(lines.contains(&format!("found by            {long}")), "{lines}");
            assert_eq!(lines.lines().filter(|line| line.is_empty()).count(), 1, "{lines}");
        }
    }
}
