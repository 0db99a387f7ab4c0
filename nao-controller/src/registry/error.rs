//! Why a strategy cannot be named, set or made.

use crate::error::ControllerError;

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
