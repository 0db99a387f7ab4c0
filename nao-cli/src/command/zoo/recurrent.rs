//! Published recurrent cells in `nao zoo`.

use anyhow::Result;
use nao_space::network::{
    GeometryError, LanguageModelSkeleton, PublishedPerplexity, RecurrentEntry, recurrent_zoo,
};
use nao_space::{RnnState, Space};
use serde::Serialize;
use serde_json::Value;

use super::super::{print_json, print_text};
use crate::figures::millions;
use crate::report::plain_table;

/// One cell as `nao zoo NAME --json` shows it: with its model of the first published figure.
#[derive(Serialize)]
struct RecurrentJson {
    name: &'static str,
    space: String,
    architecture: String,
    /// The states whose mean is the output.
    averaged: Vec<RnnState>,
    source: &'static str,
    skeleton: LanguageModelSkeleton,
    params: u64,
    /// Of one word.
    macs: u64,
    published: Vec<FigureJson>,
}

/// A published figure with the parameters that we count.
#[derive(Serialize)]
struct FigureJson {
    #[serde(flatten)]
    published: PublishedPerplexity,
    params: u64,
}

/// All cells.
pub fn all_json() -> impl Iterator<Item = Result<Value, serde_json::Error>> {
    recurrent_zoo()
        .iter()
        .map(|entry| describe(entry).map_err(serde::ser::Error::custom).and_then(serde_json::to_value))
}

/// One cell, on a page or as JSON.
pub fn show(entry: &RecurrentEntry, json: bool) -> Result<()> {
    let described = describe(entry)?;
    if json { print_json(&described) } else { print_text(&page(&described)) }
}

/// All cells in a table.
pub fn list() -> Result<String> {
    let row = |entry| -> Result<Vec<String>> {
        let RecurrentJson { name, space, skeleton, params, macs, published, .. } = describe(entry)?;
        let best = published.first().map(|figure| &figure.published);
        Ok(vec![
            name.to_owned(),
            space,
            format!("V={} H={}", skeleton.vocabulary, skeleton.hidden),
            millions(params),
            millions(macs),
            best.map_or("-".into(), |figure| format!("{:?} {}", figure.perplexity, figure.data)),
        ])
    };
    let rows = recurrent_zoo().iter().map(row).collect::<Result<Vec<_>>>()?;
    let header = ["name", "space", "model", "params", "MACs per word", "published perplexity"];
    Ok(plain_table(&header, &[3, 4], rows))
}

fn describe(entry: &RecurrentEntry) -> Result<RecurrentJson, GeometryError> {
    let figure = |published: &PublishedPerplexity| -> Result<FigureJson, GeometryError> {
        let params = published.skeleton.cost(&entry.arch)?.params;
        Ok(FigureJson { published: published.clone(), params })
    };
    let skeleton = entry.published[0].skeleton;
    let cost = skeleton.cost(&entry.arch)?;
    Ok(RecurrentJson {
        name: entry.name,
        space: entry.space.name(),
        architecture: entry.space.format(&entry.arch),
        averaged: entry.mean.states(&entry.arch),
        source: entry.source,
        skeleton,
        params: cost.params,
        macs: cost.macs,
        published: entry.published.iter().map(figure).collect::<Result<_, _>>()?,
    })
}

fn page(entry: &RecurrentJson) -> String {
    let RecurrentJson { name, space, architecture, skeleton, params, macs, source, .. } = entry;
    let averaged: Vec<String> = entry.averaged.iter().map(ToString::to_string).collect();
    let rows = entry.published.iter().map(|FigureJson { published, params }| {
        vec![
            published.data.to_owned(),
            format!("{:?}", published.perplexity),
            published.params_millions.map_or("-".into(), |params| format!("{params} M")),
            params.to_string(),
            format!("H={}", published.skeleton.hidden),
            published.source.to_owned(),
        ]
    });
    let header = ["published on", "perplexity", "params", "counted", "units", "source"];
    let mut text = format!(
        "{name}  ({space})\n\n  {architecture}\n\n  language model with V={} H={}: {params} parameters, {} MACs per \
         word\n  averages the states {}\n  cell from: {source}\n\n{}\n",
        skeleton.vocabulary,
        skeleton.hidden,
        millions(*macs),
        averaged.join(" "),
        plain_table(&header, &[1, 2, 3], rows.collect()),
    );
    let mut notes: Vec<&str> = entry.published.iter().filter_map(|figure| figure.published.note).collect();
    notes.dedup();
    for note in notes {
        text.push_str(&format!("  {note}\n"));
    }
    text.push_str(&format!(
        "\ndraw it:   nao draw @{name} -o cell.svg\ntrain it:  nao train --arch @{name} --data text:DIR\n"
    ));
    text
}
