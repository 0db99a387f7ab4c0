//! Where two configurations differ, field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use toml::{Table, Value};

use super::table::table_of;
use crate::error::{Result, bail};

/// A setting that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its place, such as `recipe.structure.width`.
    pub field: String,
    /// Its value in the run, as TOML.
    pub stored: String,
    /// Its value elsewhere, as TOML.
    pub other: String,
}

impl Difference {
    /// Where two values differ; `None` where they do not.
    pub fn of(field: &str, stored: impl fmt::Display, other: impl fmt::Display) -> Option<Self> {
        let (stored, other) = (stored.to_string(), other.to_string());
        (stored != other).then(|| Difference { field: field.to_owned(), stored, other })
    }

    /// In words: `seed: 3 in the run, 4 in run.toml`.
    pub fn words(&self, place: &str) -> String {
        format!("{}: {} in the run, {} {place}", self.field, self.stored, self.other)
    }
}

/// Many differences in words, those of a whole message.
pub fn all_words(differences: &[Difference], place: &str) -> String {
    differences.iter().map(|difference| difference.words(place)).collect::<Vec<_>>().join("; ")
}

/// Where two configurations differ, field by field in order, but for the `free` fields and sections: those may.
pub fn differences<C: Serialize>(stored: &C, other: &C, free: &[&str]) -> Vec<Difference> {
    let (stored, other) = (fields(&table_of(stored)), fields(&table_of(other)));
    let is_free = |field: &str| {
        free.iter()
            .any(|free| field.strip_prefix(free).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    let value = |fields: &BTreeMap<String, String>, field: &str| {
        fields.get(field).cloned().unwrap_or_else(|| "not set".to_owned())
    };
    let names: BTreeSet<&String> = stored.keys().chain(other.keys()).collect();
    let compared = names.into_iter().filter(|field| !is_free(field));
    compared.filter_map(|field| Difference::of(field, value(&stored, field), value(&other, field))).collect()
}

/// Refuses a file in a folder whose settings are not those that it had.
///
/// # Errors
/// Names each setting with both values.
pub fn refuse_changed(differences: &[Difference], folder: impl fmt::Display, file: &str) -> Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    bail!(
        "{folder} was started with other settings than {file} has now; put the old ones back, or start anew for the new \
         ones: {}",
        all_words(differences, &format!("in {file}"))
    )
}

/// All values of a table, as TOML, by their places such as `recipe.structure.width`.
pub fn fields(table: &Table) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    table.iter().for_each(|(key, value)| flatten(key.clone(), value, &mut fields));
    fields
}

fn flatten(place: String, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => {
            table.iter().for_each(|(key, value)| flatten(format!("{place}.{key}"), value, into))
        }
        other => {
            into.insert(place, other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_named_by_place_and_what_is_free_is_none() {
        let stored = json!({ "seed": 1, "data": "here", "recipe": { "width": 2, "data": "any" }, "execution": { "workers": 1 } });
        let other = json!({
            "seed": 1, "data": "there", "recipe": { "width": 12, "data": "mine", "clip": 0.5 }, "execution": { "device": "cpu" },
        });
        let found = differences(&stored, &other, &["data", "execution", "rounds.budget"]);
        let words: Vec<String> = found.iter().map(|difference| difference.words("asked")).collect();
        assert_eq!(
            words,
            [
                "recipe.clip: not set in the run, 0.5 asked",
                "recipe.data: \"any\" in the run, \"mine\" asked",
                "recipe.width: 2 in the run, 12 asked",
            ]
        );
        assert!(differences(&stored, &stored, &[]).is_empty());
        let message = refuse_changed(&found, "runs/a", "run.toml").unwrap_err().to_string();
        assert!(message.contains("recipe.width: 2 in the run, 12 in run.toml"), "{message}");
    }
}
