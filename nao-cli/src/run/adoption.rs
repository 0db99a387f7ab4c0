//! Runs of version 0.1, which kept no settings beside `run.toml`.

use anyhow::Result;
use nao_run::{ExpectedMeasurements, Manifest, RunFolder, Store};

use super::config::RunConfig;
use crate::cells::{CellSpace, NamedRecipe};

/// The manifest of a run whose settings were not kept, with them; `None` where it has them.
///
/// # Errors
/// When the settings are not those of the trials: names each with both values.
pub fn adopted<R: NamedRecipe>(
    folder: &RunFolder,
    store: &Store,
    config: &RunConfig<R>,
    data: &R::Data,
) -> Result<Option<Manifest>> {
    let space = R::Space::of_settings(&config.space)?;
    let (objective, fidelity) = (R::objective(), config.recipe.fidelity());
    let expected = ExpectedMeasurements { seed: config.seed, objective, fidelity };
    Ok(nao_run::adopted(folder, store, config, &space, expected, |arch| {
        Ok(config.recipe.cost(arch, data)?.params)
    })?)
}
