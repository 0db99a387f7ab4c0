//! `nao train`, and `nao resume` of a training.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use nao_child::recipe::Score;
use nao_child::{ImageData, Recipe, Split, TrainError, TrainOptions, train_network};
use nao_space::network::{Cost, NetworkPlan, Skeleton, zoo_entry};
use nao_space::{CnnArch, CnnSpace, Fidelity, Objective, Space};
use serde::Serialize;

use super::{interrupt_flag, print_json, print_text};
use crate::arch_argument::{NamedArch, arch_of_run, read_arch};
use crate::args::TrainArgs;
use crate::data::{DataSource, device};
use crate::failure::{Interrupted, RunFailed};
use crate::files::write_whole;
use crate::report::{TrainProgress, millions};
use crate::run::{SpaceConfig, TrainConfig, TrainFolder, free_name, named_recipe, overlay_recipe};

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

/// A training that is checked and can begin.
pub(super) struct Prepared {
    pub(super) config: TrainConfig,
    pub(super) space: CnnSpace,
    pub(super) plan: NetworkPlan,
    pub(super) split: Split,
}

pub fn run(args: TrainArgs) -> Result<()> {
    let prepared = resolve(&args)?;
    if args.dry_run {
        return print_text(&prepared.config.to_toml());
    }
    let path = args.out.unwrap_or_else(|| free_name(&format!("train-{}", prepared.config.data.word())));
    let folder = TrainFolder::create(&path, &prepared.config)?;
    carry_out(&prepared, &folder, args.json)
}

/// The training that the arguments describe, checked.
pub(super) fn resolve(args: &TrainArgs) -> Result<Prepared> {
    let (named, data) = subject(args)?;
    let images = data.load()?;
    let recipe = match &args.recipe {
        Some(name) => named_recipe(name)?,
        None => {
            final_recipe(&images).with_context(|| format!("no recipe for {data}: name one with --recipe"))?
        }
    };
    let config = TrainConfig {
        architecture: named.space.format(&named.arch),
        published: named.published.map(|entry| entry.name.to_owned()),
        data,
        seed: args.seed,
        device: args.device.clone().unwrap_or_else(|| "cpu".to_owned()),
        space: SpaceConfig::of(&named.space),
        recipe: overlay_recipe(&recipe, args.epochs, &args.settings)?,
    };
    prepare(config, images)
}

/// The training of a folder.
pub(super) fn of_folder(folder: &TrainFolder) -> Result<Prepared> {
    let config = folder.config()?;
    let images = config.data.load()?;
    prepare(config, images)
}

/// Goes on with a training from its last epoch.
pub fn resume(folder: &TrainFolder, json: bool) -> Result<()> {
    if folder.weights().is_file() && !folder.checkpoint().is_file() {
        bail!(
            "{} holds imported weights, not a training: there is nothing to go on with",
            folder.path().display()
        );
    }
    carry_out(&of_folder(folder)?, folder, json)
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

fn prepare(config: TrainConfig, images: Arc<ImageData>) -> Result<Prepared> {
    let recipe = &config.recipe;
    recipe.check(&images)?;
    device(&config.device)?;
    let space = config.space.space()?;
    let arch = space.parse(&config.architecture)?;
    let plan = plan(&arch, config.published.as_deref(), recipe.skeleton(&images))?;
    // All images against the test images (spec e.1), or a validation split where there are none.
    let split = if images.test_len() > 0 {
        Split::test(images)?
    } else {
        let held_out = recipe.validation_images(&images);
        Split::validation(images, held_out, recipe.split_seed)?
    };
    Ok(Prepared { config, space, plan, split })
}

/// The network on the recipe's skeleton; of a published architecture the one that was published.
fn plan(arch: &CnnArch, published: Option<&str>, skeleton: Skeleton) -> Result<NetworkPlan> {
    let Some(name) = published else { return Ok(NetworkPlan::new(arch, &skeleton)?) };
    let entry = zoo_entry(name)?;
    let Skeleton { convention, reduction, .. } = entry.skeleton;
    Ok(NetworkPlan::with_outputs(arch, &entry.outputs, &Skeleton { convention, reduction, ..skeleton })?)
}

fn carry_out(prepared: &Prepared, folder: &TrainFolder, json: bool) -> Result<()> {
    let Prepared { config, plan, split, .. } = prepared;
    let recipe = &config.recipe;
    if !json {
        print_text(&introduction(prepared, folder))?;
    }
    let options = TrainOptions {
        checkpoint: Some(folder.checkpoint()),
        best: Some(folder.weights()),
        measure_every_epoch: recipe.score == Score::BestEpoch,
        ..TrainOptions::default()
    };
    let mut progress = TrainProgress::new(recipe.epochs, interrupt_flag()?);
    let on = device(&config.device)?;
    let trained = train_network(plan, recipe, split, config.seed, &on, &options, &mut progress);
    let trained = trained.map_err(|error| match error {
        TrainError::Interrupted => {
            let message = format!("stopped; go on with:  nao resume {}", folder.path().display());
            anyhow::Error::new(Interrupted(message))
        }
        error @ TrainError::NotFinite { .. } => RunFailed(error.to_string()).into(),
        error => error.into(),
    })?;
    drop(progress);
    let curve = serde_json::to_vec_pretty(&trained.epochs).context("a curve has no JSON form")?;
    write_whole(&folder.curve(), &curve)?;
    let Cost { params, macs, .. } = plan.cost();
    let result = TrainResult {
        architecture: config.architecture.clone(),
        space: prepared.space.name(),
        objective: Objective { split: split.held_out_name.into(), ..Objective::validation_accuracy() },
        value: trained.accuracy,
        epoch: trained.scored_epoch,
        last_value: trained.last.accuracy,
        fidelity: recipe.fidelity(),
        seed: config.seed,
        params,
        params_with_auxiliary: plan.cost_with_auxiliary().params,
        macs,
        weights: folder.weights(),
    };
    write_whole(&folder.result(), &serde_json::to_vec_pretty(&result)?)?;
    if json { print_json(&result) } else { print_text(&conclusion(&result)) }
}

fn introduction(prepared: &Prepared, folder: &TrainFolder) -> String {
    let Prepared { config, plan, split, .. } = prepared;
    let cost = plan.cost();
    format!(
        "training {} ({} parameters, {} MACs) with recipe {}\non {} images of {}, judged on {} {} images\n\
         folder {}",
        config.architecture,
        millions(cost.params),
        millions(cost.macs),
        config.recipe.fidelity(),
        split.train.len(),
        config.data,
        split.held_out.len(),
        split.held_out_name,
        folder.path().display()
    )
}

fn conclusion(result: &TrainResult) -> String {
    let TrainResult { objective, value, epoch, fidelity, weights, .. } = result;
    format!(
        "{} {} {value:.4} (error {:.2} %) with the weights of epoch {epoch}; {fidelity}\nweights {}",
        objective.split,
        objective.name,
        100.0 * (1.0 - value),
        weights.display()
    )
}
