//! Architectures named on the command line: `@NAME`, text of their space in any form, a file of it, or a place in a run.

use std::path::Path;

use anyhow::{Context, Result, bail};
use nao_run::files::read_text;
use nao_run::{RankedTrial, Ranking, RunFolder, parse_stored};
use nao_space::Space;
use nao_space::counted;
use nao_space::network::{RECURRENT_ZOO_NAMES, ZooError, recurrent_zoo_entry, zoo_entry};
use nao_space::notation::{cnn_to_json, named_text, read_arch as read_in_any_form, rnn_to_json};

use crate::args::{CellOptions, SpaceKind};
use crate::cell_network::CellNetwork;
use crate::flags::refuse_idle;
use crate::run::{RunConfig, RunContents};
use crate::space_argument::AnySpace;
use crate::task::{Arch, Task};

/// An architecture with the space in which it is written.
pub struct NamedArch<T: Task> {
    /// What to call it.
    pub name: String,
    /// Its space.
    pub space: T::Space,
    /// The architecture.
    pub arch: Arch<T>,
    /// The entry of the zoo that it is. It says which code base's network is meant and what its cells concatenate or
    /// average.
    pub published: Option<&'static T::Published>,
    /// What else is known about its network.
    pub network: CellNetwork,
}

/// The kind of an architecture, where its text shows it: a recurrent cell of the zoo or in JSON.
pub fn kind_of_arch(text: &str) -> Option<SpaceKind> {
    let recurrent = match text.strip_prefix('@') {
        Some(name) => recurrent_zoo_entry(name).is_ok(),
        // What is wrong with a file is said where it is read.
        None => content(text).is_ok_and(|(_, text)| text.contains("\"nao-rnn\"")),
    };
    recurrent.then_some(SpaceKind::Rnn)
}

fn is_file(text: &str) -> bool {
    let is_inline = text.trim_start().starts_with(['{', '"', '[', '(']) || text.contains('\n');
    !is_inline && (text.ends_with(".json") || Path::new(text).is_file())
}

/// The text itself, or that of the file that it names, and what to call it.
fn content(text: &str) -> Result<(String, String)> {
    if !is_file(text) {
        return Ok(("cell".to_owned(), text.to_owned()));
    }
    let path = Path::new(text);
    let name = path.file_stem().map_or("cell".into(), |stem| stem.to_string_lossy().into_owned());
    Ok((name, read_text(path)?))
}

/// Reads `@NAME`, text of the space in any form, or a file of it.
pub fn read_arch<T: Task>(text: &str, options: &CellOptions) -> Result<NamedArch<T>> {
    if let Some(name) = text.strip_prefix('@') {
        let (space, arch, published) = T::published(name)?;
        refuse_idle(options.given(), &format!("{text} is published with its space and its network"))?;
        let name = T::published_name(published).to_owned();
        return Ok(NamedArch {
            name,
            space,
            arch,
            published: Some(published),
            network: CellNetwork::default(),
        });
    }
    let (name, found) = content(text)?;
    let found = text_within(found);
    let (space, arch, network) = T::read(&found, options).with_context(|| {
        let others = match T::KIND {
            SpaceKind::Cnn => "--ops, --nodes, --space rnn",
            SpaceKind::Rnn => "--nodes, --order, --space cnn",
        };
        let of_file = if is_file(text) { format!("{text}: ") } else { String::new() };
        let space = T::space_of(options).map_or_else(|_| "the space".to_owned(), |space| space.name());
        format!("{of_file}not an architecture of {space} (others: {others}, @NAME)")
    })?;
    let network = network.with_flag(options.convention)?;
    Ok(NamedArch { name, space, arch, published: None, network })
}

/// The text that a JSON object has under `architecture`, as results and rankings have; otherwise the text itself.
fn text_within(text: String) -> String {
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
            anyhow::anyhow!("{error}; recurrent ones: {}", RECURRENT_ZOO_NAMES.join(", "))
        }
        other => other.into(),
    }
}

/// An architecture of a run by its rank, with the run's configuration.
pub fn arch_of_run<T: Task>(path: &Path, rank: usize) -> Result<(NamedArch<T>, RankedTrial, RunConfig<T>)> {
    let folder = RunFolder::open(path)?;
    let config = folder.config::<T>()?;
    let space = T::space(&config.space)?;
    let trials = folder.store_to_read()?.trials()?;
    if rank == 0 {
        bail!("--rank counts from 1");
    }
    let best = Ranking::of(&trials, rank).entries;
    let Some(entry) = best.get(rank - 1) else {
        bail!("{} has {}, none of rank {rank}", path.display(), counted(best.len(), "ranked trial"));
    };
    let arch = parse_stored(&space, entry.trial, &entry.architecture, &entry.key)?;
    let name = format!("trial {} of {}", entry.trial, path.display());
    let network = T::network_of(&config.recipe);
    Ok((NamedArch { name, space, arch, published: None, network }, entry.clone(), config))
}
