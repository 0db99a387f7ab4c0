//! `nao predict`: scores of architectures by a predictor of `nao fit`.

use anyhow::{Context, Result, bail};
use nao_controller::{CheapKind, PredictedScore, Predictor, PredictorFile, ScoreKind};
use nao_run::files::read_record;
use nao_space::Space;
use nao_space::table::{separator_hint, unpacked_text};
use serde::Serialize;

use super::fit::finite;
use super::{print_json, print_text};
use crate::args::{AnySpaceOptions, PredictArgs};
use crate::output::tell;
use crate::progress::cost_in_words;
use crate::registries::Registries;
use crate::report::plain_table;
use crate::space_argument::AnySpace;

/// One architecture, the best first.
#[derive(Serialize)]
struct Predicted {
    architecture: String,
    /// In the unit of the scores learned from; never outside of their range.
    score: f64,
    /// Whether it ranks beyond all of them, so that `score` is just the best or the worst of them.
    is_beyond: bool,
    /// Where the score lies with 80 % probability.
    interval: [f64; 2],
    /// The cheap label on which the prediction rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    cheap: Option<f64>,
    /// Mean and deviation on the scale by which architectures are ranked: normal scores of merits.
    rank_mean: f64,
    rank_deviation: f64,
}

#[derive(Serialize)]
struct Predictions {
    #[serde(flatten)]
    score: ScoreKind,
    /// The cheap label on which the predictions rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    cheap: Option<CheapKind>,
    /// How many architectures were learned from.
    learned_from: usize,
    /// The smallest and the largest score learned from: predictions and intervals never leave them.
    range: [f64; 2],
    predictions: Vec<Predicted>,
}

/// An architecture that is asked for.
struct PredictionRequest<A> {
    arch: A,
    /// The cheap label, where the predictor rests on one.
    cheap: Option<f64>,
}

pub fn run(args: PredictArgs, known: &Registries) -> Result<()> {
    let text = read_record(&args.predictor)?;
    let no_predictor = || format!("{} is no predictor of `nao fit`", args.predictor.display());
    let file = PredictorFile::from_json(&text).with_context(no_predictor)?;
    let (path, space) = (args.predictor.display(), file.space());
    let given = args.space.given().into_iter().find(|(_, given)| *given);
    let options = match (file.options().is_empty(), given) {
        (false, None) => file.options().read::<AnySpaceOptions>().with_context(no_predictor)?,
        (false, Some((flag, _))) => {
            bail!("--{flag} has no effect: {path} says itself that its space is {space}")
        }
        (true, Some(_)) => args.space.clone(),
        (true, None) => bail!(
            "{path} was saved by another program and does not say how its space {space} is named here: name it with \
             --space and the options of that space"
        ),
    };
    options.make(&known.spaces)?.predict(args, file)
}

/// Predicts in a space of whatever kind.
pub fn in_space<S: AnySpace>(space: &S, args: PredictArgs, file: PredictorFile) -> Result<()> {
    let asked = read_asked(space, &args, file.cheap())?;
    let predictor = take_up(space, &file, &args).with_context(|| args.predictor.display().to_string())?;
    let archs: Vec<S::Arch> = asked.iter().map(|asked| asked.arch.clone()).collect();
    let predicted = match file.cheap() {
        Some(_) => {
            let cheap: Vec<f64> = asked.iter().filter_map(|asked| asked.cheap).collect();
            predictor.predict_with_cheap(&archs, &cheap)?
        }
        None => predictor.predict(&archs)?,
    };
    let rows = asked.iter().zip(predicted).map(|(request, predicted)| row(space, request, predicted));
    let mut predictions: Vec<Predicted> = rows.collect();
    predictions.sort_by(|a, b| b.rank_mean.total_cmp(&a.rank_mean));
    let predictions = Predictions {
        score: predictor.score().clone(),
        cheap: predictor.cheap().cloned(),
        learned_from: predictor.learned_from(),
        range: predictor.score_range(),
        predictions,
    };
    if args.json { print_json(&predictions) } else { print_text(&page(&predictions)) }
}

fn row<S: Space>(space: &S, asked: &PredictionRequest<S::Arch>, predicted: PredictedScore) -> Predicted {
    Predicted {
        architecture: space.format(&asked.arch),
        score: predicted.score,
        is_beyond: predicted.is_beyond,
        interval: predicted.interval,
        cheap: asked.cheap,
        rank_mean: predicted.rank.mean,
        rank_deviation: predicted.rank.deviation,
    }
}

/// The predictor as it was fitted; one of version 1 is fitted again.
fn take_up<S: AnySpace>(space: &S, file: &PredictorFile, args: &PredictArgs) -> Result<Predictor<S>> {
    if let Some(cost) = file.refit_cost() {
        tell(format_args!(
            "{} is of version 1, which keeps what was learned from, not what was learned: it is fitted again, which \
             takes {}; `nao fit --output` of today spares that",
            args.predictor.display(),
            cost_in_words(cost)
        ));
    }
    Ok(Predictor::of_file(space, file)?)
}

/// The architectures of a CSV file with a column `architecture`, or of a file with one per line; with their cheap labels,
/// which a CSV file alone can give.
fn read_asked<S: Space>(
    space: &S,
    args: &PredictArgs,
    cheap: Option<&CheapKind>,
) -> Result<Vec<PredictionRequest<S::Arch>>> {
    let path = args.architectures.display();
    let text = unpacked_text(&args.architectures)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().with_context(|| format!("{path} is no text"))?.clone();
    let place = |name: &str| headers.iter().position(|header| header == name);
    let label = match cheap {
        Some(CheapKind { column, .. }) => match place("architecture").and(place(column)) {
            Some(place) => Some((column, place)),
            None => bail!(
                "{} rests on the cheap label `{column}`: {path} must be a CSV file with the columns `architecture` and \
                 `{column}`{}",
                args.predictor.display(),
                separator_hint(&headers)
            ),
        },
        None => None,
    };
    let mut asked = Vec::new();
    let mut read = |line: usize, text: &str, cheap: Option<f64>| -> Result<()> {
        let arch = space.parse(text.trim()).with_context(|| format!("{path}, line {line}"))?;
        asked.push(PredictionRequest { arch, cheap });
        Ok(())
    };
    match place("architecture") {
        Some(column) => {
            for (row, record) in reader.records().enumerate() {
                let record = record.with_context(|| format!("{path}, line {}", row + 2))?;
                let text = record.get(column).unwrap_or_default();
                if text.trim().is_empty() {
                    continue;
                }
                let number = |(name, place): (&String, usize)| {
                    let value = record.get(place).unwrap_or_default().trim();
                    finite(value).with_context(|| {
                        format!("{path}, line {}, column {name}: `{value}` is no finite number", row + 2)
                    })
                };
                read(row + 2, text, label.map(number).transpose()?)?;
            }
        }
        None => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            for (row, line) in lines {
                read(row + 1, line, None)?;
            }
        }
    }
    if asked.is_empty() {
        bail!("{path} has no architectures");
    }
    Ok(asked)
}

fn page(result: &Predictions) -> String {
    let rows = result.predictions.iter().map(|predicted| {
        vec![
            format!("{:.4}{}", predicted.score, if predicted.is_beyond { " *" } else { "" }),
            format!("{:.4} to {:.4}", predicted.interval[0], predicted.interval[1]),
            predicted.architecture.clone(),
        ]
    });
    let header = [&*format!("{} ({})", result.score.name, result.score.unit), "80 % within", "architecture"];
    let mut text = plain_table(&header, &[0, 1], rows.collect());
    if let Some(CheapKind { column, .. }) = &result.cheap {
        text = format!("cheap label: {column}\n{text}");
    }
    let [low, high] = result.range;
    text.push_str(&format!(
        "\nthe predictor learned ranks of {} scores from {low:.4} to {high:.4}: no prediction leaves that range",
        result.learned_from
    ));
    if result.predictions.iter().any(|predicted| predicted.is_beyond) {
        text.push_str("\n* ranks beyond all of them; how far beyond is not known");
    }
    text
}

#[cfg(test)]
mod tests {
    use nao_space::seed::rng_for;
    use nao_space::{Direction, NasBench201Space};

    use super::*;

    #[test]
    fn the_space_of_a_predictor_of_a_program_of_ones_own_is_named_on_the_command_line() {
        let folder = tempfile::tempdir().unwrap();
        let [model, cells] = ["model.json", "cells.txt"].map(|name| folder.path().join(name));
        let (space, mut rng) = (NasBench201Space::default(), rng_for(1, "own", 0));
        let archs: Vec<_> = (0..8).map(|_| space.sample(&mut rng)).collect();
        let pairs = archs.iter().cloned().zip((1..).map(f64::from));
        Predictor::fit(&space, pairs, Direction::Maximize).unwrap().save(&model).unwrap();
        std::fs::write(&cells, space.format(&archs[0])).unwrap();
        let predict = |name: Option<&str>| {
            let space = name.map(str::to_owned);
            let space = AnySpaceOptions { space, ops: None, nodes: None, encoding: None, order: None };
            run(
                PredictArgs { predictor: model.clone(), architectures: cells.clone(), space, json: true },
                &Registries::default(),
            )
        };
        let error = predict(None).unwrap_err().to_string();
        assert!(error.contains("nasbench201") && error.contains("--space"), "{error}");
        predict(Some("nasbench201")).unwrap();
        // The cell is none of another space, or else the predictor is not.
        predict(Some("darts")).unwrap_err();
    }
}
