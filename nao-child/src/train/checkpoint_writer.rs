//! When a training keeps its state on disk, and what becomes of it where that fails.

use std::path::Path;
use std::time::Instant;

use nao_space::{Checkpointing, Progress};

use super::tensor_file::CheckpointError;

/// What becomes of a training whose checkpoint cannot be read or written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCheckpointError {
    /// It ends with the error, which names the remedy: somebody is there to choose one.
    #[default]
    Fail,
    /// A warning. It starts afresh where its state cannot be read, and goes on where it cannot be written. A folder that was
    /// there and is gone is not made again: whoever removed it has no use for the state any more.
    Warn,
}

/// Reads and saves the state of one training.
pub(crate) struct CheckpointWriter<'a> {
    checkpointing: Option<&'a Checkpointing>,
    on_error: OnCheckpointError,
    /// When the state was saved last, or the training begun. Decides when it is saved, never what becomes of it.
    saved: Instant,
    /// Whether the folder of the file has been seen.
    had_folder: bool,
}

impl<'a> CheckpointWriter<'a> {
    pub fn new(checkpointing: Option<&'a Checkpointing>, on_error: OnCheckpointError) -> Self {
        let had_folder = checkpointing.is_some_and(|checkpointing| has_folder(&checkpointing.path));
        CheckpointWriter { checkpointing, on_error, saved: Instant::now(), had_folder }
    }

    /// The state in the file, where there is one.
    pub fn earlier<S>(
        &self,
        load: impl FnOnce(&Path) -> Result<S, CheckpointError>,
        progress: &mut dyn Progress,
    ) -> Result<Option<S>, CheckpointError> {
        let path = self.checkpointing.map(|checkpointing| checkpointing.path.as_path());
        match path.filter(|path| path.exists()).map(load).transpose() {
            Ok(state) => Ok(state),
            Err(error) => self.forgive(error, "the training starts afresh", progress).map(|()| None),
        }
    }

    /// Saves the state after an epoch, at most once per interval.
    pub fn epoch_is_over(
        &mut self,
        save: impl FnOnce(&Path) -> Result<(), CheckpointError>,
        progress: &mut dyn Progress,
    ) -> Result<(), CheckpointError> {
        match self.checkpointing {
            Some(checkpointing) if self.saved.elapsed() >= checkpointing.interval => {
                self.save(save, progress)
            }
            _ => Ok(()),
        }
    }

    /// Saves the state, if it is kept at all.
    pub fn save(
        &mut self,
        save: impl FnOnce(&Path) -> Result<(), CheckpointError>,
        progress: &mut dyn Progress,
    ) -> Result<(), CheckpointError> {
        let Some(Checkpointing { path, .. }) = self.checkpointing else { return Ok(()) };
        let is_gone = self.had_folder && !has_folder(path) && self.on_error == OnCheckpointError::Warn;
        let saved = if is_gone {
            let source = std::io::Error::new(std::io::ErrorKind::NotFound, "its folder is gone");
            Err(CheckpointError::File { path: path.clone(), verb: "written", source })
        } else {
            save(path)
        };
        self.saved = Instant::now();
        self.had_folder |= saved.is_ok();
        saved.or_else(|error| self.forgive(error, "the training goes on unsaved", progress))
    }

    fn forgive(
        &self,
        error: CheckpointError,
        consequence: &str,
        progress: &mut dyn Progress,
    ) -> Result<(), CheckpointError> {
        match self.on_error {
            OnCheckpointError::Fail => Err(error),
            OnCheckpointError::Warn => {
                progress.warning(&format!("{consequence}: {error}"));
                Ok(())
            }
        }
    }
}

fn has_folder(path: &Path) -> bool {
    path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.exists())
}
