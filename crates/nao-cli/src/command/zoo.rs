//! `nao zoo`.

use anyhow::Result;
use nao_space::Space;
use nao_space::network::{Published, Skeleton, ZooEntry, zoo, zoo_entry};
use serde::Serialize;

use super::{print_json, print_text};
use crate::args::ZooArgs;
use crate::report::{millions, plain_table};

/// One architecture as `nao zoo NAME --json` shows it.
#[derive(Serialize)]
struct ZooJson {
    name: &'static str,
    space: String,
    architecture: String,
    skeleton: Skeleton,
    params: u64,
    params_with_auxiliary: u64,
    macs: u64,
    published: Vec<Published>,
}

pub fn run(args: ZooArgs) -> Result<()> {
    match &args.name {
        Some(name) => {
            let entry = zoo_entry(name.strip_prefix('@').unwrap_or(name))?;
            if args.json { print_json(&describe(entry)?) } else { print_text(&page(entry)?) }
        }
        None => {
            let all = zoo().iter().map(describe).collect::<Result<Vec<_>>>()?;
            if args.json { print_json(&all) } else { print_text(&list(&all)) }
        }
    }
}

fn describe(entry: &ZooEntry) -> Result<ZooJson> {
    let with_auxiliary = entry.plan(&entry.skeleton.with_auxiliary(true))?;
    let cost = with_auxiliary.cost();
    Ok(ZooJson {
        name: entry.name,
        space: entry.space.name(),
        architecture: entry.space.format(&entry.arch),
        skeleton: entry.skeleton,
        params: cost.params,
        params_with_auxiliary: with_auxiliary.cost_with_auxiliary().params,
        macs: cost.macs,
        published: entry.published.clone(),
    })
}

fn list(all: &[ZooJson]) -> String {
    let rows = all.iter().map(|entry| {
        let figure = entry.published.first();
        vec![
            entry.name.to_owned(),
            entry.space.clone(),
            format!("N={} F={}", entry.skeleton.cells_per_stage, entry.skeleton.width),
            millions(entry.params),
            millions(entry.params_with_auxiliary),
            millions(entry.macs),
            figure.map_or("-".into(), |figure| format!("{} % {}", figure.error_percent, figure.data)),
        ]
    });
    let header = ["name", "space", "skeleton", "params", "with aux head", "MACs", "published error"];
    plain_table(&header, &[3, 4, 5], rows.collect())
}

fn page(entry: &ZooEntry) -> Result<String> {
    let json = describe(entry)?;
    let mut text = format!(
        "{}  ({})\n\n  {}\n\n  CIFAR-10 network, N={} F={}: {} parameters, {} with auxiliary head, {} MACs\n\n",
        json.name,
        json.space,
        json.architecture,
        json.skeleton.cells_per_stage,
        json.skeleton.width,
        json.params,
        json.params_with_auxiliary,
        millions(json.macs),
    );
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
    text.push_str(&plain_table(&header, &[1, 2], rows.collect()));
    text.push_str(&format!("\ndraw it:   nao draw @{0} -o cell.svg\n", json.name));
    Ok(text)
}
