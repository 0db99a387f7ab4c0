//! The files of settings that runs and trainings go by.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reading::in_text;
use crate::error::{Result, RunError, bail};
use crate::files::read_text;
use crate::shell::quoted;

/// That of a run.
pub const RUN_FILE: &str = "run.toml";

/// That of a training.
pub const TRAINING_FILE: &str = "train.toml";

/// Reads a configuration that this program has written.
///
/// # Errors
/// When it cannot be read, or is none: names the line.
pub fn read_toml<C: DeserializeOwned>(path: &Path) -> Result<C> {
    let text = read_text(path)?;
    toml::from_str(&text).map_err(|error| {
        RunError::Damaged(format!("{} is damaged, {}", path.display(), in_text(&error, &text)))
    })
}

/// A value as JSON, to be compared and shown.
pub fn in_json<V: Serialize>(value: &V) -> String {
    serde_json::to_string(value).expect("plain data is JSON")
}

/// Refuses to make a folder where something is, or by the name of standard output, where other commands write what is one
/// file. Only of what can be gone on with it is said that it can.
///
/// # Errors
/// When something is there, or the name is `-`.
pub fn refuse_existing(path: &Path) -> Result<()> {
    if path == Path::new("-") {
        bail!("--out - is standard output, and this makes a folder: give its name (./- is one)");
    }
    if !path.exists() {
        return Ok(());
    }
    let can_go_on = [RUN_FILE, TRAINING_FILE].iter().any(|file| path.join(file).is_file());
    let remedy =
        if can_go_on { format!(", or go on with it: nao resume {}", quoted(path)) } else { String::new() };
    bail!("{} exists already: choose another --out{remedy}", path.display())
}
