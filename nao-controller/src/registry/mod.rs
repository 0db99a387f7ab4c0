//! The strategies that a user can name: one table, from which help texts, messages, searches and contests read, and to
//! which a program adds its own.

mod build;
mod config;
mod configure;
mod entry;
mod old_shape;
mod own;
mod table;

use std::sync::Arc;

pub use config::{STRUCTURE, StrategyConfig, StrategySettings};
pub use configure::{Base, Configured};
pub use entry::{Asking, SearchKind, SharedSearch, StrategyEntry};
/// The sections in which version 0.1 had the settings of strategies.
pub use old_shape::SECTIONS as OLD_SECTIONS;
pub use own::{BuildFor, NoSettings, OwnStrategy, Registered, RegisteredSpace};

use self::table::BUILT_IN;
use crate::error::ControllerError;

/// All strategies that can be named: those of this crate, and those that a program registers beside them.
///
/// ```
/// use nao_controller::registry::Strategies;
/// use nao_space::CnnSpace;
/// # use nao_controller::{ControllerError, PretrainedSpace, registry::StrategyError};
///
/// let strategies = Strategies::default();
/// let evolution = strategies.entry("evolution")?.config();
/// let space = CnnSpace::default();
/// let nothing = || -> Result<_, StrategyError> { unreachable!("evolution learns no space") };
/// let search = strategies.build(&evolution, &space, 1, &burn::tensor::Device::flex(), nothing)?;
/// assert_eq!(search.name(), "evolution");
/// # Ok::<(), StrategyError>(())
/// ```
#[derive(Clone, Default)]
pub struct Strategies {
    own: Vec<(StrategyEntry, Arc<dyn Registered>)>,
}

impl Strategies {
    /// The same strategies and one more.
    ///
    /// # Panics
    /// When its name is taken: two strategies of one name are a mistake of the program.
    pub fn with(mut self, strategy: impl OwnStrategy) -> Self {
        let entry = own::entry_of(&strategy);
        assert!(self.find(entry.name).is_none(), "a strategy `{}` is registered already", entry.name);
        self.own.push((entry, Arc::new(strategy)));
        self
    }

    /// All entries, those of this crate first.
    pub fn entries(&self) -> impl Iterator<Item = &StrategyEntry> {
        BUILT_IN.iter().chain(self.own.iter().map(|(entry, _)| entry))
    }

    /// The entry of that name.
    ///
    /// # Errors
    /// When there is none: lists the names, by the kind of their search.
    pub fn entry(&self, name: &str) -> Result<&StrategyEntry, StrategyError> {
        self.find(name)
            .ok_or_else(|| StrategyError::Unknown { name: name.to_owned(), known: self.known(|_| true) })
    }

    /// The entry of that name, of those that this holds for.
    ///
    /// # Errors
    /// As [`Strategies::entry`]; an entry of another kind is one that is not there.
    pub fn entry_of(
        &self,
        name: &str,
        allowed: fn(SearchKind) -> bool,
    ) -> Result<&StrategyEntry, StrategyError> {
        self.find(name)
            .filter(|entry| allowed(entry.kind))
            .ok_or_else(|| StrategyError::Unknown { name: name.to_owned(), known: self.known(allowed) })
    }

    /// The names of the kinds that this holds for, in words: `nao, random, ...; with shared weights nao-ws, ...`.
    pub fn known(&self, allowed: fn(SearchKind) -> bool) -> String {
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for entry in self.entries().filter(|entry| allowed(entry.kind)) {
            let group = entry.kind.words();
            match groups.iter_mut().find(|(words, _)| *words == group) {
                Some((_, names)) => names.push(entry.name),
                None => groups.push((group, vec![entry.name])),
            }
        }
        let groups = groups.into_iter().map(|(words, names)| match words {
            "" => names.join(", "),
            words => format!("{words} {}", names.join(", ")),
        });
        groups.collect::<Vec<_>>().join("; ")
    }

    fn find(&self, name: &str) -> Option<&StrategyEntry> {
        self.entries().find(|entry| entry.name == name)
    }

    fn registered(&self, name: &str) -> Option<&dyn Registered> {
        self.own.iter().find(|(entry, _)| entry.name == name).map(|(_, own)| &**own)
    }
}

/// Why a strategy cannot be named, set or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StrategyError {
    /// A name that no entry has.
    #[error("unknown strategy `{name}`; known are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
    },
    /// A preset that there is not.
    #[error("no preset `{name}`; there are {known}")]
    Preset {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
    },
    /// A setting that the strategy does not have, or not so.
    #[error("strategy.{place}: {message}")]
    Setting {
        /// Its place below `strategy`.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// A setting that belongs to the name of the strategy.
    #[error("strategy {name} has {field} = {expected}, and {found} is asked for: choose another strategy")]
    Fixed {
        /// The strategy.
        name: String,
        /// The setting.
        field: &'static str,
        /// What it has to be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A strategy that proposes no architectures of trials.
    #[error("strategy {name} chooses its cells before any is trained alone, and proposes none afterwards")]
    ProposesNothing {
        /// The strategy.
        name: String,
    },
    /// Settings that no evolution can have.
    #[error(transparent)]
    Evolution(#[from] nao_space::search::InvalidEvolution),
    /// Settings that do not fit the space, or a model that cannot be made.
    #[error(transparent)]
    Controller(#[from] ControllerError),
    /// What a registered strategy says.
    #[error("strategy {name}: {source}")]
    Own {
        /// The strategy.
        name: String,
        /// What it says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

#[cfg(test)]
mod tests;
