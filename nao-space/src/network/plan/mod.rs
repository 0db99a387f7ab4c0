//! Explicit plans of networks: every layer with its shapes.

mod cell;
mod graph;
mod language;
mod network;
mod relaxed;
mod supernet;

pub use cell::{BranchPlan, CellPlan, NodePlan, OutputPiece};
pub use graph::{GraphError, GraphNode, GraphPlan, GraphValue, Join};
pub use language::{LanguageModelSkeleton, OutputMean};
pub use network::NetworkPlan;
pub use relaxed::{MixedEdge, RelaxedCellPlan, RelaxedPlan};
pub use supernet::{SharedCellPlan, SharedNode, SharedOp, SupernetPlan};
