//! What a run folder says about its search, in the words of its task.

use std::sync::Arc;

use anyhow::Result;
use nao_child::data::DataKind;
use nao_run::RunFolder;
use nao_run::settings::StoredSettings;
use serde::Deserialize;

use super::config::RunConfig;
use crate::args::SpaceKind;
use crate::cells::NamedRecipe;
use crate::data::load;

/// What a run folder says about its search.
pub trait RunContents {
    /// The configuration of the run. One that was edited in what defines what is measured is refused, field by field.
    fn config<R: NamedRecipe>(&self) -> Result<RunConfig<R>>;

    /// The cells that the run is about.
    fn kind(&self) -> Result<SpaceKind>;

    /// The data of the run, which has to be what it was, wherever it lies now.
    fn data<R: NamedRecipe>(&self, config: &RunConfig<R>) -> Result<Arc<R::Data>>;

    /// Refuses data that is not what it was.
    fn check_data<R: NamedRecipe>(&self, data: &R::Data, config: &RunConfig<R>) -> Result<()>;
}

impl RunContents for RunFolder {
    fn config<R: NamedRecipe>(&self) -> Result<RunConfig<R>> {
        Ok(self.settings().unchanged()?)
    }

    fn kind(&self) -> Result<SpaceKind> {
        kind_of(&self.settings())
    }

    fn data<R: NamedRecipe>(&self, config: &RunConfig<R>) -> Result<Arc<R::Data>> {
        let data = load::<R>(&config.data, Some(self.path()))?;
        self.check_data::<R>(&data, config)?;
        Ok(data)
    }

    fn check_data<R: NamedRecipe>(&self, data: &R::Data, config: &RunConfig<R>) -> Result<()> {
        let (checksum, source) = (data.checksum(), config.data.to_string());
        Ok(self.manifest()?.check_data(&checksum, R::Data::EXAMPLES, &source, self.path())?)
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
