//! Runs of version 0.1, which kept no settings beside `run.toml`.

use anyhow::Result;
use nao_run::{ExpectedMeasurements, Manifest, RunFolder, Store};

use super::config::RunConfig;
use crate::task::Task;

/// The manifest of a run whose settings were not kept, with them; `None` where it has them.
///
/// # Errors
/// When the settings are not those of the trials: names each with both values.
pub fn adopted<T: Task>(
    folder: &RunFolder,
    store: &Store,
    config: &RunConfig<T>,
    data: &T::Data,
) -> Result<Option<Manifest>> {
    let space = T::space(&config.space)?;
    let (objective, fidelity) = (T::objective(), T::fidelity(&config.recipe));
    let expected = ExpectedMeasurements { seed: config.seed, objective, fidelity };
    Ok(nao_run::adopted(folder, store, config, &space, expected, |arch| {
        Ok(T::cost(arch, &config.recipe, data)?.params)
    })?)
}
