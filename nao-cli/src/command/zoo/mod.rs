//! `nao zoo`.

mod recurrent;

use anyhow::{Result, anyhow};
use nao_space::Space;
use nao_space::network::{
    Cost, Published, Skeleton, ZooEntry, ZooError, ZooGraph, ZooNetwork, recurrent_zoo_entry, zoo_networks,
};
use serde::Serialize;

use super::{print_json, print_text};
use crate::args::ZooArgs;
use crate::figures::millions;
use crate::report::plain_table;

/// One network as `nao zoo NAME --json` shows it. What does not apply is left out.
#[derive(Serialize)]
struct ZooJson {
    name: &'static str,
    #[serde(flatten)]
    cells: Option<CellsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params_with_auxiliary: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    macs: Option<u64>,
    /// Why there are no cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    cells_unknown: Option<&'static str>,
    published: Vec<Published>,
}

/// What is known of cells only.
#[derive(Serialize)]
struct CellsJson {
    space: String,
    architecture: String,
    skeleton: Skeleton,
    source: &'static str,
}

/// What to do next.
const FURTHER: &str = "one architecture:  nao zoo NAME      published results:  nao published";

pub fn run(args: ZooArgs) -> Result<()> {
    match &args.name {
        Some(name) => {
            let name = name.strip_prefix('@').unwrap_or(name);
            if let Ok(entry) = recurrent_zoo_entry(name) {
                return recurrent::show(entry, args.json);
            }
            let network = find(name)?;
            let json = describe(network)?;
            if args.json { print_json(&json) } else { print_text(&page(network, &json)) }
        }
        None => {
            let all = zoo_networks().iter().map(describe).collect::<Result<Vec<_>>>()?;
            if args.json {
                let all = all.iter().map(serde_json::to_value).chain(recurrent::all_json());
                return print_json(&all.collect::<Result<Vec<_>, _>>()?);
            }
            print_text(&format!("{}\n\nrecurrent cells\n{}\n{FURTHER}", list(&all), recurrent::list()?))
        }
    }
}

fn find(name: &str) -> Result<&'static ZooNetwork> {
    let found = zoo_networks().iter().find(|network| network.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let error = ZooError::Unknown { name: name.to_owned() };
        anyhow!("{error}; recurrent ones: {}", nao_space::network::recurrent_zoo_names())
    })
}

fn describe(network: &ZooNetwork) -> Result<ZooJson> {
    let name = network.name();
    let published = network.published().to_vec();
    let bare = |cost: Option<Cost>| ZooJson {
        name,
        cells: None,
        params: cost.map(|cost| cost.params),
        params_with_auxiliary: None,
        macs: cost.map(|cost| cost.macs),
        cells_unknown: None,
        published: published.clone(),
    };
    Ok(match network {
        ZooNetwork::Cells(entry) => {
            let with_auxiliary = entry.plan(&entry.skeleton.with_auxiliary(true))?;
            ZooJson {
                cells: Some(cells(entry)),
                params_with_auxiliary: Some(with_auxiliary.cost_with_auxiliary().params),
                ..bare(Some(with_auxiliary.cost()))
            }
        }
        ZooNetwork::Graph(ZooGraph { plan, .. }) => bare(Some(plan.cost())),
        ZooNetwork::Unpublished(unknown) => ZooJson { cells_unknown: Some(unknown.known), ..bare(None) },
    })
}

fn cells(entry: &ZooEntry) -> CellsJson {
    CellsJson {
        space: entry.space.name(),
        architecture: entry.space.format(&entry.arch),
        skeleton: entry.skeleton,
        source: entry.source,
    }
}

fn list(all: &[ZooJson]) -> String {
    let rows = all.iter().map(|entry| {
        let count = |count: Option<u64>| count.map_or("-".into(), millions);
        let (space, skeleton) = match (&entry.cells, entry.cells_unknown) {
            (Some(CellsJson { space, skeleton, .. }), _) => {
                (space.clone(), format!("N={} F={}", skeleton.cells_per_stage, skeleton.width))
            }
            (None, Some(_)) => ("cell not published".into(), "-".into()),
            (None, None) => ("no cells".into(), "-".into()),
        };
        let figure = entry.published.first();
        vec![
            entry.name.to_owned(),
            space,
            skeleton,
            count(entry.params),
            count(entry.params_with_auxiliary),
            count(entry.macs),
            figure.map_or("-".into(), |figure| format!("{} % {}", figure.error_percent, figure.data)),
        ]
    });
    let header = ["name", "space", "skeleton", "params", "with aux head", "MACs", "published error"];
    plain_table(&header, &[3, 4, 5], rows.collect())
}

fn page(network: &ZooNetwork, json: &ZooJson) -> String {
    let name = json.name;
    let mut text = match (network, &json.cells) {
        (ZooNetwork::Cells(entry), Some(CellsJson { space, architecture, skeleton, source })) => format!(
            "{name}  ({space})\n\n  {architecture}\n\n  network with N={} F={}, as {} builds it: {} parameters, {} \
             with auxiliary head, {} MACs\n  cells from: {source}\n",
            skeleton.cells_per_stage,
            skeleton.width,
            entry.skeleton.convention,
            json.params.unwrap_or_default(),
            json.params_with_auxiliary.unwrap_or_default(),
            millions(json.macs.unwrap_or_default()),
        ),
        (ZooNetwork::Unpublished(unknown), _) => {
            format!("{name}  (cell not published)\n\n  {}\n", unknown.known)
        }
        _ => format!(
            "{name}  (not made of cells)\n\n  {} parameters, {} MACs\n",
            json.params.unwrap_or_default(),
            millions(json.macs.unwrap_or_default()),
        ),
    };
    let rows = json.published.iter().map(|figure| {
        vec![
            figure.data.to_owned(),
            format!("{} %", figure.error_percent),
            figure.params_millions.map_or("-".into(), |params| format!("{params} M")),
            figure.setting.to_owned(),
            figure.source.to_owned(),
        ]
    });
    let header = ["published on", "error", "params", "setting", "source"];
    text.push('\n');
    text.push_str(&plain_table(&header, &[1, 2], rows.collect()));
    if json.cells.is_some() {
        text.push_str(&format!("\ndraw it:   nao draw @{name} -o cell.svg\n"));
    }
    text
}
