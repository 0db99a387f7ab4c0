//! A configuration in a file.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Map;

use super::config::{StrategyConfig, StrategySettings};
use super::entry::StrategyEntry;
use super::laying::{laid_over, take_word};
use super::table::BUILT_IN;

/// The entry of this crate of that name.
fn built_in(name: &str) -> Option<&'static StrategyEntry> {
    BUILT_IN.iter().find(|entry| entry.name == name)
}

impl Serialize for StrategyConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.settings {
            StrategySettings::Evolution(settings) => self.tagged(settings).serialize(serializer),
            StrategySettings::Policy(settings) => self.tagged(settings).serialize(serializer),
            StrategySettings::Pnas(settings) => self.tagged(settings).serialize(serializer),
            StrategySettings::Structure(settings) => self.tagged(settings).serialize(serializer),
            StrategySettings::Controller { config, .. } => self.tagged(config).serialize(serializer),
            StrategySettings::Own(settings) => self.tagged(settings).serialize(serializer),
            StrategySettings::Random
            | StrategySettings::Local
            | StrategySettings::Linear
            | StrategySettings::Elsewhere => self.tagged(&Map::new()).serialize(serializer),
        }
    }
}

/// Name, preset and settings side by side.
#[derive(Serialize)]
struct Tagged<'a, C: Serialize> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    preset: Option<&'a str>,
    #[serde(flatten)]
    settings: &'a C,
}

impl StrategyConfig {
    fn tagged<'a, C: Serialize>(&'a self, settings: &'a C) -> Tagged<'a, C> {
        Tagged { name: &self.name, preset: self.preset(), settings }
    }
}

/// Of a name that this crate does not have, the settings are taken as they stand: whether somebody has registered it, knows
/// [`Strategies::check`](super::Strategies::check).
impl<'de> Deserialize<'de> for StrategyConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Map::deserialize(deserializer)?;
        let name = take_word(&mut table, "name").map_err(D::Error::custom)?;
        let name = name.ok_or_else(|| D::Error::missing_field("name"))?;
        match built_in(&name) {
            Some(entry) => Ok(laid_over(entry, entry.config(), table).map_err(D::Error::custom)?.0),
            None => Ok(StrategyConfig { name, settings: StrategySettings::Own(table) }),
        }
    }
}
