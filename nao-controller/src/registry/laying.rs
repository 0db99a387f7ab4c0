//! Settings laid over others.

use serde_json::{Map, Value};

use super::config::{StrategyConfig, StrategySettings};
use super::entry::StrategyEntry;
use super::error::StrategyError;
use super::old_shape::without_sections;

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
    let settings = base.settings.with_table(table)?;
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
