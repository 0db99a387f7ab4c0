//! What a single training is.

use std::path::PathBuf;

use nao_child::data::DataSource;
use nao_run::settings::Configuration;
use nao_space::notation::ConcatenatedStates;
use serde::{Deserialize, Serialize};

use crate::cells::{NamedRecipe, SpaceSettings};

/// What a training is, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct TrainConfig<R: NamedRecipe> {
    /// The architecture in the notation of its space.
    pub architecture: String,
    /// The entry of the zoo whose network is meant: its code base's, and with what its cells concatenate or average.
    /// Without one, it is that of the authors' code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// What the cells concatenate, where that is not what cells of the recipe's code base do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concatenates: Option<ConcatenatedStates>,
    /// Where the data comes from; a dry run of a language model needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataSource>,
    /// The shared weights that the training starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
    /// Seed of everything random.
    pub seed: u64,
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// The space of the architecture.
    pub space: SpaceSettings<R>,
    /// How it is trained.
    pub recipe: R,
}

impl<R: NamedRecipe> Configuration for TrainConfig<R> {
    const FREE: &'static [&'static str] = &["data", "device"];
}
