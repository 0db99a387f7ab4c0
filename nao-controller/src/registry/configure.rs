//! From what a person typed about a strategy to its configuration.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::old_shape::without_sections;
use super::{Strategies, StrategyConfig, StrategyEntry, StrategyError, StrategySettings};

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

/// Settings of an entry laid over a configuration of it, and the places of those that mean nothing.
pub(super) fn laid_over(
    entry: &StrategyEntry,
    mut base: StrategyConfig,
    mut typed: Map<String, Value>,
) -> Result<(StrategyConfig, Vec<String>), StrategyError> {
    let mut idle = Vec::new();
    if !matches!(base.settings, StrategySettings::Own(_)) {
        let preset = take_word(&mut typed, "preset")?;
        match (preset, base.preset().map(str::to_owned)) {
            (Some(typed), Some(own)) if typed != own => {
                base.settings = StrategySettings::of_preset(&typed, &base.settings)?;
            }
            (Some(_), None) => idle.push("strategy.preset".to_owned()),
            _ => {}
        }
        typed = without_sections(entry, &base.settings, typed, &mut idle);
    }
    let mut table = base.settings.table();
    refuse_unknown(&base, &table, &typed)?;
    overlay(&mut table, typed);
    let settings = with_table(base.settings, table)?;
    let config = StrategyConfig { settings, ..base };
    check_fixed(entry, &config)?;
    Ok((config, idle))
}

/// Refuses settings of a strategy that has none.
fn refuse_unknown(
    base: &StrategyConfig,
    table: &Map<String, Value>,
    typed: &Map<String, Value>,
) -> Result<(), StrategyError> {
    match typed.keys().next().filter(|_| table.is_empty()) {
        Some(key) => Err(StrategyError::Setting {
            place: key.clone(),
            message: format!("strategy {} has no settings", base.name),
        }),
        None => Ok(()),
    }
}

/// The same settings with the values of a table.
fn with_table(
    settings: StrategySettings,
    table: Map<String, Value>,
) -> Result<StrategySettings, StrategyError> {
    Ok(match settings {
        StrategySettings::Evolution(_) => StrategySettings::Evolution(read(table)?),
        StrategySettings::Policy(_) => StrategySettings::Policy(read(table)?),
        StrategySettings::Pnas(_) => StrategySettings::Pnas(read(table)?),
        StrategySettings::Structure(_) => StrategySettings::Structure(read(table)?),
        StrategySettings::Controller { preset, .. } => {
            StrategySettings::Controller { preset, config: read(table)? }
        }
        StrategySettings::Own(_) => StrategySettings::Own(table),
        none => none,
    })
}

/// A table as the settings that it should be.
pub(super) fn read<C: DeserializeOwned>(table: Map<String, Value>) -> Result<C, StrategyError> {
    serde_path_to_error::deserialize(Value::Object(table)).map_err(|error| StrategyError::Setting {
        place: error.path().to_string(),
        message: error.inner().to_string(),
    })
}

/// Refuses settings that the name of the strategy says otherwise.
fn check_fixed(entry: &StrategyEntry, config: &StrategyConfig) -> Result<(), StrategyError> {
    let [ours, given] = [entry.config(), config.clone()].map(|config| Value::Object(config.settings.table()));
    for field in entry.fixed {
        if ours.pointer(field) != given.pointer(field) {
            let shown = |value: &Value| value.pointer(field).map_or("nothing".to_owned(), Value::to_string);
            return Err(StrategyError::Fixed {
                name: config.name.clone(),
                field: field.trim_start_matches('/'),
                expected: shown(&ours),
                found: shown(&given),
            });
        }
    }
    Ok(())
}

/// Takes a word out of a table.
pub(super) fn take_word(table: &mut Map<String, Value>, key: &str) -> Result<Option<String>, StrategyError> {
    match table.remove(key) {
        None => Ok(None),
        Some(Value::String(word)) => Ok(Some(word)),
        Some(other) => {
            Err(StrategyError::Setting { place: key.to_owned(), message: format!("{other} is not a word") })
        }
    }
}

/// Lays `upper` over `lower`, table by table.
fn overlay(lower: &mut Map<String, Value>, upper: Map<String, Value>) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => overlay(below, above),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}
