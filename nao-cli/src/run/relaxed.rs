//! A search in a relaxed network (DARTS) in a run folder: its checkpoint, its record, and the cells that it hands on to be
//! trained alone.
//!
//! ```text
//! relaxed/search.safetensors   weights, mixtures and optimisers after the last epoch
//! relaxed/report.json          every epoch, with the cells that would have been derived then
//! ```

use std::fs;

use anyhow::{Context, Result};
use nao_child::relaxed::{RelaxedEpoch, RelaxedOutcome, RelaxedRecipe, search_relaxed};
use nao_child::{ImageData, Recipe, TrainError, TrainOptions};
use nao_run::files::write_whole;
use nao_space::network::RelaxedPlan;
use nao_space::search::{OperationHistogram, Origin, Proposal};
use nao_space::{CnnArch, Relaxation};
use serde::Serialize;

use super::in_folder::RunInFolder;
use crate::failure::{Interrupted, RunFailed, stopped_at};
use crate::progress::TrainProgress;

/// What came out of it.
pub struct DerivedOutcome<A> {
    /// The derived cells.
    pub finalists: Vec<Proposal<A>>,
    /// The record.
    pub report: RelaxedReport,
}

/// The record of a search in a relaxed network, as in `relaxed/report.json`.
#[derive(Clone, Debug, Serialize)]
pub struct RelaxedReport {
    /// How the result is chosen, in words.
    pub selection: String,
    /// Images that the weights learned from, and those that the mixtures learned from.
    pub images: [usize; 2],
    /// Every epoch.
    pub epochs: Vec<RelaxedEpoch>,
    /// The operations of the derived cells.
    pub operations: OperationHistogram,
    /// The logits that they were derived from.
    pub relaxation: Relaxation,
}

/// Checks that a relaxed network fits the images.
pub fn check_relaxed(recipe: &RelaxedRecipe, data: &ImageData) -> Result<()> {
    recipe.check(data).context("relaxed")?;
    RelaxedPlan::new(&recipe.skeleton(data)).context("no network fits these images and settings")?;
    Ok(())
}

/// Runs all epochs that are not done.
pub fn search_relaxed_network(run: RunInFolder<'_, Recipe>) -> Result<DerivedOutcome<CnnArch>> {
    let RunInFolder { folder, config, data, device, interrupt } = run;
    let recipe = config.relaxed.as_ref().context("the configuration has no section [relaxed]")?;
    let files = folder.path().join("relaxed");
    fs::create_dir_all(&files).with_context(|| format!("cannot create {}", files.display()))?;
    let split = recipe.weights.split(&data)?;
    let options = TrainOptions::kept_at(files.join("search.safetensors"));
    let mut progress = TrainProgress::new(recipe.weights.epochs, interrupt.flag());
    let outcome = interrupt
        .at_a_border(|| search_relaxed(recipe, &split, config.seed, &device, &options, &mut progress));
    drop(progress);
    let RelaxedOutcome { arch, relaxation, epochs } = outcome.map_err(|error| match error {
        TrainError::Interrupted => Interrupted(stopped_at(folder.path())).into(),
        error => anyhow::Error::from(RunFailed(error.to_string())),
    })?;
    let report = RelaxedReport {
        selection: format!(
            "the cells derived from the mixtures of the last epoch (two edges per node, the heaviest operation but none on \
             each) are trained from scratch ({})",
            config.recipe.fidelity()
        ),
        images: [split.train.len(), split.held_out.len()],
        epochs,
        operations: OperationHistogram::of([&arch]),
        relaxation,
    };
    write_whole(&files.join("report.json"), &serde_json::to_vec_pretty(&report)?)?;
    Ok(DerivedOutcome { finalists: vec![Proposal { arch, origin: Origin::Relaxed }], report })
}
