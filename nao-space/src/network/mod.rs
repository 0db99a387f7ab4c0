//! From an architecture to a network: skeleton, explicit plan, cost, published networks.

mod block;
mod calibration;
mod concat;
mod convention;
mod cost;
mod ends;
mod error;
mod layer;
mod layout;
mod operation;
mod plan;
mod published;
mod skeleton;
mod zoo;

pub use block::{Block, BlockError, BlockRole, PlannedLayer};
pub use concat::{CellOutputs, Concat};
pub use convention::{CONVENTIONS, Convention};
pub use cost::Cost;
pub use ends::AuxiliaryPlan;
pub use error::GeometryError;
pub use layer::{ConvSpec, FeatureShape, Layer, LayerError, PoolSpec};
pub use plan::{
    BranchPlan, CellPlan, GraphError, GraphNode, GraphPlan, GraphValue, Join, LanguageModelSkeleton,
    MixedEdge, NetworkPlan, NodePlan, OutputMean, OutputPiece, RelaxedCellPlan, RelaxedPlan, SharedCellPlan,
    SharedNode, SharedOp, SupernetPlan,
};
pub use published::{CountComparison, TableRow, results_table};
pub use skeleton::{Reduction, Skeleton, Stem};
pub use zoo::{
    DenseNetBc, Published, PublishedPerplexity, RecurrentEntry, ResNext29, UnknownRecurrentEntry,
    UnpublishedCells, ZooEntry, ZooError, ZooGraph, ZooNetwork, recurrent_zoo, recurrent_zoo_entry,
    recurrent_zoo_names, zoo, zoo_entry, zoo_networks,
};
