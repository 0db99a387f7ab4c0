//! Architectures named on the command line: `@NAME`, a string of their space, a JSON file, or a place in a run.

use std::path::Path;

use anyhow::{Context, Result, bail};
use nao_run::RunFolder;
use nao_run::files::read_text;
use nao_space::Space;
use nao_space::network::recurrent_zoo_entry;

use crate::args::{CellOptions, SpaceKind};
use crate::report::{BestEntry, best_entries};
use crate::run::{RunConfig, RunContents};
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
}

/// The kind of an architecture, where its text shows it: a recurrent cell of the zoo or in JSON.
pub fn kind_of_arch(text: &str) -> Option<SpaceKind> {
    let recurrent = match text.strip_prefix('@') {
        Some(name) => recurrent_zoo_entry(name).is_ok(),
        // What is wrong with the file is said where it is read.
        None => is_file(text) && std::fs::read_to_string(text).is_ok_and(|json| json.contains("\"nao-rnn\"")),
    };
    recurrent.then_some(SpaceKind::Rnn)
}

fn is_file(text: &str) -> bool {
    text.ends_with(".json") || Path::new(text).is_file()
}

/// Reads `@NAME`, a string of the space or a JSON file.
pub fn read_arch<T: Task>(text: &str, options: &CellOptions) -> Result<NamedArch<T>> {
    if let Some(name) = text.strip_prefix('@') {
        let (space, arch, published) = T::published(name)?;
        let name = T::published_name(published).to_owned();
        return Ok(NamedArch { name, space, arch, published: Some(published) });
    }
    let space = T::space_of(options)?;
    let (name, arch) = if is_file(text) {
        let path = Path::new(text);
        let arch = T::from_json(&space, &read_text(path)?).with_context(|| path.display().to_string())?;
        (path.file_stem().map_or("cell".into(), |stem| stem.to_string_lossy().into_owned()), arch)
    } else {
        let arch = space.parse(text).with_context(|| {
            let others = match T::KIND {
                SpaceKind::Cnn => "--ops, --nodes, --space rnn",
                SpaceKind::Rnn => "--nodes, --order, --space cnn",
            };
            format!("not an architecture of {} (others: {others}, @NAME)", space.name())
        })?;
        ("cell".to_owned(), arch)
    };
    Ok(NamedArch { name, space, arch, published: None })
}

/// An architecture of a run by its rank, with the run's configuration.
pub fn arch_of_run<T: Task>(path: &Path, rank: usize) -> Result<(NamedArch<T>, BestEntry, RunConfig<T>)> {
    let folder = RunFolder::open(path)?;
    let config = folder.config::<T>()?;
    let space = T::space(&config.space)?;
    let trials = folder.store_to_read()?.trials()?;
    if rank == 0 {
        bail!("--rank counts from 1");
    }
    let best = best_entries(&trials, rank);
    let Some(entry) = best.get(rank - 1) else {
        bail!("{} has {} measured trials, none of rank {rank}", path.display(), best.len());
    };
    let arch = space.parse(&entry.architecture).context("the store is damaged")?;
    let name = format!("trial {} of {}", entry.trial, path.display());
    Ok((NamedArch { name, space, arch, published: None }, entry.clone(), config))
}
