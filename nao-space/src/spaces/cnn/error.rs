//! Why there is no space of cells with given settings.

use super::encoding::Encoding;
use crate::image::{Cell, Op};

/// Why there is no such space.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCnnSpace {
    /// A number of nodes that cells cannot have.
    #[error("a cell has 1 to {} nodes, {nodes} is not among them", Cell::MAX_NODES)]
    Nodes {
        /// The number asked for.
        nodes: usize,
    },
    /// No operations.
    #[error("the operation set `{name}` is empty")]
    NoOps {
        /// The name of the set.
        name: String,
    },
    /// An operation that the encoding cannot write.
    #[error("the encoding `{encoding}` has no word for {op}; leave it out of the set or encode as `pairs`")]
    NoWord {
        /// The operation.
        op: Op,
        /// The encoding.
        encoding: Encoding,
    },
    /// Two operations that the encoding writes alike.
    #[error(
        "the encoding `{encoding}` writes {} and {} alike; leave one out of the set or encode as `pairs`",
        .ops[0], .ops[1]
    )]
    SharedWord {
        /// The operations.
        ops: [Op; 2],
        /// The encoding.
        encoding: Encoding,
    },
}
