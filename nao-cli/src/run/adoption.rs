//! Runs of version 0.1, which kept no settings beside `run.toml`. The first resume keeps them, unless what the run has
//! measured shows that they are not its own.

use anyhow::Result;
use nao_run::{RunFolder, Store, StoredTrial, TrialStatus, parse_stored};

use super::config::RunConfig;
use super::contents::RunContents;
use super::definition::{Difference, refuse_changed};
use super::manifest::Manifest;
use super::settings_file::{RUN_FILE, in_json};
use crate::cells::{CellSpace, NamedRecipe};

/// The manifest of a run whose settings were not kept, with them; `None` where it has them.
///
/// # Errors
/// When seed, space, fidelity, objective or the size of networks are not those of the trials: names each with both values.
pub fn adopted<R: NamedRecipe>(
    folder: &RunFolder,
    store: &Store,
    config: &RunConfig<R>,
    data: &R::Data,
) -> Result<Option<Manifest>> {
    let manifest = folder.manifest()?;
    if manifest.has_settings() {
        return Ok(None);
    }
    let space = R::Space::of_settings(&config.space)?;
    let trials = store.trials()?;
    for trial in &trials {
        parse_stored(&space, trial.id, &trial.arch, &trial.key)?;
    }
    let mut differences: Vec<Difference> =
        Difference::of("seed", manifest.seed, config.seed).into_iter().collect();
    differences.extend(of_first_measured(&space, &trials, config, data)?);
    refuse_changed(&differences, folder.path().display(), RUN_FILE)?;
    Ok(Some(manifest.with_objective(R::objective()).with_settings(config)))
}

/// What the first measurement shows of how it came about.
fn of_first_measured<R: NamedRecipe>(
    space: &R::Space,
    trials: &[StoredTrial],
    config: &RunConfig<R>,
    data: &R::Data,
) -> Result<Vec<Difference>> {
    let measured = trials.iter().find_map(|trial| match &trial.status {
        TrialStatus::Done(measurement) => Some((trial, measurement)),
        _ => None,
    });
    let Some((trial, measurement)) = measured else { return Ok(Vec::new()) };
    let (stored, now) = (&measurement.fidelity, config.recipe.fidelity());
    let arch = parse_stored(space, trial.id, &trial.arch, &trial.key)?;
    let params = config.recipe.cost(&arch, data)?.params;
    let compared = [
        Difference::of("objective", in_json(&measurement.objective), in_json(&R::objective())),
        Difference::of("recipe.name", &stored.recipe, &now.recipe),
        Difference::of("recipe.epochs", stored.epochs, now.epochs),
        Difference::of(&format!("parameters of trial {}", trial.id), measurement.params, params),
    ];
    Ok(compared.into_iter().flatten().collect())
}
