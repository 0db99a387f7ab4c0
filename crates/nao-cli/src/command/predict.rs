//! `nao predict`: scores of architectures by a predictor of `nao fit`.

use anyhow::{Context, Result, bail};
use nao_space::Space;
use nao_space::table::unpacked_text;
use serde::Serialize;

use super::{print_json, print_text};
use crate::args::PredictArgs;
use crate::files::read_text;
use crate::predictor::{PredictorFile, ScoreKind};
use crate::report::plain_table;
use crate::space_argument::SpaceVisitor;

/// One architecture, the best first.
#[derive(Serialize)]
struct Predicted {
    architecture: String,
    /// In the unit of the scores learned from; never outside of their range.
    score: f64,
    /// Where the score lies with 80 % probability.
    interval: [f64; 2],
    /// Mean and deviation on the scale by which architectures are ranked: normal scores of merits.
    rank_mean: f64,
    rank_deviation: f64,
}

#[derive(Serialize)]
struct Predictions {
    #[serde(flatten)]
    score: ScoreKind,
    predictions: Vec<Predicted>,
}

pub fn run(args: PredictArgs) -> Result<()> {
    let text = read_text(&args.predictor)?;
    let file = PredictorFile::from_json(&text)
        .with_context(|| format!("{} is no predictor of `nao fit`", args.predictor.display()))?;
    let options = file.options.clone();
    options.visit(Predict { args, file })
}

struct Predict {
    args: PredictArgs,
    file: PredictorFile,
}

impl SpaceVisitor for Predict {
    fn visit<S: Space>(self, space: &S) -> Result<()> {
        let Predict { args, file } = self;
        let archs = read_archs(space, &args)?;
        let fitted = file.fit(space).with_context(|| args.predictor.display().to_string())?;
        let (score, predicted) = (&file.score, fitted.predict(space, &archs));
        let mut predictions: Vec<Predicted> = archs
            .iter()
            .zip(predicted)
            .map(|(arch, predicted)| {
                let mut interval = predicted.interval.map(|merit| score.merit(merit));
                interval.sort_by(f64::total_cmp);
                Predicted {
                    architecture: space.format(arch),
                    score: score.merit(predicted.merit),
                    interval,
                    rank_mean: predicted.score.mean,
                    rank_deviation: predicted.score.deviation,
                }
            })
            .collect();
        predictions.sort_by(|a, b| b.rank_mean.total_cmp(&a.rank_mean));
        let predictions = Predictions { score: score.clone(), predictions };
        if args.json { print_json(&predictions) } else { print_text(&page(&predictions)) }
    }
}

/// The architectures of a CSV file with a column `architecture`, or of a file with one per line.
fn read_archs<S: Space>(space: &S, args: &PredictArgs) -> Result<Vec<S::Arch>> {
    let path = args.architectures.display();
    let text = unpacked_text(&args.architectures)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().with_context(|| format!("{path} is no text"))?.clone();
    let texts: Vec<(usize, String)> = match headers.iter().position(|header| header == "architecture") {
        Some(column) => {
            let field = |(row, record): (usize, csv::Result<csv::StringRecord>)| {
                let record = record.with_context(|| format!("{path}, line {}", row + 2))?;
                Ok((row + 2, record.get(column).unwrap_or_default().to_owned()))
            };
            reader.records().enumerate().map(field).collect::<Result<_>>()?
        }
        None => text.lines().enumerate().map(|(row, line)| (row + 1, line.to_owned())).collect(),
    };
    let texts = texts.into_iter().filter(|(_, text)| !text.trim().is_empty());
    let parse = |(line, text): (usize, String)| {
        space.parse(text.trim()).with_context(|| format!("{path}, line {line}"))
    };
    let archs = texts.map(parse).collect::<Result<Vec<_>>>()?;
    if archs.is_empty() {
        bail!("{path} has no architectures");
    }
    Ok(archs)
}

fn page(result: &Predictions) -> String {
    let rows = result.predictions.iter().map(|predicted| {
        vec![
            format!("{:.4}", predicted.score),
            format!("{:.4} to {:.4}", predicted.interval[0], predicted.interval[1]),
            predicted.architecture.clone(),
        ]
    });
    let header = [&*format!("{} ({})", result.score.name, result.score.unit), "80 % within", "architecture"];
    plain_table(&header, &[0, 1], rows.collect())
}
