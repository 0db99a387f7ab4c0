//! `nao fit`: a predictor from architectures and scores of one's own.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use nao_controller::{
    Assessment, AssessmentPlan, Assessments, CheapKind, Predictor, PredictorBuilder, ScoreKind, ScoredArch,
    SpaceOptions,
};
use nao_run::quoted;
use nao_space::table::{separator_hint, unpacked_text};
use nao_space::{Direction, Space, counted};
use serde::Serialize;

use super::print_text;
use crate::args::FitArgs;
use crate::output::Output;
use crate::progress::StepProgress;
use crate::registries::Registries;
use crate::report::assessment_table;
use crate::space_argument::AnySpace;

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

pub fn run(args: FitArgs, known: &Registries) -> Result<()> {
    if args.unit.trim().is_empty() {
        bail!("--unit is empty: name the unit of the scores, such as percent or perplexity");
    }
    let space = args.space.make(&known.spaces)?;
    space.fit(args)
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
    refuse_equal(&rows, cheap.as_ref(), &args)?;
    let plan = plan(&args, rows.len())?;
    let mut builder = Predictor::builder(space, score.direction).score(&score.name, &score.unit);
    if let Some(CheapKind { column, direction }) = &cheap {
        builder = builder.cheap_labels(column, *direction);
    }
    let builder = builder.seed(args.seed).options(SpaceOptions::of(&args.space)?);
    let Assessments { assessments, without_cheap } = {
        let (fits, cost) = (plan.fits(cheap.is_some()), builder.assessment_cost(&plan));
        let mut progress = StepProgress::new("fits to assess the predictor", fits, cost);
        builder.assess(rows.iter().cloned(), &plan, || progress.step())?
    };
    if let Some(path) = &args.output {
        keep(&builder, &rows, path)?;
    }
    let (space, pairs) = (space.name(), rows.len());
    let assessments_without_cheap = without_cheap;
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

/// Fits the predictor to all pairs and keeps it.
fn keep<S: AnySpace>(builder: &PredictorBuilder<S>, rows: &[ScoredArch<S::Arch>], path: &Path) -> Result<()> {
    let mut progress = StepProgress::new("fit to all architectures", 1, builder.cost(rows.len()));
    let predictor = builder.fit(rows.iter().cloned())?;
    progress.step();
    Output::of(Some(path)).write_text(&predictor.to_json()?)
}

/// At how many labels the predictor is assessed: those that were asked for, or a half and nine tenths of all.
fn plan(args: &FitArgs, rows: usize) -> Result<AssessmentPlan> {
    if args.labels.is_empty() {
        return Ok(AssessmentPlan::usual(rows, args.splits));
    }
    let most = AssessmentPlan::most_labels(rows);
    match args.labels.iter().find(|&&labels| labels == 0 || labels > most) {
        Some(labels) => bail!(
            "--labels {labels}: of {rows} architectures 1 to {most} can be learned from, so that two are left to be ranked"
        ),
        None => Ok(AssessmentPlan { labels: args.labels.clone(), splits: args.splits }),
    }
}

/// Refuses scores and cheap labels that are all equal, which say nothing.
fn refuse_equal<A>(rows: &[ScoredArch<A>], cheap: Option<&CheapKind>, args: &FitArgs) -> Result<()> {
    let path = args.pairs.display();
    let (first, column) = (&rows[0], &args.score);
    if rows.iter().all(|row| row.score == first.score) {
        bail!("{path}, column {column}: every score is {}: there is nothing to rank", first.score);
    }
    match (cheap, first.cheap) {
        (Some(CheapKind { column, .. }), Some(label)) if rows.iter().all(|row| row.cheap == Some(label)) => {
            bail!(
                "{path}, column {column}: every cheap label is {label}, which tells nothing: leave out --cheap"
            )
        }
        _ => Ok(()),
    }
}

/// A score or a cheap label as it stands in a file; `None` for what is no finite number.
pub(super) fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The architectures of the file, each once, with their scores; several scores or cheap labels of one are averaged.
fn read_rows<S: Space>(space: &S, args: &FitArgs) -> Result<Vec<ScoredArch<S::Arch>>> {
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
    let mut rows = Vec::new();
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
        rows.push(ScoredArch { arch, score: value, cheap: label });
    }
    let rows = ScoredArch::distinct(space, rows);
    if rows.len() < 3 {
        bail!("{path} has {}; a predictor needs at least 3", counted(rows.len(), "scored architecture"));
    }
    Ok(rows)
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
