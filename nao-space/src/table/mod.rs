//! Tabular benchmarks: architectures that were trained once, so that a search can be judged without training.
//!
//! ```
//! use nao_space::table::{Label, Table};
//! use nao_space::{Evaluator, NasBench201Space, Quiet, Space, Trial, TrialId};
//!
//! let table = Table::nasbench201();
//! let evaluator = table.evaluator(&Label::average("cifar10", "validation", 200))?;
//! let text = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|";
//! let arch = NasBench201Space::default().parse(text)?;
//! let measured = evaluator.evaluate(&Trial { id: TrialId(1), arch, seed: 0 }, &mut Quiet)?;
//! assert!((measured.value - 0.916067).abs() < 1e-6);
//! assert_eq!((evaluator.ledger().charged, evaluator.ledger().seconds), (1, measured.seconds));
//!
//! // A wrong name is answered with the right ones.
//! let error = table.evaluator(&Label::average("cifar", "validation", 200)).err().unwrap();
//! assert_eq!(error.to_string(), "nasbench201 has no dataset `cifar`; it has cifar10, cifar100, imagenet16-120");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod built_in;
mod evaluator;
mod read;
mod schema;

use std::collections::HashMap;

use crate::language::{ArchKey, Space};
use crate::trial::{Direction, Objective};

pub use evaluator::{Ledger, TableEvaluator};
pub use read::{TableError, separator_hint, unpacked_text};
pub use schema::{CostColumn, Label, LabelColumn, RowFilter, Run, TableSchema};

/// Architectures of a space with what was measured when they were trained.
///
/// A label is looked at through a [`TableEvaluator`] only, which charges for it.
pub struct Table<S: Space> {
    space: S,
    name: String,
    objective: String,
    direction: Direction,
    unit: String,
    archs: Vec<S::Arch>,
    labels: Vec<StoredLabel>,
    row_of_arch: HashMap<S::Arch, usize>,
    /// The first row of all that spell one architecture.
    row_of_key: HashMap<ArchKey, usize>,
}

/// One label of every row and what it costs. All vectors have one entry per row; costs that the table does not
/// have are 0.
struct StoredLabel {
    label: Label,
    values: Vec<Option<f64>>,
    seconds: Vec<f64>,
    params: Vec<u64>,
    macs: Vec<u64>,
}

impl StoredLabel {
    fn empty(label: Label) -> Self {
        StoredLabel { label, values: vec![], seconds: vec![], params: vec![], macs: vec![] }
    }
}

impl<S: Space> Table<S> {
    fn new(
        space: S,
        name: &str,
        (objective, direction, unit): (&str, Direction, &str),
        archs: Vec<S::Arch>,
        labels: Vec<StoredLabel>,
    ) -> Self {
        let row_of_arch = archs.iter().cloned().zip(0..).collect();
        let mut row_of_key = HashMap::new();
        for (row, arch) in archs.iter().enumerate() {
            row_of_key.entry(space.key(arch)).or_insert(row);
        }
        let (name, objective, unit) = (name.to_owned(), objective.to_owned(), unit.to_owned());
        Table { space, name, objective, direction, unit, archs, labels, row_of_arch, row_of_key }
    }

    /// The name of the table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The space whose architectures stand there.
    pub fn space(&self) -> &S {
        &self.space
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.archs.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.archs.is_empty()
    }

    /// The architectures in the order of the rows.
    pub fn archs(&self) -> impl ExactSizeIterator<Item = &S::Arch> {
        self.archs.iter()
    }

    /// The names of all labels.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().map(|stored| &stored.label)
    }

    /// The best architecture, the first of the table where several are equal, and its value: what the end of a
    /// search is measured against. For reports; a strategy that asks has not searched.
    ///
    /// # Errors
    /// As [`Table::evaluator`].
    pub fn best(&self, label: &Label) -> Result<Option<(&S::Arch, f64)>, UnknownLabel> {
        let stored = &self.labels[self.find(label)?];
        let sign = if self.direction == Direction::Maximize { 1.0 } else { -1.0 };
        let valued =
            self.archs.iter().zip(&stored.values).filter_map(|(arch, value)| Some((arch, (*value)?)));
        // Of equal ones, `min_by` takes the first.
        Ok(valued.min_by(|(_, a), (_, b)| (sign * b).total_cmp(&(sign * a))))
    }

    /// Whether a label ranks the architectures: it has two values that differ.
    ///
    /// # Errors
    /// As [`Table::evaluator`].
    pub fn ranks(&self, label: &Label) -> Result<bool, UnknownLabel> {
        let mut values = self.labels[self.find(label)?].values.iter().flatten();
        let first = values.next();
        Ok(values.any(|value| Some(value) != first))
    }

    fn row(&self, arch: &S::Arch, key: &ArchKey) -> Option<usize> {
        self.row_of_arch.get(arch).or_else(|| self.row_of_key.get(key)).copied()
    }

    fn objective(&self, label: usize) -> Objective {
        Objective {
            name: self.objective.clone(),
            direction: self.direction,
            unit: self.unit.clone(),
            split: self.labels[label].label.split.clone(),
        }
    }

    fn find(&self, wanted: &Label) -> Result<usize, UnknownLabel> {
        if let Some(found) = self.labels.iter().position(|stored| stored.label == *wanted) {
            return Ok(found);
        }
        type Part = (&'static str, fn(&Label) -> String);
        const PARTS: [Part; 4] = [
            ("dataset", |label| label.dataset.clone()),
            ("split", |label| label.split.clone()),
            ("number of epochs", |label| label.epochs.to_string()),
            ("run", |label| label.run.to_string()),
        ];
        // The first part that no label shares along with all parts before it.
        let mut fitting: Vec<&Label> = self.labels().collect();
        let (mut part, mut right) = PARTS[0];
        for (name, value) in PARTS {
            (part, right) = (name, value);
            let also: Vec<&Label> =
                fitting.iter().copied().filter(|label| value(label) == value(wanted)).collect();
            if also.is_empty() {
                break;
            }
            fitting = also;
        }
        let mut known: Vec<String> = Vec::new();
        for value in fitting.iter().map(|label| right(label)) {
            if !known.contains(&value) {
                known.push(value);
            }
        }
        Err(UnknownLabel { table: self.name.clone(), part, found: right(wanted), known: known.join(", ") })
    }
}

/// A label that a table does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table} has no {part} `{found}`; it has {known}")]
pub struct UnknownLabel {
    /// The table.
    pub table: String,
    /// The part of the label that is wrong, the parts before it being right.
    pub part: &'static str,
    /// What was asked for.
    pub found: String,
    /// What there is, given the parts before.
    pub known: String,
}

#[cfg(test)]
mod tests;
