//! What can be named on the command line: strategies, and what a program adds of its own.

use nao_controller::registry::{SearchKind, Strategies};

/// The tables that help texts, messages and commands read.
#[derive(Clone, Default)]
pub struct Registries {
    /// The strategies.
    pub(crate) strategies: Strategies,
}

/// The kinds of searches that `nao search` carries out; a strategy that looks at labels of a table needs a table.
pub(crate) fn in_runs(kind: SearchKind) -> bool {
    kind != SearchKind::CheapTrials
}

/// The kinds that `nao bench` carries out.
pub(crate) fn in_tables(kind: SearchKind) -> bool {
    matches!(kind, SearchKind::Trials | SearchKind::CheapTrials)
}
