//! `nao benchmark check`: whether a file is a table of trained architectures, and what it holds.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use nao_run::files::read_text;
use nao_space::table::{Label, Table, TableSchema};
use nao_space::{ArchKey, Space};
use serde::Serialize;

use super::{print_json, print_text};
use crate::args::BenchmarkCheckArgs;
use crate::run::in_text;
use crate::space_argument::{AnySpace, SpaceVisitor};

/// What a table holds.
#[derive(Serialize)]
struct TableSummary {
    table: String,
    space: String,
    rows: usize,
    /// Architectures that differ in more than their spelling.
    distinct: usize,
    labels: Vec<LabelSummary>,
}

#[derive(Serialize)]
struct LabelSummary {
    #[serde(flatten)]
    label: Label,
    /// The best value, if any row has one.
    best: Option<f64>,
    /// The first architecture that has it.
    best_architecture: Option<String>,
    /// Whether two values differ: others rank nothing.
    ranks: bool,
}

pub fn check(args: BenchmarkCheckArgs) -> Result<()> {
    let schema = match (&args.schema, args.space.space.as_deref()) {
        (Some(path), _) => schema(path)?,
        (None, Some("nasbench201")) => TableSchema::nasbench201(),
        (None, Some("nasbench101")) => TableSchema::nasbench101(),
        (None, _) => bail!(
            "name a file that says what the columns mean with --schema FILE (see nao benchmark check --help)"
        ),
    };
    args.space.visit(TableCheck { args: &args, schema: &schema })
}

struct TableCheck<'a> {
    args: &'a BenchmarkCheckArgs,
    schema: &'a TableSchema,
}

impl SpaceVisitor for TableCheck<'_> {
    fn visit<S: AnySpace>(self, space: &S) -> Result<()> {
        let summary = summary(space.clone(), &self.args.file, self.schema)?;
        if self.args.json { print_json(&summary) } else { print_text(&page(&summary)) }
    }
}

fn schema(path: &Path) -> Result<TableSchema> {
    let text = read_text(path)?;
    toml::from_str(&text)
        .map_err(|error| anyhow!("{} is no schema, {}", path.display(), in_text(&error, &text)))
}

fn summary<S: Space>(space: S, file: &Path, schema: &TableSchema) -> Result<TableSummary> {
    let table = Table::read(space, file, schema)?;
    let space = table.space();
    let keys: HashSet<ArchKey> = table.archs().map(|arch| space.key(arch)).collect();
    let labels = table.labels().map(|label| {
        let best = table.best(label).context("a label of the table is one of its labels")?;
        Ok(LabelSummary {
            label: label.clone(),
            best: best.map(|(_, value)| value),
            best_architecture: best.map(|(arch, _)| space.format(arch)),
            ranks: table.ranks(label).context("a label of the table is one of its labels")?,
        })
    });
    Ok(TableSummary {
        table: table.name().to_owned(),
        space: space.name(),
        rows: table.len(),
        distinct: keys.len(),
        labels: labels.collect::<Result<_>>()?,
    })
}

fn page(summary: &TableSummary) -> String {
    let mut text = format!(
        "{}: {} rows of {}, {} architectures that differ in more than their spelling\n",
        summary.table, summary.rows, summary.space, summary.distinct
    );
    for LabelSummary { label, best, best_architecture, ranks } in &summary.labels {
        let best = match (best, best_architecture) {
            (Some(value), Some(_)) if !ranks => format!("every value is {value:.4}: nothing to rank"),
            (Some(value), Some(arch)) => format!("best {value:.4}  {arch}"),
            _ => "no values".to_owned(),
        };
        text.push_str(&format!("  {label}: {best}\n"));
    }
    text
}
