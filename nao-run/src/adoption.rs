//! Runs of version 0.1, which kept no settings beside `run.toml`. The first resume keeps them, unless what the run has
//! measured shows that they are not its own.

use std::error::Error;

use nao_space::{Fidelity, Objective, Space};

use crate::error::{Result, RunError};
use crate::folder::RunFolder;
use crate::manifest::Manifest;
use crate::settings::{Configuration, Difference, RUN_FILE, in_json, refuse_changed};
use crate::store::{Store, StoredTrial, TrialStatus};
use crate::stored_arch::parse_stored;

/// What settings say of the measurements that are made with them.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedMeasurements {
    /// The seed of the run.
    pub seed: u64,
    /// What is measured.
    pub objective: Objective,
    /// How thoroughly.
    pub fidelity: Fidelity,
}

/// The manifest of a run whose settings were not kept, with them; `None` where it has them. `params` gives the trainable
/// scalars of an architecture by these settings.
///
/// # Errors
/// When seed, space, fidelity, objective or the size of networks are not those of the trials: names each with both values.
pub fn adopted<C: Configuration, S: Space>(
    folder: &RunFolder,
    store: &Store,
    config: &C,
    space: &S,
    expected: ExpectedMeasurements,
    params: impl FnOnce(&S::Arch) -> Result<u64, Box<dyn Error + Send + Sync>>,
) -> Result<Option<Manifest>> {
    let manifest = folder.manifest()?;
    if manifest.has_settings() {
        return Ok(None);
    }
    let trials = store.trials()?;
    for trial in &trials {
        parse_stored(space, trial.id, &trial.arch, &trial.key)?;
    }
    let mut differences: Vec<Difference> =
        Difference::of("seed", manifest.seed, expected.seed).into_iter().collect();
    differences.extend(of_first_measured(space, &trials, &expected, params)?);
    refuse_changed(&differences, folder.path().display(), RUN_FILE)?;
    Ok(Some(manifest.with_objective(expected.objective).with_settings(config)))
}

/// What the first measurement shows of how it came about.
fn of_first_measured<S: Space>(
    space: &S,
    trials: &[StoredTrial],
    expected: &ExpectedMeasurements,
    params: impl FnOnce(&S::Arch) -> Result<u64, Box<dyn Error + Send + Sync>>,
) -> Result<Vec<Difference>> {
    let measured = trials.iter().find_map(|trial| match &trial.status {
        TrialStatus::Done(measurement) => Some((trial, measurement)),
        _ => None,
    });
    let Some((trial, measurement)) = measured else { return Ok(Vec::new()) };
    let (stored, now) = (&measurement.fidelity, &expected.fidelity);
    let arch = parse_stored(space, trial.id, &trial.arch, &trial.key)?;
    let uncounted = || format!("cannot count the parameters of trial {}", trial.id);
    let params = params(&arch).map_err(|source| RunError::Text { what: uncounted(), source })?;
    let compared = [
        Difference::of("objective", in_json(&measurement.objective), in_json(&expected.objective)),
        Difference::of("recipe.name", &stored.recipe, &now.recipe),
        Difference::of("recipe.epochs", stored.epochs, now.epochs),
        Difference::of(&format!("parameters of trial {}", trial.id), measurement.params, params),
    ];
    Ok(compared.into_iter().flatten().collect())
}
