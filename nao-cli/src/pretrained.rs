//! What was learned of spaces before searches, kept between them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use burn::tensor::Device;
use nao_controller::{PretrainedSpace, PretrainingConfig};
use nao_run::files::{read_tensors, write_whole};
use nao_space::Space;
use sha2::{Digest, Sha256};

use crate::output::tell;

/// What was learned of a space with these settings: from `file` if it is there, else from the cache, else learned now and
/// kept in the cache. In any case `file` holds it afterwards, where one is given.
pub fn pretrained<S: Space>(
    space: &S,
    config: &PretrainingConfig,
    device: &Device,
    file: Option<&Path>,
) -> Result<Arc<PretrainedSpace>> {
    if let Some(file) = file.filter(|file| file.is_file()) {
        let learned = PretrainedSpace::from_bytes(space, read_tensors(file)?, device);
        return Ok(Arc::new(learned.with_context(|| {
            format!(
                "{} is of no use; put a sound copy in its place, or delete it: the same is then learned once more",
                file.display()
            )
        })?));
    }
    let cached = cache_file(space, config);
    let learned = match cached.as_deref().and_then(|path| read_cache(space, path, device)) {
        Some(learned) => learned,
        None => {
            tell(format_args!(
                "learning the space {} once, without labels; this takes a minute or two ...",
                space.name()
            ));
            let learned = PretrainedSpace::learn(space, config, device)?;
            let report = learned.report();
            let kept = cached.as_deref().filter(|path| keep(path, &learned));
            tell(format_args!(
                "learned it in {:.0} s: {:.1} % of unseen architectures are written down exactly{}",
                report.seconds,
                100.0 * report.exact,
                kept.map_or(String::new(), |path| format!("; kept in {}", path.display()))
            ));
            learned
        }
    };
    if let Some(file) = file {
        write_whole(file, &learned.to_bytes()?)?;
    }
    Ok(Arc::new(learned))
}

/// Reads the cache; a file that cannot be read counts as none.
fn read_cache<S: Space>(space: &S, path: &Path, device: &Device) -> Option<PretrainedSpace> {
    if !path.exists() {
        return None;
    }
    let read = read_tensors(path).map_err(anyhow::Error::from);
    let read = read.and_then(|bytes| Ok(PretrainedSpace::from_bytes(space, bytes, device)?));
    match read {
        Ok(learned) => Some(learned),
        Err(error) => {
            tracing::warn!("{} is of no use and is written anew: {error}", path.display());
            None
        }
    }
}

/// Writes the cache, and tells whether that could be done; that it could not is no reason not to search.
fn keep(path: &Path, learned: &PretrainedSpace) -> bool {
    let written = || -> Result<()> {
        let parent = path.parent().context("a cache file lies in a folder")?;
        std::fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        Ok(write_whole(path, &learned.to_bytes()?)?)
    };
    let written = written();
    if let Err(error) = &written {
        tracing::warn!("what was learned is not kept for the next search: {error:#}");
    }
    written.is_ok()
}

/// `$NAO_CACHE`, `$XDG_CACHE_HOME/nao` or `$HOME/.cache/nao`, whichever is set first.
fn cache_folder() -> Option<PathBuf> {
    let folder =
        |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("NAO_CACHE")
        .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("nao")))
        .or_else(|| Some(folder("HOME")?.join(".cache").join("nao")))
}

fn cache_file<S: Space>(space: &S, config: &PretrainingConfig) -> Option<PathBuf> {
    let digest = Sha256::digest(PretrainedSpace::cache_name(space, config));
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let name = space.name().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    Some(cache_folder()?.join("pretrained").join(format!("{name}-{hash}.safetensors")))
}
