//! The configuration of a strategy: its name, and the settings that it has and no others.

use nao_space::search::EvolutionConfig;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::StrategyError;
use crate::lstm::config::{ControllerConfig, PRESETS};
use crate::policy::PolicyConfig;
use crate::strategy::{NaoConfig, PnasConfig};
use crate::structure::StructureConfig;

/// The preset of `nao` that is no controller of the authors: the search on structure.
pub const STRUCTURE: &str = "structure";

/// A strategy with all its settings. In files the name, the preset of those that have some, and the settings stand side by
/// side: `name = "evolution"`, `population = 30`. Files of version 0.1, with the settings of all strategies in sections of
/// their own, are read as well.
#[derive(Clone, Debug, PartialEq)]
pub struct StrategyConfig {
    /// The name of an entry.
    pub name: String,
    /// Its settings.
    pub settings: StrategySettings,
}

/// The settings of a strategy, by what carries it out.
#[derive(Clone, Debug, PartialEq)]
pub enum StrategySettings {
    /// Random search, which has none.
    Random,
    /// Local search, which has none.
    Local,
    /// Ridge regression, which has none.
    Linear,
    /// An evolution.
    Evolution(EvolutionConfig),
    /// A policy.
    Policy(PolicyConfig),
    /// Progressive search.
    Pnas(PnasConfig),
    /// The search on structure: `nao` with the preset [`STRUCTURE`].
    Structure(StructureConfig),
    /// A controller of the authors.
    Controller {
        /// The preset from which its settings come.
        preset: String,
        /// The settings.
        config: NaoConfig,
    },
    /// A search that chooses before any trial, and is set elsewhere.
    Elsewhere,
    /// A strategy that a program has registered.
    Own(Map<String, Value>),
}

impl StrategySettings {
    /// The settings of a preset. What does not depend on it, such as the number of parents, is kept from `before`.
    ///
    /// # Errors
    /// When there is none of that name: lists those there are.
    pub(super) fn of_preset(name: &str, before: &StrategySettings) -> Result<Self, StrategyError> {
        if name == STRUCTURE {
            return Ok(StrategySettings::Structure(StructureConfig::default()));
        }
        let controller = ControllerConfig::preset(name).map_err(|_| {
            let names = PRESETS.iter().map(|preset| preset.name);
            let known = std::iter::once(STRUCTURE).chain(names).collect::<Vec<_>>().join(", ");
            StrategyError::Preset { name: name.to_owned(), known }
        })?;
        let config = match before {
            StrategySettings::Controller { config, .. } => config.clone(),
            _ => NaoConfig::default(),
        };
        let config = NaoConfig { controller, ..config };
        Ok(StrategySettings::Controller { preset: name.to_owned(), config })
    }

    /// The settings as a table.
    pub(super) fn table(&self) -> Map<String, Value> {
        let value = match self {
            StrategySettings::Evolution(config) => serde_json::to_value(config),
            StrategySettings::Policy(config) => serde_json::to_value(config),
            StrategySettings::Pnas(config) => serde_json::to_value(config),
            StrategySettings::Structure(config) => serde_json::to_value(config),
            StrategySettings::Controller { config, .. } => serde_json::to_value(config),
            StrategySettings::Own(table) => Ok(Value::Object(table.clone())),
            StrategySettings::Random
            | StrategySettings::Local
            | StrategySettings::Linear
            | StrategySettings::Elsewhere => Ok(Value::Object(Map::new())),
        };
        match value {
            Ok(Value::Object(table)) => table,
            _ => unreachable!("plain structs have the form of a table"),
        }
    }

    /// The same settings with the values of a table.
    pub(super) fn with_table(self, table: Map<String, Value>) -> Result<Self, StrategyError> {
        Ok(match self {
            StrategySettings::Evolution(_) => StrategySettings::Evolution(read(table)?),
            StrategySettings::Policy(_) => StrategySettings::Policy(read(table)?),
            StrategySettings::Pnas(_) => StrategySettings::Pnas(read(table)?),
            StrategySettings::Structure(_) => StrategySettings::Structure(read(table)?),
            StrategySettings::Controller { preset, .. } => {
                StrategySettings::Controller { preset, config: read(table)? }
            }
            StrategySettings::Own(_) => StrategySettings::Own(table),
            none => none,
        })
    }
}

impl StrategyConfig {
    /// The preset, of a strategy that has some.
    pub fn preset(&self) -> Option<&str> {
        match &self.settings {
            StrategySettings::Structure(_) => Some(STRUCTURE),
            StrategySettings::Controller { preset, .. } => Some(preset),
            _ => None,
        }
    }

    /// The settings of the search on structure, if it is one.
    pub fn structure(&self) -> Option<&StructureConfig> {
        match &self.settings {
            StrategySettings::Structure(config) => Some(config),
            _ => None,
        }
    }
}

/// A table as the settings that it should be.
pub(super) fn read<C: DeserializeOwned>(table: Map<String, Value>) -> Result<C, StrategyError> {
    serde_path_to_error::deserialize(Value::Object(table)).map_err(|error| StrategyError::Setting {
        place: error.path().to_string(),
        message: error.inner().to_string(),
    })
}
