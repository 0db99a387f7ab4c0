//! What a run is about: cells of a space, the data that they are trained on, and how. Commands, configuration and run
//! folders are generic over it.

mod image;
mod language;

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use burn::tensor::Device;
use nao_child::data::PartOrigin;
use nao_child::relaxed::RelaxedRecipe;
use nao_child::supernet::SharingConfig;
use nao_controller::registry::{RegisteredSpace, StrategyEntry};
use nao_space::draw::Picture;
use nao_space::network::Cost;
use nao_space::search::{OperationHistogram, RoundLimits};
use nao_space::{Evaluator, Fidelity, Objective, Space};
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::Table;

use crate::args::{CellOptions, SpaceKind};
use crate::cell_network::CellNetwork;
use crate::data::DataSource;
use crate::registries::Registries;
use crate::run::{DerivedOutcome, RunConfig, SharedOutcome, SharedRun};
use crate::space_argument::AnySpace;

pub use image::ImageTask;
pub use language::LanguageTask;

/// A part of a configuration file.
pub trait Settings: Clone + Debug + PartialEq + Serialize + DeserializeOwned {}
impl<T: Clone + Debug + PartialEq + Serialize + DeserializeOwned> Settings for T {}

/// An architecture of a task.
pub type Arch<T> = <<T as Task>::Space as Space>::Arch;

/// A published architecture: its space, itself, and its entry in the zoo.
pub type PublishedArch<T> = (<T as Task>::Space, Arch<T>, &'static <T as Task>::Published);

/// An architecture with its space and what it says about its network.
pub type ReadArch<T> = (<T as Task>::Space, Arch<T>, CellNetwork);

/// Files that belong to results on some data: names and contents.
pub type Companions = Vec<(&'static str, String)>;

/// Cells of one kind with the data and the trainings that belong to them.
pub trait Task: Clone + Debug + PartialEq + 'static {
    /// The cells, as on the command line.
    const KIND: SpaceKind;
    /// What the data is counted in.
    const EXAMPLES: &'static str;
    /// The space of the cells.
    type Space: AnySpace + RegisteredSpace;
    /// What names a space in a configuration file.
    type SpaceSettings: Settings;
    /// How a cell is trained.
    type Recipe: Settings;
    /// What it is trained on.
    type Data;
    /// An entry of the zoo.
    type Published;

    /// The space of the settings.
    fn space(settings: &Self::SpaceSettings) -> Result<Self::Space>;
    /// The settings of a space.
    fn space_settings(space: &Self::Space) -> Self::SpaceSettings;
    /// The space of the options on the command line.
    fn space_of(options: &CellOptions) -> Result<Self::Space>;

    /// The published architecture of that name.
    fn published(name: &str) -> Result<PublishedArch<Self>>;
    /// The name of an entry of the zoo.
    fn published_name(published: &Self::Published) -> &'static str;
    /// Reads an architecture in any form: with its space, which the options name or the architecture shows, and with what it
    /// says about its network.
    fn read(text: &str, options: &CellOptions) -> Result<ReadArch<Self>>;
    /// The JSON form of an architecture, with what is known about its network.
    fn to_json(arch: &Arch<Self>, published: Option<&Self::Published>, network: &CellNetwork) -> String;
    /// The drawing of an architecture, that of the published one where it is such.
    fn picture(
        arch: &Arch<Self>,
        published: Option<&Self::Published>,
        network: &CellNetwork,
    ) -> Result<Picture>;
    /// The code base of a published architecture, and what a recipe says about networks, where there are several.
    fn network_of_published(_published: &Self::Published) -> CellNetwork {
        CellNetwork::default()
    }
    /// What a text says about the network around its cells.
    fn network_in(_text: &str) -> Result<CellNetwork> {
        Ok(CellNetwork::default())
    }
    /// What a recipe says about the network around cells.
    fn network_of(_recipe: &Self::Recipe) -> CellNetwork {
        CellNetwork::default()
    }
    /// Makes a recipe one for the network that is known of cells of the space. `said` tells whether the user has said in
    /// the recipe's settings whose network is meant.
    fn follow(
        _recipe: &mut Self::Recipe,
        _network: &CellNetwork,
        _space: &Self::Space,
        _said: bool,
    ) -> Result<()> {
        Ok(())
    }

    /// The data that is taken where none is named.
    fn default_source() -> Option<DataSource>;
    /// Reads data; `stored` is the folder of a run or training that has used it.
    fn load(source: &DataSource, stored: Option<&Path>) -> Result<Arc<Self::Data>>;
    /// What identifies the data.
    fn checksum(data: &Self::Data) -> String;
    /// The files that the data came from.
    fn origin(data: &Self::Data) -> &[PartOrigin];
    /// What stands in the data twice, one sentence each.
    fn repeated(data: &Self::Data) -> Vec<String>;
    /// Files that belong to results on the data.
    fn companions(data: &Self::Data) -> Companions;
    /// How many examples each part of the data has.
    fn counts(data: &Arc<Self::Data>, recipe: &Self::Recipe) -> Result<Vec<(String, usize)>>;

    /// The recipe of that name.
    fn recipe(known: &Registries, name: &str) -> Result<Self::Recipe>;
    /// The recipe of a search on the data, where there is one.
    fn search_recipe(data: &Self::Data) -> Option<Self::Recipe>;
    /// The recipe of a final training on the data, where there is one.
    fn final_recipe(data: &Self::Data) -> Option<Self::Recipe>;
    /// What of a recipe changes with its number of epochs.
    fn epochs_of_recipe(epochs: u32) -> Table;
    /// What the network of an architecture costs.
    fn cost(arch: &Arch<Self>, recipe: &Self::Recipe, data: &Self::Data) -> Result<Cost>;
    /// How thoroughly a recipe tries an architecture.
    fn fidelity(recipe: &Self::Recipe) -> Fidelity;
    /// The rounds of a search, and how many parents the `nao` strategy moves, by default.
    fn rounds(source: &DataSource, recipe: &Self::Recipe) -> (RoundLimits, Option<usize>);
    /// Checks that a recipe fits the data, and the space as well.
    fn check(recipe: &Self::Recipe, data: &Self::Data, space: &Self::Space, seed: u64) -> Result<()>;

    /// Makes the default configuration of a search that of one with shared weights.
    fn share(_config: &mut RunConfig<Self>, entry: &StrategyEntry, _data: &Self::Data) -> Result<()> {
        let name = entry.name;
        bail!(
            "strategy {name} shares the weights of image cells: search with --space cnn, or choose another strategy"
        )
    }
    /// Checks that shared weights fit the data and the space.
    fn check_sharing(_sharing: &SharingConfig, _data: &Self::Data, _space: &Self::Space) -> Result<()> {
        bail!("only image cells are searched with shared weights")
    }
    /// The search with shared weights of a configuration that has one, and what came out of it.
    fn search_shared(_shared: SharedRun<'_, Self>) -> Result<SharedOutcome<Self>> {
        bail!("only image cells are searched with shared weights")
    }

    /// Makes the default configuration of a search that of one in a relaxed network.
    fn relax(
        _config: &mut RunConfig<Self>,
        entry: &StrategyEntry,
        _second_order: bool,
        _data: &Self::Data,
    ) -> Result<()> {
        let name = entry.name;
        bail!("strategy {name} relaxes image cells: search with --space cnn, or choose another strategy")
    }
    /// Checks that a relaxed network fits the data and the space.
    fn check_relaxed(_recipe: &RelaxedRecipe, _data: &Self::Data, _space: &Self::Space) -> Result<()> {
        bail!("only image cells are searched in a relaxed network")
    }
    /// The search in a relaxed network of a configuration that has one, and what came out of it.
    fn search_relaxed(_run: SharedRun<'_, Self>) -> Result<DerivedOutcome<Arch<Self>>> {
        bail!("only image cells are searched in a relaxed network")
    }

    /// The operations of architectures, where these may go without parameters.
    fn operations(_archs: &[Arch<Self>]) -> Option<OperationHistogram> {
        None
    }

    /// What is measured in a search.
    fn objective() -> Objective;
    /// What measures it.
    fn evaluator(
        data: Arc<Self::Data>,
        recipe: Self::Recipe,
        device: Device,
    ) -> Result<Box<dyn Evaluator<Arch<Self>> + Send + Sync>>;
}

/// Does something with the task of a kind of cells: `with_task!(kind, T => work::<T>())`.
macro_rules! with_task {
    ($kind:expr, $task:ident => $work:expr) => {
        match $kind {
            $crate::args::SpaceKind::Cnn => {
                type $task = $crate::task::ImageTask;
                $work
            }
            $crate::args::SpaceKind::Rnn => {
                type $task = $crate::task::LanguageTask;
                $work
            }
        }
    };
}
pub(crate) use with_task;
