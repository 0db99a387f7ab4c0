//! The engines by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where children are trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// In processes of this machine.
    #[default]
    Local,
    /// By processes on any machines that share the run folder.
    Workers,
    /// In array jobs of Slurm.
    Slurm,
}

/// A name, an engine, and what it does.
const ENGINES: [(&str, Engine, &str); 3] = [
    ("local", Engine::Local, "In processes of this machine"),
    ("workers", Engine::Workers, "By `nao worker RUN` processes on any machines that share the run folder"),
    ("slurm", Engine::Slurm, "In array jobs of Slurm"),
];

impl Engine {
    /// All names, each with what its engine does.
    pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
        ENGINES.into_iter().map(|(name, _, about)| (name, about))
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ENGINES.iter().find(|(_, engine, _)| engine == self).map(|(name, ..)| *name);
        f.write_str(name.expect("the table has every engine"))
    }
}

/// Not the name of an engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown executor `{name}`; known are {}", Engine::names().map(|(name, _)| name).collect::<Vec<_>>().join(", "))]
pub struct UnknownEngine {
    /// What was given.
    pub name: String,
}

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        let found = ENGINES.iter().find(|(known, ..)| *known == name).map(|(_, engine, _)| *engine);
        found.ok_or_else(|| UnknownEngine { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_have_the_names_by_which_configurations_call_them() {
        for (name, engine, _) in ENGINES {
            assert_eq!(serde_json::to_value(engine).unwrap(), name);
            assert_eq!(name.parse::<Engine>().unwrap().to_string(), name);
        }
        let error = "cloud".parse::<Engine>().unwrap_err().to_string();
        assert_eq!(error, "unknown executor `cloud`; known are local, workers, slurm");
    }
}
