//! The strategies that a user can name: one table, from which help texts, messages, searches and contests read, and to
//! which a program adds its own.

mod build;
mod config;
mod configure;
mod entry;
mod error;
mod file;
mod laying;
mod old_shape;
mod own;
mod strategies;
mod table;
#[cfg(test)]
mod tests;

pub use config::{STRUCTURE, StrategyConfig, StrategySettings};
pub use configure::{Base, Configured};
pub use entry::{Asking, SearchKind, SharedSearch, StrategyEntry};
pub use error::StrategyError;
pub use own::{BuildFor, NoSettings, OwnStrategy, Registered, RegisteredSpace};
pub use strategies::Strategies;

/// The sections in which version 0.1 had the settings of strategies.
pub use old_shape::SECTIONS as OLD_SECTIONS;
