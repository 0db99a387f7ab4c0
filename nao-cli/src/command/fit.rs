//! `nao fit`: a predictor from architectures and scores of one's own.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use nao_controller::{Assessment, Labels, StructureConfig, assess_predictor};
use nao_run::files::write_whole;
use nao_space::features::Features;
use nao_space::table::unpacked_text;
use nao_space::{Direction, Space};
use serde::Serialize;

use super::{print_json, print_text};
use crate::args::FitArgs;
use crate::predictor::{CheapKind, Pair, PredictorFile, ScoreKind, finite};
use crate::report::plain_table;
use crate::space_argument::SpaceVisitor;

/// What is printed.
#[derive(Serialize)]
struct FitResult {
    space: String,
    pairs: usize,
    #[serde(flatten)]
    score: ScoreKind,
    /// The cheap label on which `assessments` rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    cheap: Option<CheapKind>,
    assessments: Vec<Assessment>,
    /// The same splits without the cheap label; empty where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assessments_without_cheap: Vec<Assessment>,
}

/// An architecture of the file.
struct Row<A> {
    arch: A,
    score: f64,
    /// The cheap label, if one was named.
    cheap: Option<f64>,
}

pub fn run(args: FitArgs) -> Result<()> {
    if args.unit.trim().is_empty() {
        bail!("--unit is empty: name the unit of the scores, such as percent or perplexity");
    }
    let options = args.space.clone();
    options.visit(Fit(args))
}

struct Fit(FitArgs);

impl SpaceVisitor for Fit {
    fn visit<S: Space>(self, space: &S) -> Result<()> {
        let Fit(args) = self;
        let rows = read_rows(space, &args)?;
        let score =
            ScoreKind { name: args.score.clone(), direction: args.direction.into(), unit: args.unit.clone() };
        let cheap = args.cheap.clone().map(|column| CheapKind {
            column,
            direction: args.cheap_direction.unwrap_or(args.direction).into(),
        });
        let config = StructureConfig::thorough();
        let map = config.pretraining.feature_map(space);
        let features: Vec<Features> = rows.iter().map(|row| map.features(space, &row.arch)).collect();
        let merits: Vec<f64> = rows.iter().map(|row| score.merit(row.score)).collect();
        let cheap_merits = cheap.as_ref().map(|kind| cheap_merits(kind, &rows, &args)).transpose()?;
        let labels = match args.labels.is_empty() {
            true => vec![rows.len() / 2, rows.len() * 9 / 10],
            false => args.labels.clone(),
        };
        if let Some(labels) = labels.iter().find(|&&labels| labels == 0 || labels + 2 > rows.len()) {
            bail!(
                "--labels {labels}: of {} architectures 1 to {} can be learned from, so that some are left to predict",
                rows.len(),
                rows.len().saturating_sub(2)
            );
        }
        let assess = |cheap: Option<&[f64]>| {
            let known = Labels { merits: &merits, cheap };
            let at = |&count: &usize| {
                assess_predictor(&map, &features, known, count, args.splits, &config, args.seed)
            };
            labels.iter().map(at).collect::<Result<Vec<_>, _>>()
        };
        let assessments = assess(cheap_merits.as_deref())?;
        let assessments_without_cheap = if cheap.is_some() { assess(None)? } else { Vec::new() };
        if let Some(path) = &args.output {
            let kept = rows.iter().map(|row| Pair {
                architecture: space.format(&row.arch),
                score: row.score,
                cheap: row.cheap,
            });
            let (score, cheap) = (score.clone(), cheap.clone());
            let file = PredictorFile::new(&args.space, space, score, cheap, kept.collect(), args.seed);
            write_whole(path, file.to_json()?.as_bytes())?;
        }
        let (space, pairs) = (space.name(), rows.len());
        let result = FitResult { space, pairs, score, cheap, assessments, assessments_without_cheap };
        if args.json { print_json(&result) } else { print_text(&page(&result, args.output.as_deref())) }
    }
}

/// The cheap labels as merits. Refuses those that are all equal, which say nothing.
fn cheap_merits<A>(kind: &CheapKind, rows: &[Row<A>], args: &FitArgs) -> Result<Vec<f64>> {
    let labels: Vec<f64> = rows.iter().filter_map(|row| row.cheap).collect();
    if labels.iter().all(|label| *label == labels[0]) {
        let (path, column) = (args.pairs.display(), &kind.column);
        bail!(
            "{path}, column {column}: every cheap label is {}, which tells nothing: leave out --cheap",
            labels[0]
        );
    }
    Ok(labels.into_iter().map(|label| kind.merit(label)).collect())
}

/// The architectures of the file, each once, with their scores; several scores or cheap labels of one are averaged.
fn read_rows<S: Space>(space: &S, args: &FitArgs) -> Result<Vec<Row<S::Arch>>> {
    let path = args.pairs.display();
    let text = unpacked_text(&args.pairs)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().with_context(|| format!("{path} is no CSV file"))?.clone();
    let column = |name: &str| {
        headers.iter().position(|header| header == name).ok_or_else(|| {
            anyhow!("{path} has no column `{name}`; it has {}", headers.iter().collect::<Vec<_>>().join(", "))
        })
    };
    let architecture = args.architecture.iter().map(|name| column(name)).collect::<Result<Vec<_>>>()?;
    let score = column(&args.score)?;
    let cheap =
        args.cheap.as_deref().map(|name| Ok::<_, anyhow::Error>((name, column(name)?))).transpose()?;
    let mut known = std::collections::HashMap::new();
    let mut rows: Vec<(Row<S::Arch>, f64)> = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let line = row + 2;
        let record = record.with_context(|| format!("{path}, line {line}"))?;
        let words: Vec<&str> = architecture.iter().map(|&column| &record[column]).collect();
        let text = words.join(" ");
        if record[score].trim().is_empty() {
            continue;
        }
        let arch = space
            .parse(&text)
            .with_context(|| format!("{path}, line {line}, column {}", args.architecture.join(", ")))?;
        let number = |name: &str, column: usize| {
            let value = record[column].trim();
            finite(value)
                .ok_or_else(|| anyhow!("{path}, line {line}, column {name}: `{value}` is no finite number"))
        };
        let value = number(&args.score, score)?;
        let label = cheap.map(|(name, column)| number(name, column)).transpose()?;
        let at = *known.entry(space.key(&arch)).or_insert(rows.len());
        match rows.get_mut(at) {
            Some((row, count)) => {
                row.score += value;
                row.cheap = row.cheap.zip(label).map(|(sum, label)| sum + label);
                *count += 1.0;
            }
            None => rows.push((Row { arch, score: value, cheap: label }, 1.0)),
        }
    }
    if rows.len() < 3 {
        bail!("{path} has {} architectures with scores; a predictor needs at least 3", rows.len());
    }
    let mean = |(row, count): (Row<S::Arch>, f64)| Row {
        score: row.score / count,
        cheap: row.cheap.map(|sum| sum / count),
        ..row
    };
    Ok(rows.into_iter().map(mean).collect())
}

fn page(result: &FitResult, output: Option<&Path>) -> String {
    let mut header = vec![
        "labels",
        "unseen",
        "Kendall tau",
        "+-",
        "pairs in order",
        "inside 50 %",
        "inside 90 %",
        "kernel",
    ];
    let row = |assessment: &Assessment| {
        let kernels = assessment.kernels.iter().map(|(form, count)| format!("{} x{count}", form.name()));
        vec![
            assessment.labels.to_string(),
            assessment.unseen.to_string(),
            format!("{:.3}", assessment.kendall_tau),
            format!("{:.3}", assessment.kendall_tau_error),
            format!("{:.1} %", 100.0 * assessment.pairwise_accuracy),
            format!("{:.1} %", 100.0 * assessment.inside_50),
            format!("{:.1} %", 100.0 * assessment.inside_90),
            kernels.collect::<Vec<_>>().join(", "),
        ]
    };
    let mut rows: Vec<Vec<String>> = result.assessments.iter().map(row).collect();
    let mut cheap_note = String::new();
    if let Some(CheapKind { column, direction }) = &result.cheap {
        header.push("cheap label");
        for (row, assessment) in rows.iter_mut().zip(&result.assessments) {
            row.push(format!("{column}, worth {:.2}", assessment.cheap_slope.unwrap_or(0.0)));
        }
        rows.extend(result.assessments_without_cheap.iter().map(|assessment| {
            let mut row = row(assessment);
            row.push("without".to_owned());
            row
        }));
        cheap_note = format!(
            "\ncheap label: {column}, {}; known of the architectures asked for too. Worth b: the prior mean of normal \
             scores is a + b z, z the normal score of the cheap label",
            better(*direction)
        );
    }
    let mut text = format!(
        "{} architectures of {} with `{}` in {}, {}; learned from some, asked for the others:{cheap_note}\n{}",
        result.pairs,
        result.space,
        result.score.name,
        result.score.unit,
        better(result.score.direction),
        plain_table(&header, &[0, 1, 2, 3, 4, 5, 6], rows),
    );
    if let Some(path) = output {
        let needs = match &result.cheap {
            Some(CheapKind { column, .. }) => format!(".csv (with a column `{column}`)"),
            None => String::new(),
        };
        text.push_str(&format!(
            "\nfitted to all of them: {0}; use it:  nao predict {0} ARCHITECTURES{needs}",
            path.display()
        ));
    }
    text
}

fn better(direction: Direction) -> &'static str {
    match direction {
        Direction::Maximize => "larger is better",
        Direction::Minimize => "smaller is better",
    }
}
