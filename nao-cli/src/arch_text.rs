//! Texts of architectures as they are typed: `@NAME`, text of their space in any form, or a file of it.

use std::path::Path;

use anyhow::{Context, Result};
use nao_run::files::read_text;
use nao_space::network::{ZooError, recurrent_zoo_entry, recurrent_zoo_names, zoo_entry};
use nao_space::notation::{cnn_to_json, named_text, read_arch as read_in_any_form, rnn_to_json};

use crate::args::SpaceKind;
use crate::space_argument::AnySpace;

/// The kind of an architecture, where its text shows it: a recurrent cell of the zoo or in JSON.
pub fn kind_of_arch(text: &str) -> Option<SpaceKind> {
    let recurrent = match text.strip_prefix('@') {
        Some(name) => recurrent_zoo_entry(name).is_ok(),
        // What is wrong with a file is said where it is read.
        None => content(text).is_ok_and(|(_, text)| text.contains("\"nao-rnn\"")),
    };
    recurrent.then_some(SpaceKind::Rnn)
}

/// Whether a text names a file.
pub fn is_file(text: &str) -> bool {
    let is_inline = text.trim_start().starts_with(['{', '"', '[', '(']) || text.contains('\n');
    !is_inline && (text.ends_with(".json") || Path::new(text).is_file())
}

/// The text itself, or that of the file that it names, and what to call it.
pub fn content(text: &str) -> Result<(String, String)> {
    if !is_file(text) {
        return Ok(("cell".to_owned(), text.to_owned()));
    }
    let path = Path::new(text);
    let name = path.file_stem().map_or("cell".into(), |stem| stem.to_string_lossy().into_owned());
    Ok((name, read_text(path)?))
}

/// The text that a JSON object has under `architecture`, as results and rankings have; otherwise the text itself.
pub fn text_within(text: String) -> String {
    let object = serde_json::from_str::<serde_json::Value>(&text).ok();
    object.as_ref().and_then(named_text).map_or(text, str::to_owned)
}

/// The text of an architecture: what was typed, or what stands in the file that it names.
pub fn text_of(typed: &str) -> Result<String> {
    Ok(text_within(content(typed)?.1))
}

/// Reads an architecture of a space of any kind: `@NAME` where it belongs to the space, text in any form, or a file of it.
pub fn read_of_space<S: AnySpace>(space: &S, text: &str) -> Result<S::Arch> {
    let not_one = || format!("not an architecture of {}", space.name());
    if let Some(name) = text.strip_prefix('@') {
        let json = match recurrent_zoo_entry(name) {
            Ok(entry) => rnn_to_json(&entry.arch),
            Err(_) => cnn_to_json(&zoo_entry(name).map_err(with_recurrent_names)?.arch),
        };
        return space.read_json(&json).with_context(|| format!("{text} is {}", not_one()));
    }
    let (_, found) = content(text)?;
    let of_file = if is_file(text) { format!("{text}: ") } else { String::new() };
    read_in_any_form(space, &found).with_context(|| format!("{of_file}{}", not_one()))
}

/// Why the zoo has no such cells, with the recurrent ones that it has.
pub fn with_recurrent_names(error: ZooError) -> anyhow::Error {
    match error {
        ZooError::Unknown { .. } => {
            anyhow::anyhow!("{error}; recurrent ones: {}", recurrent_zoo_names())
        }
        other => other.into(),
    }
}
