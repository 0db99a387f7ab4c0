//! The words of image cells: operations, named sets of them, cells, architectures, and the forms of an architecture
//! that belong to no space.

mod arch;
mod canonical;
mod cell;
mod darts_vocabulary;
mod op;
mod op_set;
mod tf_dag;
pub(crate) mod tf_vocabulary;

pub use arch::{CellRole, CnnArch};
pub(crate) use canonical::{canonical_cell, op_rank, respell_cell};
pub use cell::{Cell, Edge, InvalidCell, Node, State};
pub(crate) use darts_vocabulary::DARTS_OPS;
pub use op::{ALL_OPS, Border, Op, OpKind, UnknownOp};
pub use op_set::{OP_SET_NAMES, OP_SETS, OpId, OpSet, OpSetEntry, UnknownOpSet};
pub use tf_dag::{NoTfName, cnn_from_tf_dag, cnn_to_tf_dag};
