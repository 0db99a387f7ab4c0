//! The strategies that a user can name.

use anyhow::{Result, bail};
use burn::tensor::Device;
use nao_controller::NaoSearch;
use nao_space::CnnSpace;
use nao_space::search::{RandomSearch, Strategy};

use crate::run::RunConfig;

/// The names, for messages.
const NAMES: [&str; 2] = ["nao", "random"];

/// Refuses a name that [`build`] does not know.
pub fn check_name(name: &str) -> Result<()> {
    if !NAMES.contains(&name) {
        bail!("unknown strategy `{name}`; known are {}", NAMES.join(", "));
    }
    Ok(())
}

/// The strategy of a run.
pub fn build<'a>(
    config: &RunConfig,
    space: &'a CnnSpace,
    device: &Device,
) -> Result<Box<dyn Strategy<CnnSpace> + 'a>> {
    check_name(&config.strategy.name)?;
    if config.strategy.name == "random" {
        return Ok(Box::new(RandomSearch::new(space, config.seed)));
    }
    Ok(Box::new(NaoSearch::new(space, config.strategy.nao.clone(), config.seed, device.clone())?))
}
