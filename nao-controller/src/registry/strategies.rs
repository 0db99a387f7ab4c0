//! The table, with what a program adds to it.

use std::sync::Arc;

use super::entry::{SearchKind, StrategyEntry};
use super::error::StrategyError;
use super::own::{OwnStrategy, Registered, entry_of};
use super::table::BUILT_IN;

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
/// let search = strategies.build(&evolution, space, 1, &burn::tensor::Device::flex(), nothing)?;
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
        let entry = entry_of(&strategy);
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

    pub(super) fn registered(&self, name: &str) -> Option<&dyn Registered> {
        self.own.iter().find(|(entry, _)| entry.name == name).map(|(_, own)| &**own)
    }
}
