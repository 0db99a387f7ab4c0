//! `nao fit`: a predictor from architectures and scores of one's own.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use nao_controller::{Assessment, StructureConfig, assess_predictor};
use nao_space::Space;
use nao_space::features::Features;
use nao_space::table::unpacked_text;
use serde::Serialize;

use super::{print_json, print_text};
use crate::args::{FitArgs, ScoreDirection};
use crate::files::write_whole;
use crate::predictor::{Pair, PredictorFile, ScoreKind};
use crate::report::plain_table;
use crate::space_argument::SpaceVisitor;

/// What is printed.
#[derive(Serialize)]
struct FitResult {
    space: String,
    pairs: usize,
    #[serde(flatten)]
    score: ScoreKind,
    assessments: Vec<Assessment>,
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
        let pairs = read_pairs(space, &args)?;
        let score = ScoreKind {
            name: args.score.clone(),
            direction: match args.direction {
                ScoreDirection::Maximize => nao_space::Direction::Maximize,
                ScoreDirection::Minimize => nao_space::Direction::Minimize,
            },
            unit: args.unit.clone(),
        };
        let config = StructureConfig::thorough();
        let map = config.pretraining.feature_map(space);
        let archs: Vec<S::Arch> = pairs.iter().map(|(arch, _)| arch.clone()).collect();
        let features: Vec<Features> = archs.iter().map(|arch| map.features(space, arch)).collect();
        let merits: Vec<f64> = pairs.iter().map(|&(_, value)| score.merit(value)).collect();
        let labels = match args.labels.is_empty() {
            true => vec![pairs.len() / 2, pairs.len() * 9 / 10],
            false => args.labels.clone(),
        };
        if let Some(labels) = labels.iter().find(|&&labels| labels == 0 || labels + 2 > pairs.len()) {
            bail!(
                "--labels {labels}: of {} architectures 1 to {} can be learned from, so that some are left to predict",
                pairs.len(),
                pairs.len().saturating_sub(2)
            );
        }
        let assess = |&labels: &usize| {
            assess_predictor(&map, &features, &merits, labels, args.splits, &config, args.seed)
        };
        let assessments = labels.iter().map(assess).collect::<Result<Vec<_>, _>>()?;
        if let Some(path) = &args.output {
            let kept =
                pairs.iter().map(|(arch, score)| Pair { architecture: space.format(arch), score: *score });
            let file = PredictorFile::new(&args.space, space, score.clone(), kept.collect(), args.seed);
            write_whole(path, file.to_json()?.as_bytes())?;
        }
        let result = FitResult { space: space.name(), pairs: pairs.len(), score, assessments };
        if args.json { print_json(&result) } else { print_text(&page(&result, args.output.as_deref())) }
    }
}

/// The architectures of the file, each once, with their scores; several scores of one are averaged.
fn read_pairs<S: Space>(space: &S, args: &FitArgs) -> Result<Vec<(S::Arch, f64)>> {
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
    let mut known = std::collections::HashMap::new();
    let mut pairs: Vec<(S::Arch, f64, f64)> = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let line = row + 2;
        let record = record.with_context(|| format!("{path}, line {line}"))?;
        let words: Vec<&str> = architecture.iter().map(|&column| &record[column]).collect();
        let (text, value) = (words.join(" "), record[score].trim());
        if value.is_empty() {
            continue;
        }
        let arch = space
            .parse(&text)
            .with_context(|| format!("{path}, line {line}, column {}", args.architecture.join(", ")))?;
        let value: f64 = value.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(|| {
            anyhow!("{path}, line {line}, column {}: `{value}` is no finite number", args.score)
        })?;
        let at = *known.entry(space.key(&arch)).or_insert(pairs.len());
        match pairs.get_mut(at) {
            Some((_, sum, count)) => {
                *sum += value;
                *count += 1.0;
            }
            None => pairs.push((arch, value, 1.0)),
        }
    }
    if pairs.len() < 3 {
        bail!("{path} has {} architectures with scores; a predictor needs at least 3", pairs.len());
    }
    Ok(pairs.into_iter().map(|(arch, sum, count)| (arch, sum / count)).collect())
}

fn page(result: &FitResult, output: Option<&Path>) -> String {
    let header =
        ["labels", "unseen", "Kendall tau", "+-", "pairs in order", "inside 50 %", "inside 90 %", "kernel"];
    let rows = result.assessments.iter().map(|assessment| {
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
    });
    let mut text = format!(
        "{} architectures of {} with `{}` in {}, {}; learned from some, asked for the others:\n{}",
        result.pairs,
        result.space,
        result.score.name,
        result.score.unit,
        match result.score.direction {
            nao_space::Direction::Maximize => "larger is better",
            nao_space::Direction::Minimize => "smaller is better",
        },
        plain_table(&header, &[0, 1, 2, 3, 4, 5, 6], rows.collect()),
    );
    if let Some(path) = output {
        text.push_str(&format!(
            "\nfitted to all of them: {0}; use it:  nao predict {0} ARCHITECTURES",
            path.display()
        ));
    }
    text
}
