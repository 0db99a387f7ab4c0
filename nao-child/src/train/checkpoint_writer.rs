//! When a training saves its state.

use std::path::Path;
use std::time::Instant;

use nao_space::{Checkpointing, Progress};

use super::error::TrainError;
use super::options::{OnCheckpointError, TrainOptions};
use super::tensor_file::CheckpointError;

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
    pub fn new(options: &'a TrainOptions) -> Self {
        let (checkpointing, on_error) = (options.checkpoint.as_ref(), options.on_checkpoint_error);
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

    /// Hands on what a part of the training came to; where that was broken off, the state is saved first.
    pub fn saved_if_interrupted<T>(
        &mut self,
        part: Result<T, TrainError>,
        save: impl FnOnce(&Path) -> Result<(), CheckpointError>,
        progress: &mut dyn Progress,
    ) -> Result<T, TrainError> {
        if let Err(TrainError::Interrupted) = part {
            self.save(save, progress)?;
        }
        part
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
