//! From what a person typed about a strategy to its configuration.

use serde_json::{Map, Value};

use super::config::{StrategyConfig, StrategySettings};
use super::entry::StrategyEntry;
use super::error::StrategyError;
use super::laying::{laid_over, take_word};
use super::strategies::Strategies;

/// What settings are laid over.
#[derive(Clone, Copy, Debug)]
pub enum Base<'a> {
    /// The defaults of the named strategy, `nao` where none is named.
    New {
        /// How many parents a controller of the authors moves, where that is not its own default.
        parents: Option<usize>,
    },
    /// The configuration of a run that goes on.
    Stored(&'a StrategyConfig),
}

/// A configuration, and what had no part in it.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The configuration.
    pub config: StrategyConfig,
    /// The places of what was given and means nothing for this strategy, such as `strategy.pnas`.
    pub idle: Vec<String>,
}

impl Strategies {
    /// The configuration of settings laid over a base: `name`, `preset` and settings side by side, or in the sections of
    /// version 0.1.
    ///
    /// # Errors
    /// When there is no strategy or preset of that name, or no such setting: names it.
    pub fn configure(
        &self,
        mut typed: Map<String, Value>,
        base: Base<'_>,
    ) -> Result<Configured, StrategyError> {
        let name = take_word(&mut typed, "name")?;
        let stored = match base {
            Base::Stored(stored) => Some(stored),
            Base::New { .. } => None,
        };
        let name =
            name.or_else(|| stored.map(|stored| stored.name.clone())).unwrap_or_else(|| "nao".to_owned());
        let entry = self.entry(&name)?;
        refuse_preset_of_short_form(entry, &typed)?;
        let goes_on = stored.filter(|stored| stored.name == entry.name);
        let mut config = goes_on.cloned().unwrap_or_else(|| entry.config());
        if let Base::New { parents: Some(parents) } = base {
            // The preset is chosen first: only a controller has parents.
            if let Some(preset) = typed.get("preset").and_then(Value::as_str).filter(|_| entry.has_presets())
            {
                config.settings = StrategySettings::of_preset(preset, &config.settings)?;
            }
            if let StrategySettings::Controller { config, .. } = &mut config.settings {
                config.seeds = parents;
            }
        }
        let (config, idle) = laid_over(entry, config, typed)?;
        Ok(Configured { config, idle })
    }
}

/// A short form has chosen its preset.
fn refuse_preset_of_short_form(
    entry: &StrategyEntry,
    typed: &Map<String, Value>,
) -> Result<(), StrategyError> {
    let config = entry.config();
    match (typed.get("preset").and_then(Value::as_str), config.preset()) {
        (Some(typed), Some(own)) if entry.name != entry.stands_for && typed != own => {
            Err(StrategyError::Setting {
                place: "preset".to_owned(),
                message: format!(
                    "{} is {} with the preset {own}, and {typed} is asked for: name one of them",
                    entry.name, entry.stands_for
                ),
            })
        }
        _ => Ok(()),
    }
}
