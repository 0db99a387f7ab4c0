//! `nao import`: weights of the authors' PyTorch code become a folder like that of `nao train`, measured on data.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nao_child::data::DataSource;
use nao_child::names::NameConvention;
use nao_child::train::checkpoint::{load_network, save_network};
use nao_child::train::evaluate_held_out;
use nao_child::{Network, Recipe};
use nao_run::files::write_whole;
use nao_run::{TrainFolder, free_name};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, Objective, Space};
use serde::Serialize;

use super::train::{PreparedNetwork, Trainable, manifest, resolve};
use super::{print_json, print_text};
use crate::args::{ImportArgs, SpaceKind, TrainArgs};
use crate::cells::CellSpace;
use crate::device::device;
use crate::registries::Registries;
use crate::report::say_origin;

/// What an import leaves in `result.json` and prints with `--json`.
#[derive(Serialize)]
struct ImportResult {
    architecture: String,
    space: String,
    imported_from: PathBuf,
    objective: Objective,
    value: f64,
    loss: f64,
    params: u64,
    params_with_auxiliary: u64,
    weights: PathBuf,
}

pub fn run(args: ImportArgs, known: &Registries) -> Result<()> {
    refuse_pickles(&args.weights)?;
    if args.space.space == Some(SpaceKind::Rnn) {
        bail!("--space rnn: weights of image cells alone can be imported");
    }
    let (source, json, convention) = (args.weights.clone(), args.json, args.names.convention());
    let args = as_training(args);
    let (config, arch, data) = resolve::<Recipe>(&args, known)?;
    let data = data.context("weights are measured on images: name some with --data")?;
    let prepared = Recipe::prepare(&config, &arch, data.clone())?;
    let PreparedNetwork { plan, split, .. } = &prepared;
    let on = device(&config.device)?;
    let blank = Network::new(plan, &mut rng_for(0, "weights", 0), &on);
    let network = load_network(blank, plan, convention, &source)?;
    let evaluation = evaluate_held_out(&network, &config.recipe, split, &on);

    let path = args.out.unwrap_or_else(|| {
        free_name(&format!("import-{}", config.data.as_ref().map_or("data", DataSource::word)))
    });
    let folder = TrainFolder::create(&path, &config, &manifest::<Recipe>(&config, &prepared), &[])?;
    save_network(&network, plan, NameConvention::V1, &folder.weights())?;
    say_origin::<Recipe>(&data);
    let result = ImportResult {
        architecture: config.architecture.clone(),
        space: CnnSpace::of_settings(&config.space)?.name(),
        imported_from: source,
        objective: Objective { split: split.held_out_name.into(), ..Objective::validation_accuracy() },
        value: evaluation.accuracy,
        loss: evaluation.loss,
        params: plan.cost().params,
        params_with_auxiliary: plan.cost_with_auxiliary().params,
        weights: folder.weights(),
    };
    write_whole(&folder.result(), &serde_json::to_vec_pretty(&result)?)?;
    if json { print_json(&result) } else { print_text(&conclusion(&result)) }
}

/// An import is a training whose weights exist already.
fn as_training(args: ImportArgs) -> TrainArgs {
    TrainArgs {
        arch: Some(args.arch),
        from: None,
        init_from: None,
        rank: None,
        space: args.space,
        data: args.data,
        recipe: args.recipe,
        epochs: None,
        settings: args.settings,
        seed: None,
        device: args.device,
        out: args.out,
        dry_run: false,
        json: args.json,
    }
}

/// What `torch.save` writes is a zip archive with a program inside, which is not run here.
fn refuse_pickles(path: &Path) -> Result<()> {
    let mut start = [0; 4];
    let is_zip =
        File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"PK\x03\x04";
    if is_zip {
        bail!(
            "{} is a file of torch.save; write the state dict with safetensors.torch.save_file(model.state_dict(), FILE)",
            path.display()
        );
    }
    Ok(())
}

fn conclusion(result: &ImportResult) -> String {
    let ImportResult { objective, value, loss, weights, .. } = result;
    format!(
        "{} {} {value:.4} (error {:.2} %), loss {loss:.4}\nweights {}",
        objective.split,
        objective.name,
        100.0 * (1.0 - value),
        weights.display()
    )
}
