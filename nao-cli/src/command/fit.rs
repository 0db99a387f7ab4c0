//! `nao fit`: a predictor from architectures and scores of one's own.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use nao_controller::{Assessment, FitCost, Labels, StructureConfig, assess_split};
use nao_space::counted;
use nao_space::features::{FeatureMap, Features};
use nao_space::table::{separator_hint, unpacked_text};
use nao_space::{Direction, Space};
use serde::Serialize;

use super::print_text;
use crate::args::FitArgs;
use crate::output::Output;
use crate::predictor::{CheapKind, Learning, Pair, PredictorFile, ScoreKind, finite};
use crate::registries::Registries;
use crate::report::{StepProgress, assessment_table};
use crate::space_argument::AnySpace;
use nao_run::quoted;

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

pub fn run(args: FitArgs, known: &Registries) -> Result<()> {
    if args.unit.trim().is_empty() {
        bail!("--unit is empty: name the unit of the scores, such as percent or perplexity");
    }
    args.space.make(&known.spaces)?.fit(args)
}

/// Learns a predictor of a space of whatever kind.
pub fn in_space<S: AnySpace>(space: &S, args: FitArgs) -> Result<()> {
    let rows = read_rows(space, &args)?;
    let score =
        ScoreKind { name: args.score.clone(), direction: args.direction.into(), unit: args.unit.clone() };
    let cheap = args
        .cheap
        .clone()
        .map(|column| CheapKind { column, direction: args.cheap_direction.unwrap_or(args.direction).into() });
    let merits: Vec<f64> = rows.iter().map(|row| score.merit(row.score)).collect();
    if merits.iter().all(|merit| *merit == merits[0]) {
        let (path, column) = (args.pairs.display(), &args.score);
        bail!("{path}, column {column}: every score is {}: there is nothing to rank", rows[0].score);
    }
    let cheap_merits = cheap.as_ref().map(|kind| cheap_merits(kind, &rows, &args)).transpose()?;
    let labels = numbers_of_labels(&args, rows.len())?;
    let map = StructureConfig::thorough().pretraining.feature_map(space);
    let features: Vec<Features> = rows.iter().map(|row| map.features(space, &row.arch)).collect();
    let data = Data { map: &map, features: &features, args: &args, labels };
    let known = |cheap| Labels { merits: &merits, cheap };
    let (assessments, assessments_without_cheap) =
        data.assess(known(cheap_merits.as_deref()), known(None))?;
    let learning = Learning {
        options: args.space.clone(),
        space: space.name(),
        score,
        cheap,
        seed: args.seed,
        pairs: rows.iter().map(|row| row.pair(space)).collect(),
    };
    if let Some(path) = &args.output {
        keep(&learning, space, path)?;
    }
    let Learning { space, score, cheap, pairs, .. } = learning;
    let pairs = pairs.len();
    let result = FitResult { space, pairs, score, cheap, assessments, assessments_without_cheap };
    // A predictor on standard output stands there alone.
    let said = |text: &str| match &args.output {
        Some(path) => Output::of(Some(path)).say(text),
        None => print_text(text),
    };
    match args.json {
        true => said(&serde_json::to_string_pretty(&result)?),
        false => said(&page(&result, args.output.as_deref())),
    }
}

/// What the predictor is assessed on.
struct Data<'a> {
    map: &'a FeatureMap,
    features: &'a [Features],
    args: &'a FitArgs,
    /// Numbers of labels.
    labels: Vec<usize>,
}

impl Data<'_> {
    /// The assessments, and where there are cheap labels those without them.
    fn assess(
        &self,
        known: Labels<'_>,
        without_cheap: Labels<'_>,
    ) -> Result<(Vec<Assessment>, Vec<Assessment>)> {
        let parts = if known.cheap.is_some() { 2 } else { 1 };
        let fits = parts * self.args.splits * self.labels.len() as u64;
        let config = StructureConfig::thorough();
        let each = self.labels.iter().flat_map(|&count| (0..parts * self.args.splits).map(move |_| count));
        let none = FitCost { operations: 0.0, bytes: 0.0 };
        // The features of all stay, whatever is learned from.
        let cost = each.fold(none, |sum, count| sum.and(FitCost::of(count, &config)));
        let mut progress = StepProgress::new("fits to assess the predictor", fits, cost);
        let with = self.assess_on(known, &config, &mut progress)?;
        let without =
            if parts == 2 { self.assess_on(without_cheap, &config, &mut progress)? } else { Vec::new() };
        Ok((with, without))
    }

    fn assess_on(
        &self,
        known: Labels<'_>,
        config: &StructureConfig,
        progress: &mut StepProgress,
    ) -> Result<Vec<Assessment>> {
        let mut assessments = Vec::with_capacity(self.labels.len());
        for &count in &self.labels {
            let mut splits = Vec::new();
            for split in 0..self.args.splits {
                let seed = self.args.seed;
                splits.push(assess_split(self.map, self.features, known, count, split, config, seed)?);
                progress.step();
            }
            assessments.extend(Assessment::of(&splits));
        }
        Ok(assessments)
    }
}

/// Fits the predictor to all pairs and keeps it.
fn keep<S: Space>(learning: &Learning, space: &S, path: &Path) -> Result<()> {
    let cost = FitCost::of(learning.pairs.len(), &StructureConfig::thorough());
    let mut progress = StepProgress::new("fit to all architectures", 1, cost);
    let fitted = learning.fit(space)?;
    progress.step();
    Output::of(Some(path)).write_text(&PredictorFile::new(learning, &fitted)?.to_json()?)
}

/// At how many labels the predictor is assessed: those that were asked for, or a half and nine tenths of all.
fn numbers_of_labels(args: &FitArgs, rows: usize) -> Result<Vec<usize>> {
    // Two at least are left to be ranked.
    let most = rows - 2;
    if args.labels.is_empty() {
        let mut labels = vec![(rows / 2).min(most), (rows * 9 / 10).min(most)];
        labels.dedup();
        return Ok(labels);
    }
    match args.labels.iter().find(|&&labels| labels == 0 || labels > most) {
        Some(labels) => bail!(
            "--labels {labels}: of {rows} architectures 1 to {most} can be learned from, so that two are left to be ranked"
        ),
        None => Ok(args.labels.clone()),
    }
}

impl<A> Row<A> {
    fn pair<S: Space<Arch = A>>(&self, space: &S) -> Pair {
        Pair { architecture: space.format(&self.arch), score: self.score, cheap: self.cheap }
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
            anyhow!(
                "{path} has no column `{name}`; it has {}",
                headers.iter().collect::<Vec<_>>().join(", ") + separator_hint(&headers)
            )
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
        bail!("{path} has {}; a predictor needs at least 3", counted(rows.len(), "scored architecture"));
    }
    let mean = |(row, count): (Row<S::Arch>, f64)| Row {
        score: row.score / count,
        cheap: row.cheap.map(|sum| sum / count),
        ..row
    };
    Ok(rows.into_iter().map(mean).collect())
}

fn page(result: &FitResult, output: Option<&Path>) -> String {
    let mut cheap_note = String::new();
    if let Some(CheapKind { column, direction }) = &result.cheap {
        cheap_note = format!(
            "\ncheap label: {column}, {}; known of the architectures asked for too. Worth b: the prior mean of normal \
             scores is a + b z, z the normal score of the cheap label",
            better(*direction)
        );
    }
    let column = result.cheap.as_ref().map(|kind| kind.column.as_str());
    let mut text = format!(
        "{} architectures of {} with `{}` in {}, {}; learned from some, asked for the others:{cheap_note}\n{}",
        result.pairs,
        result.space,
        result.score.name,
        result.score.unit,
        better(result.score.direction),
        assessment_table(&result.assessments, column, &result.assessments_without_cheap),
    );
    if let Some(path) = output.filter(|path| Output::of(Some(path)) != Output::Standard) {
        let needs = match &result.cheap {
            Some(CheapKind { column, .. }) => format!(".csv (with a column `{column}`)"),
            None => String::new(),
        };
        text.push_str(&format!(
            "\nfitted to all of them: {}; use it:  nao predict {} ARCHITECTURES{needs}",
            path.display(),
            quoted(path)
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
