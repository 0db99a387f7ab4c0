//! `nao train`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use nao_child::recipe::Score;
use nao_child::{ImageData, Recipe, Split, TrainError, TrainOptions, train_network};
use nao_space::network::{Cost, NetworkPlan};
use nao_space::{Fidelity, Objective, Space};
use serde::Serialize;

use super::{interrupt_flag, print_json, print_text};
use crate::arch_argument::{NamedArch, arch_of_run, read_arch};
use crate::args::TrainArgs;
use crate::data::{DataSource, device};
use crate::failure::{Interrupted, RunFailed};
use crate::files::write_whole;
use crate::report::{TrainProgress, millions};
use crate::run::{free_name, named_recipe, overlay_recipe};

/// What a training leaves in `result.json` and prints with `--json`.
#[derive(Serialize)]
struct TrainResult {
    architecture: String,
    space: String,
    objective: Objective,
    value: f64,
    /// The epoch whose weights were kept, counted from 1.
    epoch: u32,
    last_value: f64,
    fidelity: Fidelity,
    seed: u64,
    params: u64,
    params_with_auxiliary: u64,
    macs: u64,
    weights: PathBuf,
}

/// What a training is, resolved: `train.toml`, and what `--dry-run` prints.
#[derive(Serialize)]
struct TrainConfig<'a> {
    architecture: String,
    space: String,
    data: &'a DataSource,
    seed: u64,
    device: &'a str,
    recipe: &'a Recipe,
}

pub fn run(args: TrainArgs) -> Result<()> {
    let (named, data) = subject(&args)?;
    let images = data.load()?;
    let recipe = match &args.recipe {
        Some(name) => named_recipe(name)?,
        None => {
            final_recipe(&images).with_context(|| format!("no recipe for {data}: name one with --recipe"))?
        }
    };
    let recipe = overlay_recipe(&recipe, args.epochs, &args.settings)?;
    recipe.check(&images)?;
    let plan = NetworkPlan::new(&named.arch, &recipe.skeleton(&images))?;
    let device_word = args.device.as_deref().unwrap_or("cpu");
    let on = device(device_word)?;
    let architecture = named.space.format(&named.arch);
    let space = named.space.name();
    let config = TrainConfig {
        architecture: architecture.clone(),
        space: space.clone(),
        data: &data,
        seed: args.seed,
        device: device_word,
        recipe: &recipe,
    };
    let config = toml::to_string(&config).context("the configuration has no TOML form")?;
    if args.dry_run {
        return print_text(&config);
    }
    let folder = create_folder(&args, &data)?;
    write_whole(&folder.join("train.toml"), config.as_bytes())?;
    let split = split(images, &recipe)?;
    if !args.json {
        print_text(&introduction(&named, &plan, &recipe, &split, &folder))?;
    }

    let weights = folder.join("weights.safetensors");
    let options = TrainOptions {
        best: Some(weights.clone()),
        measure_every_epoch: recipe.score == Score::BestEpoch,
        ..TrainOptions::default()
    };
    let mut progress = TrainProgress::new(recipe.epochs, interrupt_flag()?);
    let trained = train_network(&plan, &recipe, &split, args.seed, &on, &options, &mut progress);
    let trained = trained.map_err(|error| match error {
        TrainError::Interrupted => {
            anyhow::Error::new(Interrupted(format!("stopped; what was trained is in {}", folder.display())))
        }
        error @ TrainError::NotFinite { .. } => RunFailed(error.to_string()).into(),
        error => error.into(),
    })?;
    drop(progress);
    let curve = serde_json::to_vec_pretty(&trained.epochs).context("a curve has no JSON form")?;
    write_whole(&folder.join("curve.json"), &curve)?;
    let Cost { params, macs, .. } = plan.cost();
    let result = TrainResult {
        architecture,
        space,
        objective: Objective { split: split.held_out_name.into(), ..Objective::validation_accuracy() },
        value: trained.accuracy,
        epoch: trained.scored_epoch,
        last_value: trained.last.accuracy,
        fidelity: recipe.fidelity(),
        seed: args.seed,
        params,
        params_with_auxiliary: plan.cost_with_auxiliary().params,
        macs,
        weights,
    };
    write_whole(&folder.join("result.json"), &serde_json::to_vec_pretty(&result)?)?;
    if args.json { print_json(&result) } else { print_text(&conclusion(&result)) }
}

/// The architecture and the images: from a run, or as named.
fn subject(args: &TrainArgs) -> Result<(NamedArch, DataSource)> {
    let named_data = args.data.as_deref().map(str::parse).transpose()?;
    if let Some(run) = &args.from {
        let (named, _, config) = arch_of_run(run, args.rank)?;
        return Ok((named, named_data.unwrap_or(config.data)));
    }
    let text = args.arch.as_deref().context("name an architecture with --arch, or a run with --from")?;
    Ok((read_arch(text, &args.space)?, named_data.unwrap_or(DataSource::Digits)))
}

/// The recipe with which a found cell is trained to the end on that data.
fn final_recipe(images: &ImageData) -> Option<Recipe> {
    let fitting = |recipe: &Recipe| recipe.name == format!("{}-final", images.name);
    Recipe::all().into_iter().find(fitting)
}

/// All images against the test images (spec e.1), or a validation split where there are none.
fn split(images: Arc<ImageData>, recipe: &Recipe) -> Result<Split> {
    if images.test_len() > 0 {
        return Ok(Split::test(images)?);
    }
    let held_out = recipe.validation_images(&images);
    Ok(Split::validation(images, held_out, recipe.split_seed)?)
}

fn create_folder(args: &TrainArgs, data: &DataSource) -> Result<PathBuf> {
    let path = args.out.clone().unwrap_or_else(|| free_name(&format!("train-{}", data.word())));
    if path.exists() {
        bail!("{} exists already: choose another --out", path.display());
    }
    std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(path)
}

fn introduction(
    named: &NamedArch,
    plan: &NetworkPlan,
    recipe: &Recipe,
    split: &Split,
    folder: &Path,
) -> String {
    let cost = plan.cost();
    format!(
        "training {} ({} parameters, {} MACs) with recipe {}\non {} images, judged on {} {} images\nfolder {}",
        named.name,
        millions(cost.params),
        millions(cost.macs),
        recipe.fidelity(),
        split.train.len(),
        split.held_out.len(),
        split.held_out_name,
        folder.display()
    )
}

fn conclusion(result: &TrainResult) -> String {
    let TrainResult { objective, value, epoch, fidelity, weights, .. } = result;
    format!(
        "{} {} {value:.4} (error {:.2} %) after epoch {epoch} of {}; {fidelity}\nweights {}",
        objective.split,
        objective.name,
        100.0 * (1.0 - value),
        fidelity.epochs,
        weights.display()
    )
}
