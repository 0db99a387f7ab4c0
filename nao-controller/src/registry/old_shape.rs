//! Configurations of version 0.1: each kind of strategy had a section, and a file held all of them, whatever was searched.
//! The section of the named strategy counts. Settings are still taken by these places, too: `strategy.evolution.sample`.

use serde_json::{Map, Value};

use super::config::StrategySettings;
use super::entry::StrategyEntry;

/// The sections.
pub const SECTIONS: [&str; 5] = ["nao", "structure", "evolution", "policy", "pnas"];

/// The section of a strategy with such settings.
fn section_of(settings: &StrategySettings) -> Option<&'static str> {
    match settings {
        StrategySettings::Controller { .. } => Some("nao"),
        StrategySettings::Structure(_) => Some("structure"),
        StrategySettings::Evolution(_) => Some("evolution"),
        StrategySettings::Policy(_) => Some("policy"),
        StrategySettings::Pnas(_) => Some("pnas"),
        _ => None,
    }
}

/// The same settings without sections: those of the strategy's own stand where they stand now, and what was not read is
/// `idle`. Of a table with all sections nothing is, for a program has written it, and nobody has asked for the rest.
pub(super) fn without_sections(
    entry: &StrategyEntry,
    settings: &StrategySettings,
    mut typed: Map<String, Value>,
    idle: &mut Vec<String>,
) -> Map<String, Value> {
    let is_section = |typed: &Map<String, Value>, name: &str| typed.get(name).is_some_and(Value::is_object);
    let is_whole = SECTIONS.iter().all(|name| is_section(&typed, name));
    let mut unread = Vec::new();
    let mut own = Map::new();
    for name in SECTIONS {
        if !is_section(&typed, name) {
            continue;
        }
        let Some(Value::Object(section)) = typed.remove(name) else { continue };
        match section_of(settings) == Some(name) {
            true => own = section,
            false => unread.push(format!("strategy.{name}")),
        }
    }
    for key in unread_keys(entry, &own) {
        own.remove(key);
        unread.push(format!("strategy.{}.{key}", section_of(settings).unwrap_or_default()));
    }
    // What stands where it stands now wins.
    own.extend(typed);
    if is_whole {
        idle.clear();
    } else {
        idle.extend(unread);
    }
    own
}

/// The keys of a section that were not read for this strategy: those that its name says otherwise among them.
fn unread_keys(entry: &StrategyEntry, section: &Map<String, Value>) -> Vec<&'static str> {
    let ours = Value::Object((entry.settings)().table());
    let given = Value::Object(section.clone());
    let contradicts =
        |field: &&&str| given.pointer(field).is_some_and(|value| ours.pointer(field) != Some(value));
    let fixed = entry.fixed.iter().filter(contradicts);
    let fixed = fixed.map(|field| field.trim_start_matches('/').split('/').next().unwrap_or_default());
    let unread = entry.unread_before.iter().copied().filter(|key| section.contains_key(*key));
    unread.chain(fixed).collect()
}
