//! Reads a table from CSV, plain or packed.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use csv::StringRecord;

use super::schema::{CostColumn, LabelColumn, RowFilter, TableSchema};
use super::{StoredLabel, Table};
use crate::excerpt::{excerpt, listed};
use crate::file::{self, FileError, MIB, Unpacked};
use crate::language::Space;
use crate::text::{ParseError, shown};

/// The most that is read of a table, unpacked: ten times the largest that was published.
const LONGEST: u64 = 512 * MIB;

/// The most that is read of a table that is in memory as a whole: three times the largest that was published.
const LONGEST_IN_MEMORY: u64 = 128 * MIB;

/// Why a file is no table of a space.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be read or unpacked, or is too long.
    #[error(transparent)]
    File(#[from] FileError),
    /// Text that is no CSV.
    #[error("not a table in CSV: {0}")]
    Csv(csv::Error),
    /// A column that the schema names is missing.
    #[error("the table has no column `{column}`; it has {known}")]
    Column {
        /// The column.
        column: String,
        /// The columns that there are.
        known: String,
    },
    /// A label, or two columns of the schema, of one name.
    #[error("the schema has two columns for the label ({label})")]
    SameLabel {
        /// The label.
        label: String,
    },
    /// A schema without architecture columns or labels.
    #[error("the schema names no {what}")]
    EmptySchema {
        /// What is missing.
        what: &'static str,
    },
    /// A divisor or factor that makes no numbers.
    #[error("the scale {scale} of column `{column}` is not a finite number other than 0")]
    Scale {
        /// The column.
        column: String,
        /// The divisor or factor.
        scale: f64,
    },
    /// A row whose architecture does not belong to the space.
    #[error("line {line}: {error}")]
    Architecture {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        error: ParseError,
    },
    /// An architecture with two rows.
    #[error("line {line}: the architecture of line {first} again")]
    Twice {
        /// The later line.
        line: u64,
        /// The earlier line.
        first: u64,
    },
    /// A field that holds no number.
    #[error("line {line}, column `{column}`: {found} is not a finite number")]
    Number {
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        found: String,
    },
    /// No rows.
    #[error("the table has no rows")]
    NoRows,
    /// Rows, but none that the schema asks for.
    #[error("no row of the table has `{text}` in column `{column}`; the first row has `{first}`")]
    NoSuchRows {
        /// The column.
        column: String,
        /// The text that was asked for.
        text: String,
        /// What stands in the first row.
        first: String,
    },
}

impl From<csv::Error> for TableError {
    /// What is wrong with the file is no fault of the CSV in it.
    fn from(error: csv::Error) -> Self {
        if !error.is_io_error() {
            return TableError::Csv(error);
        }
        match error.into_kind() {
            csv::ErrorKind::Io(error) => match FileError::inside(error) {
                Ok(error) => TableError::File(error),
                Err(error) => TableError::Csv(error.into()),
            },
            _ => unreachable!("it is an error of input"),
        }
    }
}

impl<S: Space> Table<S> {
    /// Reads a CSV file with a line of headings: plain, or packed by gzip or zstd, which its first bytes tell.
    ///
    /// # Errors
    /// When the file cannot be read, a column is missing, an architecture does not belong to the space or stands
    /// there twice, or a field is no number: names line and column.
    pub fn read(space: S, path: &Path, schema: &TableSchema) -> Result<Self, TableError> {
        Table::from_csv(space, Unpacked::open(path, LONGEST)?, schema)
    }

    /// Reads plain CSV with a line of headings.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_csv(space: S, reader: impl Read, schema: &TableSchema) -> Result<Self, TableError> {
        check(schema)?;
        let mut reader = csv::Reader::from_reader(reader);
        let columns = Columns::of(reader.headers()?);
        let architecture: Vec<usize> =
            schema.architecture.iter().map(|column| columns.find(column)).collect::<Result<_, _>>()?;
        let mut labels: Vec<LabelReader<'_>> =
            schema.labels.iter().map(|label| LabelReader::new(label, &columns)).collect::<Result<_, _>>()?;
        let mut filter = schema.rows.as_ref().map(|rows| Filter::new(rows, &columns)).transpose()?;
        let (mut archs, mut line_of) = (Vec::new(), HashMap::new());
        for record in reader.records() {
            let record = record?;
            if !filter.as_mut().is_none_or(|filter| filter.passes(&record)) {
                continue;
            }
            let line = record.position().map_or(0, csv::Position::line);
            let words: Vec<&str> = architecture.iter().filter_map(|&column| record.get(column)).collect();
            let arch = space.parse(&words.join(" "));
            let arch = arch.map_err(|error| TableError::Architecture { line, error })?;
            if let Some(first) = line_of.insert(arch.clone(), line) {
                return Err(TableError::Twice { line, first });
            }
            archs.push(arch);
            labels.iter_mut().try_for_each(|label| label.read(&record, line))?;
        }
        if archs.is_empty() {
            return Err(filter.and_then(Filter::nothing_passed).unwrap_or(TableError::NoRows));
        }
        let labels = labels.into_iter().map(|label| label.stored).collect();
        let measures = (schema.objective.as_str(), schema.direction, schema.unit.as_str());
        Ok(Table::new(space, &schema.name, measures, archs, labels))
    }
}

/// The whole text of a file with a table, plain or packed by gzip or zstd, which its first bytes tell; without a
/// byte-order mark.
///
/// # Errors
/// When the file cannot be read, is too long, or is no text: names it.
pub fn unpacked_text(path: &Path) -> Result<String, TableError> {
    Ok(file::text(path, LONGEST_IN_MEMORY)?)
}

fn check(schema: &TableSchema) -> Result<(), TableError> {
    if schema.architecture.is_empty() {
        return Err(TableError::EmptySchema { what: "architecture column" });
    }
    if schema.labels.is_empty() {
        return Err(TableError::EmptySchema { what: "label" });
    }
    for (index, label) in schema.labels.iter().enumerate() {
        if schema.labels[..index].iter().any(|other| other.label == label.label) {
            return Err(TableError::SameLabel { label: label.label.to_string() });
        }
        let costs = [&label.seconds, &label.params, &label.macs].into_iter().flatten();
        let mut scales =
            costs.map(|cost| (&cost.column, cost.factor)).chain([(&label.column, label.divisor)]);
        if let Some((column, scale)) = scales.find(|(_, scale)| !scale.is_finite() || *scale == 0.0) {
            return Err(TableError::Scale { column: column.clone(), scale });
        }
    }
    Ok(())
}

/// The headings of a table.
struct Columns<'a>(&'a StringRecord);

impl<'a> Columns<'a> {
    fn of(headings: &'a StringRecord) -> Columns<'a> {
        Columns(headings)
    }

    fn find(&self, column: &str) -> Result<usize, TableError> {
        self.0.iter().position(|known| known == column).ok_or_else(|| TableError::Column {
            column: column.to_owned(),
            known: listed(self.0) + separator_hint(self.0),
        })
    }
}

/// Lets the rows through that belong to the table.
struct Filter<'a> {
    rows: &'a RowFilter,
    column: usize,
    /// What the first row of all has in the column.
    first: Option<String>,
}

impl<'a> Filter<'a> {
    fn new(rows: &'a RowFilter, columns: &Columns<'_>) -> Result<Self, TableError> {
        Ok(Filter { rows, column: columns.find(&rows.column)?, first: None })
    }

    fn passes(&mut self, record: &StringRecord) -> bool {
        let found = record.get(self.column).unwrap_or_default().trim();
        self.first.get_or_insert_with(|| found.to_owned());
        found == self.rows.text
    }

    /// Why there is nothing, if rows were held back.
    fn nothing_passed(self) -> Option<TableError> {
        let RowFilter { column, text } = self.rows.clone();
        Some(TableError::NoSuchRows { column, text, first: excerpt(&self.first?) })
    }
}

/// Collects one label and its costs, row by row.
struct LabelReader<'a> {
    schema: &'a LabelColumn,
    column: usize,
    costs: [Option<(&'a CostColumn, usize)>; 3],
    stored: StoredLabel,
}

impl<'a> LabelReader<'a> {
    fn new(schema: &'a LabelColumn, columns: &Columns<'_>) -> Result<Self, TableError> {
        let find = |cost: &'a Option<CostColumn>| {
            cost.as_ref().map(|cost| columns.find(&cost.column).map(|column| (cost, column))).transpose()
        };
        Ok(LabelReader {
            column: columns.find(&schema.column)?,
            costs: [find(&schema.seconds)?, find(&schema.params)?, find(&schema.macs)?],
            stored: StoredLabel::empty(schema.label.clone()),
            schema,
        })
    }

    fn read(&mut self, record: &StringRecord, line: u64) -> Result<(), TableError> {
        let empty = record.get(self.column).is_some_and(|field| field.trim().is_empty());
        let value = if empty {
            None
        } else {
            let value = number(record, self.column, &self.schema.column, line)? / self.schema.divisor;
            let overflow = || TableError::Number {
                line,
                column: self.schema.column.clone(),
                found: format!("{value} after division by {}", self.schema.divisor),
            };
            Some(Some(value).filter(|value| value.is_finite()).ok_or_else(overflow)?)
        };
        let cost = |cost: Option<(&CostColumn, usize)>| -> Result<f64, TableError> {
            let Some((cost, column)) = cost else { return Ok(0.0) };
            Ok(number(record, column, &cost.column, line)? * cost.factor)
        };
        let [seconds, params, macs] = self.costs;
        let stored = &mut self.stored;
        stored.values.push(value);
        stored.seconds.push(cost(seconds)?);
        stored.params.push(cost(params)?.round() as u64);
        stored.macs.push(cost(macs)?.round() as u64);
        Ok(())
    }
}

/// What is said of a table whose header is one column because something else than a comma separates them.
pub fn separator_hint<'a>(header: impl IntoIterator<Item = &'a str>) -> &'static str {
    let mut names = header.into_iter();
    match (names.next(), names.next()) {
        (Some(only), None) if only.contains(';') => "; semicolons separate its columns: save it with commas",
        (Some(only), None) if only.contains('\t') => "; tabs separate its columns: save it with commas",
        _ => "",
    }
}

fn number(record: &StringRecord, at: usize, column: &str, line: u64) -> Result<f64, TableError> {
    let field = record.get(at).unwrap_or_default();
    let number = field.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| TableError::Number { line, column: column.to_owned(), found: shown(field) })
}
