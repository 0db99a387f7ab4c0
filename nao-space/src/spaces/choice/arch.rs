//! An architecture of a choice space: what was chosen, by name.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::text::shown;

/// What was chosen at every position that applies. In JSON an object, `{"depth": "3", "width": "64"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ChoiceArch {
    choices: BTreeMap<String, String>,
}

impl ChoiceArch {
    /// The choice at a position; `None` where the position does not apply or is none.
    pub fn get(&self, position: &str) -> Option<&str> {
        self.choices.get(position).map(String::as_str)
    }

    /// All positions that apply with their choices, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.choices.iter().map(|(position, choice)| (position.as_str(), choice.as_str()))
    }
}

impl FromIterator<(String, String)> for ChoiceArch {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(choices: I) -> Self {
        ChoiceArch { choices: choices.into_iter().collect() }
    }
}

/// Refuses an object that names a position twice, of which a map would keep the last.
impl<'de> Deserialize<'de> for ChoiceArch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Choices)
    }
}

struct Choices;

impl<'de> Visitor<'de> for Choices {
    type Value = ChoiceArch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of positions and choices")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ChoiceArch, A::Error> {
        let mut choices = BTreeMap::new();
        while let Some((position, choice)) = map.next_entry::<String, String>()? {
            if choices.contains_key(&position) {
                return Err(A::Error::custom(format!("position {} is there twice", shown(&position))));
            }
            choices.insert(position, choice);
        }
        Ok(ChoiceArch { choices })
    }
}
