//! Settings as TOML tables that are laid over one another: a file, then single settings, then flags.

use std::path::Path;

use serde::Serialize;
use toml::{Table, Value};

use super::reading::in_text;
use crate::error::{Result, RunError, bail};
use crate::files::read_text;

/// The settings of a file that a person has written.
///
/// # Errors
/// When it cannot be read or is no TOML: names the line.
pub fn read_settings(path: &Path) -> Result<Table> {
    let text = read_text(path)?;
    let read = text.parse();
    read.map_err(|error| RunError::Refused(format!("{}, {}", path.display(), in_text(&error, &text))))
}

/// `a.b=1` as a table. A value that is no TOML, such as a bare word, is a string.
///
/// # Errors
/// When there is no `=`.
pub fn parse_setting(setting: &str) -> Result<Table> {
    let Some((key, value)) = setting.split_once('=') else {
        bail!("`--set {setting}`: expected KEY=VALUE, such as recipe.structure.width=8");
    };
    let parsed = format!("value = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    Ok(nested(key.trim(), parsed.unwrap_or_else(|| Value::String(value.to_owned()))))
}

/// A value as the only one of a table, in the sections that `key` names: `a.b`.
pub fn nested(key: &str, value: Value) -> Table {
    let mut table = Table::new();
    match key.split_once('.') {
        None => table.insert(key.to_owned(), value),
        Some((section, rest)) => table.insert(section.to_owned(), Value::Table(nested(rest, value))),
    };
    table
}

/// Lays `upper` over `lower`, table by table.
pub fn overlay(lower: &mut Table, upper: Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}

/// Plain data as a table.
pub fn table_of<T: Serialize>(value: &T) -> Table {
    Table::try_from(value).expect("plain structs have a TOML form")
}

/// A string of a table, or of one of its sections unless that is ""; `None` where there is none.
///
/// # Errors
/// When something else stands there.
pub fn word(table: &Table, section: &str, key: &str) -> Result<Option<String>> {
    let section = match section {
        "" => Some(table),
        name => table.get(name).and_then(Value::as_table),
    };
    let Some(value) = section.and_then(|table| table.get(key)) else { return Ok(None) };
    value
        .as_str()
        .map(|word| Some(word.to_owned()))
        .ok_or_else(|| RunError::Refused(format!("`{key}` must be a string")))
}

/// Whether a table has a value at a place.
pub fn has_key(table: &Table, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    match table.get(*first) {
        Some(_) if rest.is_empty() => true,
        Some(Value::Table(inner)) => has_key(inner, rest),
        _ => false,
    }
}
