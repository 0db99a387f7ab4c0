//! From an architecture to a network: skeleton, explicit plan, cost, published networks.

mod block;
mod calibration;
mod cell_plan;
mod concat;
mod convention;
mod cost;
mod ends;
mod graph_plan;
mod layer;
mod operation;
mod plan;
mod recurrent;
mod relaxed;
mod skeleton;
mod supernet;
mod table;
mod walk;
mod zoo;

pub use block::{Block, BlockError, BlockRole, PlannedLayer};
pub use cell_plan::{BranchPlan, CellPlan, NodePlan, OutputPiece};
pub use concat::{CellOutputs, Concat};
pub use convention::{CONVENTIONS, Convention};
pub use cost::Cost;
pub use graph_plan::{GraphError, GraphNode, GraphPlan, GraphValue, Join};
pub use layer::{ConvSpec, FeatureShape, Layer, LayerError, PoolSpec};
pub use plan::{AuxiliaryPlan, GeometryError, NetworkPlan};
pub use recurrent::{LanguageModelSkeleton, OutputMean};
pub use relaxed::{MixedEdge, RelaxedCellPlan, RelaxedPlan};
pub use skeleton::{Reduction, Skeleton, Stem};
pub use supernet::{SharedCellPlan, SharedNode, SharedOp, SupernetPlan};
pub use table::{TableRow, Verdict, results_table};
pub use zoo::{
    DenseNetBc, Published, PublishedPerplexity, RECURRENT_ZOO_NAMES, RecurrentEntry, ResNext29,
    UnknownRecurrentEntry, UnpublishedCells, ZOO_NAMES, ZooEntry, ZooError, ZooGraph, ZooNetwork,
    recurrent_zoo, recurrent_zoo_entry, zoo, zoo_entry, zoo_networks,
};
