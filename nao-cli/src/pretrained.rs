//! What was learned of spaces before searches: where it is kept, and what is said while a space is learned.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use burn::tensor::Device;
use nao_controller::{PretrainedCache, PretrainedSpace, PretrainingConfig, PretrainingStep};
use nao_space::Graphs;

use crate::output::tell;

/// What was learned of a space with these settings: from `file` if it is there, else from the cache, else learned now and
/// kept in the cache. In any case `file` holds it afterwards, where one is given.
pub fn pretrained<S: Graphs>(
    space: &S,
    config: &PretrainingConfig,
    device: &Device,
    file: Option<&Path>,
) -> Result<Arc<PretrainedSpace>> {
    let cache = PretrainedCache::new(cache_folder().map(|folder| folder.join("pretrained")), device.clone());
    Ok(cache.pretrained(space, config, file, |step| match step {
        PretrainingStep::Begun => tell(format_args!(
            "learning the space {} once, without labels; this takes a minute or two ...",
            space.name()
        )),
        PretrainingStep::Learned { report, kept } => tell(format_args!(
            "learned it in {:.0} s: {:.1} % of unseen architectures are written down exactly{}",
            report.seconds,
            100.0 * report.exact,
            kept.map_or(String::new(), |path| format!("; kept in {}", path.display()))
        )),
    })?)
}

/// `$NAO_CACHE`, `$XDG_CACHE_HOME/nao` or `$HOME/.cache/nao`, whichever is set first.
fn cache_folder() -> Option<PathBuf> {
    let folder =
        |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("NAO_CACHE")
        .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("nao")))
        .or_else(|| Some(folder("HOME")?.join(".cache").join("nao")))
}
