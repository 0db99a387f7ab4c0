//! From an architecture to a network: skeleton, explicit plan, cost, published networks.

mod block;
mod cost;
mod layer;
mod plan;
mod skeleton;
mod zoo;

pub use cost::Cost;
pub use layer::{ConvSpec, FeatureShape, Layer, PoolSpec};
pub use plan::{
    AuxiliaryPlan, Block, BlockRole, BranchPlan, CellPlan, GeometryError, NetworkPlan, NodePlan, OutputPiece,
    PlannedLayer,
};
pub use skeleton::{Convention, Skeleton, Stem};
pub use zoo::{Published, UnknownZooName, ZOO_NAMES, ZooEntry, zoo, zoo_entry};
