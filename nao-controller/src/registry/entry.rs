//! One line of the table.

use super::config::{StrategyConfig, StrategySettings};
use crate::structure::Ablation;

/// A strategy that can be named.
#[derive(Clone, Debug)]
pub struct StrategyEntry {
    /// The name under which users choose it.
    pub name: &'static str,
    /// The name that stands in configurations: that of the strategy of which this is a short form, otherwise its own.
    pub stands_for: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// When it chooses.
    pub kind: SearchKind,
    /// How many architectures it is best asked for at a time.
    pub asking: Asking,
    /// The part of the preset `structure` that it lacks.
    pub lacks: Option<Ablation>,
    /// The settings that its name says, as JSON pointers: they are shown, and cannot be others.
    pub(super) fixed: &'static [&'static str],
    /// The settings that version 0.1 did not read for it, whatever a file had.
    pub(super) unread_before: &'static [&'static str],
    /// Its settings where none are given.
    pub settings: fn() -> StrategySettings,
}

impl StrategyEntry {
    /// Its configuration where nothing is set.
    pub fn config(&self) -> StrategyConfig {
        StrategyConfig { name: self.stands_for.to_owned(), settings: (self.settings)() }
    }

    /// Whether it has presets to choose from.
    pub fn has_presets(&self) -> bool {
        self.name == self.stands_for && self.config().preset().is_some()
    }
}

/// When a search chooses its architectures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchKind {
    /// Round by round, by what earlier trials measured.
    Trials,
    /// So too, after looking at cheap labels: in tables that have some.
    CheapTrials,
    /// Before any trial, by scores with weights that all architectures share.
    Shared(SharedSearch),
    /// Before any trial, by the mixtures of a relaxed network.
    Relaxed {
        /// Whether its gradient is of second order.
        second_order: bool,
    },
}

impl SearchKind {
    /// Whether it chooses round by round, so that a search needs nothing but an evaluator.
    pub fn is_trials(self) -> bool {
        self == SearchKind::Trials
    }

    /// Whether it chooses among architectures that share weights.
    pub fn is_shared(self) -> bool {
        matches!(self, SearchKind::Shared(_))
    }

    /// Whether it chooses in a relaxed network.
    pub fn is_relaxed(self) -> bool {
        matches!(self, SearchKind::Relaxed { .. })
    }

    /// How its names are introduced in a list of all.
    pub(super) fn words(self) -> &'static str {
        match self {
            SearchKind::Trials => "",
            SearchKind::CheapTrials => "in tables with labels of short trainings",
            SearchKind::Shared(_) => "with shared weights",
            SearchKind::Relaxed { .. } => "in a relaxed network",
        }
    }
}

/// The searches with shared weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedSearch {
    /// That of the authors' first version.
    First,
    /// That of their second.
    Second,
    /// A fixed pool, drawn at random.
    RandomPool,
    /// A policy draws the architectures on which the weights are trained.
    Policy,
}

/// How many architectures a strategy is best asked for at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// As many as a round has.
    Rounds,
    /// One after another once the first round is over: each is bred from what the last one measured.
    OneByOne,
    /// One after another from the first on.
    OneByOneFromTheFirst,
}
