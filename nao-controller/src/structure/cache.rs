//! What was learned of spaces before searches, kept between them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use nao_space::Graphs;
use nao_space::file::{self, FileError, MIB};
use sha2::{Digest, Sha256};

use super::config::PretrainingConfig;
use super::pretraining::{PretrainedSpace, PretrainingReport};
use crate::error::ControllerError;
use crate::files::write_whole;

/// The most that is read of a file of tensors.
const LONGEST: u64 = 4096 * MIB;

/// A folder in which what was learned of spaces is kept, so that no search learns what an earlier one has learned.
///
/// ```
/// use nao_controller::{Device, PretrainedCache, PretrainingConfig};
/// use nao_space::NasBench201Space;
///
/// let folder = tempfile::tempdir()?;
/// let cache = PretrainedCache::new(Some(folder.path().to_owned()), Device::flex());
/// // So few steps teach little; the default takes a minute.
/// let config = PretrainingConfig { cells: 50, steps: 2, batch: 10, ..Default::default() };
/// let space = NasBench201Space::default();
/// let first = cache.pretrained(&space, &config, None, |_| ())?;
/// let again = cache.pretrained(&space, &config, None, |_| unreachable!("it is read"))?;
/// assert_eq!(first.to_bytes()?, again.to_bytes()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PretrainedCache {
    folder: Option<PathBuf>,
    device: Device,
}

/// What happens while a space is learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PretrainingStep<'a> {
    /// It is about to be learned, which takes a minute or two with the usual settings.
    Begun,
    /// It was learned.
    Learned {
        /// What the pre-training came to.
        report: &'a PretrainingReport,
        /// The file of the cache in which it is kept, where it could be.
        kept: Option<&'a Path>,
    },
}

/// Why what is known of a space is not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PretrainedCacheError {
    /// A file that was named, and that holds something else.
    #[error(
        "{} is of no use; put a sound copy in its place, or delete it: the same is then learned once more",
        .path.display()
    )]
    Useless {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ControllerError,
    },
    /// A file that was named, and that cannot be read.
    #[error(transparent)]
    Unreadable(#[from] FileError),
    /// A file that was named, and that cannot be written.
    #[error("cannot write {} ({source}): check the folder and its permissions", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The space cannot be learned.
    #[error(transparent)]
    Learning(#[from] ControllerError),
}

impl PretrainedCache {
    /// The cache in a folder, which is made when something is kept; with none, nothing is. What is learned is computed on
    /// `device`.
    pub fn new(folder: Option<PathBuf>, device: Device) -> Self {
        PretrainedCache { folder, device }
    }

    /// What is known of a space with these settings: from `file` if it is there, else from the cache, else learned now and
    /// kept in the cache; `tell` then hears of it. In any case `file` holds it afterwards, where one is given.
    ///
    /// A file of the cache that is damaged is written anew, and one that cannot be written is no error.
    ///
    /// # Errors
    /// When `file` cannot be read or written, holds something else or was learned with other settings, or the space cannot
    /// be learned.
    pub fn pretrained<S: Graphs>(
        &self,
        space: &S,
        config: &PretrainingConfig,
        file: Option<&Path>,
        tell: impl FnMut(PretrainingStep<'_>),
    ) -> Result<Arc<PretrainedSpace>, PretrainedCacheError> {
        if let Some(file) = file.filter(|file| file.is_file()) {
            let bytes = file::raw_bytes(file, LONGEST)?;
            let useless = |source| PretrainedCacheError::Useless { path: file.to_owned(), source };
            return Ok(Arc::new(self.read(space, config, bytes).map_err(useless)?));
        }
        let cached = self.file(space, config);
        let learned = match cached.as_deref().and_then(|path| self.read_cached(space, config, path)) {
            Some(learned) => learned,
            None => self.learn(space, config, cached.as_deref(), tell)?,
        };
        if let Some(file) = file {
            let unwritable = |source| PretrainedCacheError::Unwritable { path: file.to_owned(), source };
            write_whole(file, &learned.to_bytes()?).map_err(unwritable)?;
        }
        Ok(Arc::new(learned))
    }

    fn learn<S: Graphs>(
        &self,
        space: &S,
        config: &PretrainingConfig,
        cached: Option<&Path>,
        mut tell: impl FnMut(PretrainingStep<'_>),
    ) -> Result<PretrainedSpace, ControllerError> {
        tell(PretrainingStep::Begun);
        let learned = PretrainedSpace::learn(space, config, &self.device)?;
        let kept = cached.filter(|path| keep(path, &learned));
        tell(PretrainingStep::Learned { report: learned.report(), kept });
        Ok(learned)
    }

    fn read<S: Graphs>(
        &self,
        space: &S,
        config: &PretrainingConfig,
        bytes: Vec<u8>,
    ) -> Result<PretrainedSpace, ControllerError> {
        let learned = PretrainedSpace::from_bytes(space, bytes, &self.device)?;
        learned.check_settings(config)?;
        Ok(learned)
    }

    /// Reads a file of the cache; one that cannot be read counts as none.
    fn read_cached<S: Graphs>(
        &self,
        space: &S,
        config: &PretrainingConfig,
        path: &Path,
    ) -> Option<PretrainedSpace> {
        if !path.exists() {
            return None;
        }
        let read = file::raw_bytes(path, LONGEST).map_err(|error| error.to_string());
        let read = read.and_then(|bytes| self.read(space, config, bytes).map_err(|error| error.to_string()));
        let warn =
            |error: String| tracing::warn!("{} is of no use and is written anew: {error}", path.display());
        read.map_err(warn).ok()
    }

    /// The file of a space that was learned with these settings.
    fn file<S: Graphs>(&self, space: &S, config: &PretrainingConfig) -> Option<PathBuf> {
        let digest = Sha256::digest(PretrainedSpace::cache_name(space, config));
        let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let name = space.name().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        Some(self.folder.as_ref()?.join(format!("{name}-{hash}.safetensors")))
    }
}

/// Writes a file of the cache, and tells whether that could be done; that it could not is no reason not to search.
fn keep(path: &Path, learned: &PretrainedSpace) -> bool {
    let written = || -> Result<(), PretrainedCacheError> {
        let unwritable = |source| PretrainedCacheError::Unwritable { path: path.to_owned(), source };
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(unwritable)?;
        write_whole(path, &learned.to_bytes()?).map_err(unwritable)
    };
    let written = written();
    if let Err(error) = &written {
        tracing::warn!("what was learned is not kept for the next search: {error}");
    }
    written.is_ok()
}

#[cfg(test)]
mod tests {
    use nao_space::{CnnSpace, NasBench201Space};

    use super::*;

    fn quick(steps: usize) -> PretrainingConfig {
        PretrainingConfig { cells: 40, feature_samples: 40, steps, batch: 8, ..PretrainingConfig::default() }
    }

    /// What is known, and how often it was learned.
    fn obtain(
        cache: &PretrainedCache,
        config: &PretrainingConfig,
        file: Option<&Path>,
    ) -> Result<(Arc<PretrainedSpace>, usize), PretrainedCacheError> {
        let mut times = 0;
        let count = |step: PretrainingStep<'_>| times += usize::from(step == PretrainingStep::Begun);
        let learned = cache.pretrained(&NasBench201Space::default(), config, file, count)?;
        Ok((learned, times))
    }

    #[test]
    fn a_space_is_learned_once_and_damaged_files_of_the_cache_are_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PretrainedCache::new(Some(folder.path().join("new")), Device::flex());
        let (learned, times) = obtain(&cache, &quick(1), None).unwrap();
        let (again, more) = obtain(&cache, &quick(1), None).unwrap();
        assert_eq!((times, more), (1, 0));
        assert_eq!(learned.to_bytes().unwrap(), again.to_bytes().unwrap());
        assert_eq!(obtain(&cache, &quick(2), None).unwrap().1, 1, "other settings");
        let files: Vec<PathBuf> = std::fs::read_dir(folder.path().join("new"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(files.len(), 2);
        files.iter().for_each(|file| std::fs::write(file, b"nonsense").unwrap());
        assert_eq!(obtain(&cache, &quick(1), None).unwrap().1, 1, "it was damaged");
        assert_eq!(obtain(&cache, &quick(1), None).unwrap().1, 0, "it is sound again");
        let none = PretrainedCache::new(None, Device::flex());
        assert_eq!(obtain(&none, &quick(1), None).unwrap().1, 1);
    }

    #[test]
    fn a_named_file_is_read_or_written_and_one_of_no_use_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("learned.safetensors");
        let cache = PretrainedCache::new(None, Device::flex());
        assert_eq!(obtain(&cache, &quick(1), Some(&file)).unwrap().1, 1);
        assert_eq!(obtain(&cache, &quick(1), Some(&file)).unwrap().1, 0);
        let refused = |error: PretrainedCacheError| match error {
            PretrainedCacheError::Useless { path, source } if path == file => source.to_string(),
            other => panic!("{other}"),
        };
        let message = refused(obtain(&cache, &quick(2), Some(&file)).err().unwrap());
        assert!(message.contains("steps was 1 and is 2"), "{message}");
        let other = cache.pretrained(&CnnSpace::default(), &quick(1), Some(&file), |_| ());
        let message = refused(other.err().unwrap());
        assert!(message.contains("of the space nasbench201"), "{message}");
        std::fs::write(&file, b"nonsense").unwrap();
        refused(obtain(&cache, &quick(1), Some(&file)).err().unwrap());
        let nowhere = folder.path().join("no/learned.safetensors");
        let error = obtain(&cache, &quick(1), Some(&nowhere)).err().unwrap().to_string();
        assert!(error.contains("cannot write") && error.contains("no/learned"), "{error}");
    }
}
