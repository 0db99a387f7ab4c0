//! Architectures named on the command line: `@NAME`, text of their space in any form, a file of it, or a place in a run.

use std::path::Path;

use anyhow::{Context, Result, bail};
use nao_child::ArchOf;
use nao_run::{RankedTrial, Ranking, RunFolder, parse_stored};
use nao_space::{Space, counted};

use crate::arch_text::{content, is_file, text_within};
use crate::args::{CellOptions, SpaceKind};
use crate::cell_network::CellNetwork;
use crate::cells::{CellSpace, NamedRecipe, PublishedOf};
use crate::flags::refuse_idle;
use crate::run::{RunConfig, RunContents};

/// An architecture with the space in which it is written.
pub struct NamedArch<R: NamedRecipe> {
    /// What to call it.
    pub name: String,
    /// Its space.
    pub space: R::Space,
    /// The architecture.
    pub arch: ArchOf<R>,
    /// The entry of the zoo that it is. It says which code base's network is meant and what its cells concatenate or
    /// average.
    pub published: Option<&'static PublishedOf<R>>,
    /// What else is known about its network.
    pub network: CellNetwork,
}

/// Reads `@NAME`, text of the space in any form, or a file of it.
pub fn read_arch<R: NamedRecipe>(text: &str, options: &CellOptions) -> Result<NamedArch<R>> {
    if let Some(name) = text.strip_prefix('@') {
        let (space, arch, published) = R::Space::published(name)?;
        refuse_idle(options.given(), &format!("{text} is published with its space and its network"))?;
        let name = R::Space::published_name(published).to_owned();
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
    let (space, arch, network) = R::Space::read(&found, options).with_context(|| {
        let others = match R::Space::KIND {
            SpaceKind::Cnn => "--ops, --nodes, --space rnn",
            SpaceKind::Rnn => "--nodes, --order, --space cnn",
        };
        let of_file = if is_file(text) { format!("{text}: ") } else { String::new() };
        let space =
            R::Space::of_options(options).map_or_else(|_| "the space".to_owned(), |space| space.name());
        format!("{of_file}not an architecture of {space} (others: {others}, @NAME)")
    })?;
    let network = network.with_flag(options.convention)?;
    Ok(NamedArch { name, space, arch, published: None, network })
}

/// An architecture of a run by its rank, with the run's configuration.
pub fn arch_of_run<R: NamedRecipe>(
    path: &Path,
    rank: usize,
) -> Result<(NamedArch<R>, RankedTrial, RunConfig<R>)> {
    let folder = RunFolder::open(path)?;
    let config = folder.config::<R>()?;
    let space = R::Space::of_settings(&config.space)?;
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
    let network = CellNetwork::of_recipe(&config.recipe);
    Ok((NamedArch { name, space, arch, published: None, network }, entry.clone(), config))
}
