//! The architectures with which a search begins: from what was typed to the notation of its space.

use std::path::Path;

use anyhow::{Context, Result, bail};
use nao_child::ArchOf;
use nao_run::files::read_text;
use nao_space::search::{StartingWith, Strategy};
use nao_space::{Space, counted};

use super::config::RunConfig;
use crate::arch_text::read_of_space;
use crate::cell_network::{CellNetwork, convention_word};
use crate::cells::{CellSpace, NamedRecipe};

/// What was typed, in the notation of the space: `@NAME`, text in any form, a file of it, or `@FILE` with one per line.
pub fn in_notation<R: NamedRecipe>(config: &RunConfig<R>) -> Result<Vec<String>> {
    let space = R::Space::of_settings(&config.space)?;
    let mut texts = Vec::new();
    for typed in &config.start_with {
        match typed.strip_prefix('@').map(Path::new).filter(|path| path.is_file()) {
            Some(path) => texts.extend(lines(path)?),
            None => texts.push(typed.clone()),
        }
    }
    let read = |text: &String| -> Result<String> {
        let arch = read_of_space(&space, text)?;
        check_network(config, text)?;
        Ok(space.format(&arch))
    };
    texts.iter().map(|text| read(text).with_context(|| format!("--start-with {text}"))).collect()
}

/// The architectures of a file, one per line.
fn lines(path: &Path) -> Result<Vec<String>> {
    let text = read_text(path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    if lines.is_empty() {
        bail!("--start-with @{}: the file names no architecture", path.display());
    }
    Ok(lines)
}

/// Refuses cells that mean another network than the search trains: they would be measured as what they are not.
fn check_network<R: NamedRecipe>(config: &RunConfig<R>, text: &str) -> Result<()> {
    let said = match text.strip_prefix('@') {
        Some(name) => R::Space::network_of_published(R::Space::published(name)?.2),
        None => R::Space::network_in(text)?,
    };
    let ours = CellNetwork::of_recipe(&config.recipe);
    let CellNetwork { convention: Some(convention), concatenates } = said else { return Ok(()) };
    if Some(convention) != ours.convention {
        let word = convention_word(convention);
        bail!(
            "it means a network of {word}, and this search trains others: add --set recipe.structure.convention={word}, or \
             give the cell in the notation of the space (nao space check prints it)"
        );
    }
    if concatenates.is_some() {
        bail!("its cells concatenate states of their own choice, which no cell of a search does");
    }
    Ok(())
}

/// Checks that the first round has room for all that are given, and that no two of them are spellings of one.
pub fn check<R: NamedRecipe>(config: &RunConfig<R>) -> Result<()> {
    let given = &config.start_with;
    if given.is_empty() {
        return Ok(());
    }
    if config.sharing.is_some() || config.relaxed.is_some() {
        bail!(
            "start_with is for searches that train every cell alone: strategy {} chooses its cells first",
            config.strategy.name
        );
    }
    let room = config.rounds.initial.min(config.rounds.budget);
    if given.len() as u64 > room {
        bail!(
            "start_with has {}, and the first round {}: raise rounds.initial",
            counted(given.len(), "architecture"),
            counted(room, "trial")
        );
    }
    let space = R::Space::of_settings(&config.space)?;
    let mut keys = Vec::with_capacity(given.len());
    for text in given {
        let key = space.key(&space.parse(text).context("start_with")?);
        if let Some(first) = keys.iter().position(|known| *known == key) {
            bail!("start_with: `{text}` and `{}` are spellings of one architecture", given[first]);
        }
        keys.push(key);
    }
    Ok(())
}

/// The strategy, beginning with what is given.
pub fn starting<R: NamedRecipe>(
    config: &RunConfig<R>,
    space: &R::Space,
    strategy: Box<dyn Strategy<R::Space>>,
) -> Result<Box<dyn Strategy<R::Space>>> {
    if config.start_with.is_empty() {
        return Ok(strategy);
    }
    let archs: Result<Vec<ArchOf<R>>, _> = config.start_with.iter().map(|text| space.parse(text)).collect();
    Ok(Box::new(StartingWith::new(space.clone(), archs.context("start_with")?, strategy)))
}
