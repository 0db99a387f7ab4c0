//! What the columns of a table mean, and the names under which its labels are asked for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::counted;
use crate::trial::Direction;

/// The full name of a label: what an architecture was trained on, how long, where it was measured, and which of its
/// trainings is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Such as `cifar10`.
    pub dataset: String,
    /// Such as `validation`.
    pub split: String,
    /// Epochs of training.
    pub epochs: u32,
    /// Which training.
    pub run: Run,
}

impl Label {
    /// The mean over all trainings.
    pub fn average(dataset: &str, split: &str, epochs: u32) -> Self {
        Label { dataset: dataset.into(), split: split.into(), epochs, run: Run::Average }
    }

    /// One training, counted from 0.
    pub fn single(dataset: &str, split: &str, epochs: u32, run: u32) -> Self {
        Label { dataset: dataset.into(), split: split.into(), epochs, run: Run::Single(run) }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}, {}", self.dataset, self.split, counted(self.epochs, "epoch"), self.run)
    }
}

/// Which of the trainings of an architecture a label speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// The mean over all of them.
    Average,
    /// One of them, counted from 0.
    Single(u32),
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Run::Average => f.write_str("average of all runs"),
            Run::Single(run) => write!(f, "run {run}"),
        }
    }
}

/// What the columns of a table mean.
///
/// ```
/// use nao_space::table::{CostColumn, Label, LabelColumn, TableSchema};
///
/// let accuracy = LabelColumn::percent("val_acc", Label::average("cifar10", "validation", 200));
/// let schema = TableSchema::accuracies("mine", ["arch"], [accuracy.with_seconds(CostColumn::new("seconds"))]);
/// assert_eq!(schema.labels[0].divisor, 100.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSchema {
    /// The name of the table.
    pub name: String,
    /// The columns that make up an architecture's text, which are joined by spaces.
    pub architecture: Vec<String>,
    /// What the labels measure, such as `accuracy`.
    pub objective: String,
    /// Which way is better.
    pub direction: Direction,
    /// The unit of the labels after division, such as `fraction`.
    pub unit: String,
    /// The label columns.
    pub labels: Vec<LabelColumn>,
    /// Which rows belong to the table [default: all].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowFilter>,
}

/// The rows that have a certain text in a column, such as one part of a table that was put together from several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowFilter {
    /// The heading of the column.
    pub column: String,
    /// What stands there.
    pub text: String,
}

/// A column of labels with the columns of what such a label costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelColumn {
    /// The heading of the column. An empty field means that the label is missing.
    pub column: String,
    /// The name of the label.
    pub label: Label,
    /// What the stored number is divided by: 100 turns per cent into a fraction.
    #[serde(default = "one")]
    pub divisor: f64,
    /// Training time in seconds, which a query for the label adds to the simulated clock.
    #[serde(default)]
    pub seconds: Option<CostColumn>,
    /// Trainable parameters.
    #[serde(default)]
    pub params: Option<CostColumn>,
    /// Multiply-accumulates of one example.
    #[serde(default)]
    pub macs: Option<CostColumn>,
}

/// A column of costs. Every row must have a number there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostColumn {
    /// The heading of the column.
    pub column: String,
    /// What the stored number is multiplied by: 1e6 turns millions into ones, 0.06 the time of 200 epochs into that
    /// of 12.
    #[serde(default = "one")]
    pub factor: f64,
}

fn one() -> f64 {
    1.0
}

impl CostColumn {
    /// A column that is taken as it stands.
    pub fn new(column: &str) -> Self {
        CostColumn { column: column.into(), factor: 1.0 }
    }

    /// A column that is multiplied by `factor`.
    pub fn scaled(column: &str, factor: f64) -> Self {
        CostColumn { column: column.into(), factor }
    }
}

impl LabelColumn {
    /// A column of fractions.
    pub fn fraction(column: &str, label: Label) -> Self {
        LabelColumn { column: column.into(), label, divisor: 1.0, seconds: None, params: None, macs: None }
    }

    /// A column of percentages, read as fractions.
    pub fn percent(column: &str, label: Label) -> Self {
        LabelColumn { divisor: 100.0, ..LabelColumn::fraction(column, label) }
    }

    /// The same with a column of training times.
    pub fn with_seconds(self, seconds: CostColumn) -> Self {
        LabelColumn { seconds: Some(seconds), ..self }
    }

    /// The same with a column of parameter counts.
    pub fn with_params(self, params: CostColumn) -> Self {
        LabelColumn { params: Some(params), ..self }
    }
}

impl TableSchema {
    /// A table of accuracies between 0 and 1.
    pub fn accuracies<'a>(
        name: &str,
        architecture: impl IntoIterator<Item = &'a str>,
        labels: impl IntoIterator<Item = LabelColumn>,
    ) -> Self {
        TableSchema {
            name: name.into(),
            architecture: architecture.into_iter().map(str::to_owned).collect(),
            objective: "accuracy".into(),
            direction: Direction::Maximize,
            unit: "fraction".into(),
            labels: labels.into_iter().collect(),
            rows: None,
        }
    }

    /// The same for the rows with this text in a column.
    pub fn with_rows(self, column: &str, text: &str) -> Self {
        TableSchema { rows: Some(RowFilter { column: column.into(), text: text.into() }), ..self }
    }
}
