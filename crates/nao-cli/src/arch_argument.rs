//! Architectures named on the command line: `@NAME`, a NAO string, a JSON file, or a place in a run.

use std::path::Path;

use anyhow::{Context, Result, bail};
use nao_space::network::{ZooEntry, zoo_entry};
use nao_space::notation::cnn_from_json;
use nao_space::{CnnArch, CnnSpace, OpSet, Space};

use crate::args::SpaceOptions;
use crate::files::read_text;
use crate::report::{BestEntry, best_entries};
use crate::run::{RunConfig, RunFolder};

/// An architecture with the space in which it is written.
pub struct NamedArch {
    /// What to call it.
    pub name: String,
    /// Its space.
    pub space: CnnSpace,
    /// The architecture.
    pub arch: CnnArch,
    /// The entry of the zoo that it is. It says which code base's network is meant and what its cells concatenate.
    pub published: Option<&'static ZooEntry>,
}

/// The space of the options.
pub fn space_of(options: &SpaceOptions) -> Result<CnnSpace> {
    let ops = match &options.ops {
        Some(name) => OpSet::named(name)?,
        None => OpSet::paper_11(),
    };
    Ok(CnnSpace::new(options.nodes.unwrap_or(5), ops)?)
}

/// Reads `@NAME`, a NAO string or a JSON file.
pub fn read_arch(text: &str, options: &SpaceOptions) -> Result<NamedArch> {
    if let Some(name) = text.strip_prefix('@') {
        let entry = zoo_entry(name)?;
        let (space, arch) = (entry.space.clone(), entry.arch.clone());
        return Ok(NamedArch { name: entry.name.into(), space, arch, published: Some(entry) });
    }
    let space = space_of(options)?;
    let path = Path::new(text);
    let (name, arch) = if text.ends_with(".json") || path.is_file() {
        let arch = cnn_from_json(&read_text(path)?).with_context(|| path.display().to_string())?;
        space.check(&arch).with_context(|| path.display().to_string())?;
        (path.file_stem().map_or("cell".into(), |stem| stem.to_string_lossy().into_owned()), arch)
    } else {
        let arch = space.parse(text).with_context(|| {
            format!("not an architecture of {} (others: --ops, --nodes, @NAME)", space.name())
        })?;
        ("cell".to_owned(), arch)
    };
    Ok(NamedArch { name, space, arch, published: None })
}

/// An architecture of a run by its rank, with the run's configuration.
pub fn arch_of_run(path: &Path, rank: usize) -> Result<(NamedArch, BestEntry, RunConfig)> {
    let folder = RunFolder::open(path)?;
    let config = folder.config()?;
    let space = config.space.space()?;
    let trials = folder.store()?.trials()?;
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
