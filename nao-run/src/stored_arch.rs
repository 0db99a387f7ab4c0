//! Architectures of a store, in the space that the configuration names.

use nao_space::{ArchKey, Space, TrialId};

use crate::error::{Context, Result, bail};

/// The architecture of a trial.
///
/// # Errors
/// When it is none of the space, or another one there: says that the space is not that of the run.
pub fn parse_stored<S: Space>(space: &S, trial: TrialId, text: &str, key: &ArchKey) -> Result<S::Arch> {
    let other = || {
        format!(
            "the cell of trial {trial} is none of the space {}: the space differs from that of the run, for its section \
             [space] was edited, or the store is damaged",
            space.name()
        )
    };
    let arch = space.parse(text).with_context(other)?;
    if space.key(&arch) != *key {
        bail!("{}", other());
    }
    Ok(arch)
}
