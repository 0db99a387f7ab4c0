//! `nao benchmark check`: whether a file is a table of trained architectures, and what it holds.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use nao_run::files::read_text;
use nao_run::settings::in_text;
use nao_space::table::{Label, Table, TableSchema};
use nao_space::{ArchKey, Space};
use serde::Serialize;

use super::{print_json, print_text};
use crate::args::BenchmarkCheckArgs;
use crate::registries::Registries;
use crate::space_argument::AnySpace;

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

pub fn check(args: BenchmarkCheckArgs, known: &Registries) -> Result<()> {
    let of_space = match &args.space.space {
        Some(_) => args.space.entry(&known.spaces)?.schema,
        None => None,
    };
    let schema = match (&args.schema, of_space) {
        (Some(path), _) => schema(path)?,
        (None, Some(of_space)) => of_space(),
        (None, None) => bail!(
            "name a file that says what the columns mean with --schema FILE (see nao benchmark check --help)"
        ),
    };
    args.space.make(&known.spaces)?.check_table(&args, &schema)
}

/// Checks a table of a space of whatever kind.
pub fn in_space<S: AnySpace>(space: &S, args: &BenchmarkCheckArgs, schema: &TableSchema) -> Result<()> {
    let summary = summary(space.clone(), &args.file, schema)?;
    if args.json { print_json(&summary) } else { print_text(&page(&summary)) }
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
