//! What a run folder says about its search, in the words of its task.

use std::sync::Arc;

use anyhow::Result;
use nao_run::RunFolder;
use nao_run::settings::StoredSettings;
use serde::Deserialize;

use super::config::RunConfig;
use crate::args::SpaceKind;
use crate::task::Task;

/// What a run folder says about its search.
pub trait RunContents {
    /// The configuration of the run. One that was edited in what defines what is measured is refused, field by field.
    fn config<T: Task>(&self) -> Result<RunConfig<T>>;

    /// The cells that the run is about.
    fn kind(&self) -> Result<SpaceKind>;

    /// The data of the run, which has to be what it was, wherever it lies now.
    fn data<T: Task>(&self, config: &RunConfig<T>) -> Result<Arc<T::Data>>;

    /// Refuses data that is not what it was.
    fn check_data<T: Task>(&self, data: &T::Data, config: &RunConfig<T>) -> Result<()>;
}

impl RunContents for RunFolder {
    fn config<T: Task>(&self) -> Result<RunConfig<T>> {
        Ok(self.settings().unchanged()?)
    }

    fn kind(&self) -> Result<SpaceKind> {
        kind_of(&self.settings())
    }

    fn data<T: Task>(&self, config: &RunConfig<T>) -> Result<Arc<T::Data>> {
        let data = T::load(&config.data, Some(self.path()))?;
        self.check_data::<T>(&data, config)?;
        Ok(data)
    }

    fn check_data<T: Task>(&self, data: &T::Data, config: &RunConfig<T>) -> Result<()> {
        let (checksum, source) = (T::checksum(data), config.data.to_string());
        Ok(self.manifest()?.check_data(&checksum, T::EXAMPLES, &source, self.path())?)
    }
}

/// The cells that the settings of a folder are about.
pub fn kind_of(settings: &StoredSettings) -> Result<SpaceKind> {
    #[derive(Deserialize)]
    struct Configuration {
        space: Space,
    }
    #[derive(Deserialize)]
    struct Space {
        #[serde(default)]
        kind: SpaceKind,
    }
    let kind = settings.read::<Configuration>()?.space.kind;
    settings.refuse_changed_value("space", "kind", &kind)?;
    Ok(kind)
}
