//! The plan of a supernet: one network that holds the weights of every architecture of a space (docs/specification.md,
//! a.7).

use serde::Serialize;

use crate::image::{CellRole, Op, State};
use crate::network::block::{Block, BlockRole};
use crate::network::calibration::{calibration, fit};
use crate::network::convention::Convention;
use crate::network::cost::Cost;
use crate::network::ends::AuxiliaryPlan;
use crate::network::error::GeometryError;
use crate::network::layer::{ConvSpec, FeatureShape, Layer};
use crate::network::layout::{CellSite, Layout, lay_out};
use crate::network::operation::{Place, op_layers};
use crate::network::skeleton::{Reduction, Skeleton};
use crate::spaces::CnnSpace;

/// One operation of one node with weights of its own for every state that it may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedOp {
    /// The operation.
    pub op: Op,
    /// Its layers on state 0, 1, …: alike in kind and width, but for the stride on the inputs of a reduction cell.
    pub blocks: Vec<Block>,
}

/// A node: every operation, once for each of its two sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedNode {
    /// The operations in the order of the space's set. Each of the two branches has them all to itself.
    pub ops: Vec<SharedOp>,
}

/// A cell that can be any cell of the space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedCellPlan {
    /// Its position, counted from 0.
    pub index: usize,
    /// Normal or reduction.
    pub role: CellRole,
    /// Channels of its nodes and of its output.
    pub width: usize,
    /// Calibration of the older and the newer input (docs/specification.md, a.3).
    pub calibration: [Block; 2],
    /// The nodes in order.
    pub nodes: Vec<SharedNode>,
    /// What brings the two cell inputs to the size of the nodes where they are loose ends: reductions in a reduction
    /// cell, nothing elsewhere.
    pub loose_inputs: [Block; 2],
    /// The convolution of ReLU of one state, one block of weights per state: their sum over the loose ends, normalised,
    /// is the output of the cell.
    pub combine: ConvSpec,
    /// Shape of the nodes and of the output.
    pub output: FeatureShape,
}

impl SharedCellPlan {
    /// Number of states: the two inputs and the nodes.
    pub fn states(&self) -> usize {
        State::INPUTS + self.nodes.len()
    }

    /// The norm of the output.
    pub fn combine_norm(&self) -> Layer {
        Layer::BatchNorm { channels: self.width }
    }

    fn at(site: &CellSite<'_>, space: &CnnSpace) -> Self {
        let CellSite { index, role, width, inputs, rules } = *site;
        let calibration = calibration(rules, index == 0, inputs, width);
        let calibrated = calibration.each_ref().map(|block| block.output);
        let halves = role == CellRole::Reduction;
        let [_, FeatureShape { height, width: columns, .. }] = calibrated;
        let by = if halves { 2 } else { 1 };
        let output = FeatureShape::new(height / by, columns / by, width);
        let block = |op: Op, state: usize| {
            let reads_input = state < State::INPUTS;
            let input = if reads_input { calibrated[state] } else { output };
            let stride = if halves && reads_input { 2 } else { 1 };
            let place = Place { input: width, width, stride, rules };
            Block::laid(BlockRole::Operation(op), input, op_layers(op, place))
        };
        let node = |node: usize| {
            let states = 0..State::INPUTS + node;
            let shared = |op| SharedOp { op, blocks: states.clone().map(|state| block(op, state)).collect() };
            SharedNode { ops: space.ops().ops().map(shared).collect() }
        };
        SharedCellPlan {
            index,
            role,
            width,
            nodes: (0..space.nodes()).map(node).collect(),
            loose_inputs: calibrated.map(|input| fit(input, output)),
            combine: ConvSpec::same(width, width, [1, 1]),
            calibration,
            output,
        }
    }

    fn params(&self) -> u64 {
        let ops = self.nodes.iter().flat_map(|node| &node.ops).flat_map(|shared| &shared.blocks);
        let sides = 2 * ops.map(params).sum::<u64>();
        let around = self.calibration.iter().chain(&self.loose_inputs).map(params).sum::<u64>();
        let combine = Layer::Conv(self.combine).cost(self.output).params * self.states() as u64;
        around + sides + combine + self.combine_norm().cost(self.output).params
    }
}

fn params(block: &Block) -> u64 {
    block.cost().params
}

/// One network for a whole space, layer by layer (docs/specification.md, a.7): in each cell every operation of every
/// node has weights of its own per branch and per state that it may read, and the loose ends are combined to the width
/// of the cell, so that the later cells are the same whatever architecture runs.
///
/// ```
/// use nao_space::network::{Skeleton, SupernetPlan};
/// use nao_space::{CnnSpace, OpSet};
/// let space = CnnSpace::new(5, OpSet::enas_5())?;
/// let plan = SupernetPlan::new(&space, &Skeleton::cifar10(3, 20))?;
/// assert_eq!(plan.params(), 7_387_350);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SupernetPlan {
    /// What it was made from.
    pub skeleton: Skeleton,
    /// From image to features.
    pub stem: Vec<Block>,
    /// The cells in order.
    pub cells: Vec<SharedCellPlan>,
    /// The auxiliary head.
    pub auxiliary: Option<AuxiliaryPlan>,
    /// Pool and classifier.
    pub head: Block,
}

impl SupernetPlan {
    /// Lays out the supernet of a space on a skeleton of the authors' PyTorch convention with cells for reductions.
    ///
    /// # Errors
    /// When the skeleton is of another convention, or cannot be laid out for the images ([`GeometryError`]).
    pub fn new(space: &CnnSpace, skeleton: &Skeleton) -> Result<Self, GeometryError> {
        if skeleton.convention != Convention::NaoTorch || skeleton.reduction != Reduction::Cell {
            return Err(GeometryError::NoSupernet { convention: skeleton.convention });
        }
        let rules = skeleton.convention.rules();
        let Layout { stem, cells, auxiliary, head } = lay_out(
            skeleton,
            &rules,
            |cell: &SharedCellPlan| cell.output,
            |site, _| SharedCellPlan::at(site, space),
        )?;
        Ok(SupernetPlan { skeleton: *skeleton, stem, cells, auxiliary, head })
    }

    /// Number of trainable values, auxiliary head excluded, as papers count.
    pub fn params(&self) -> u64 {
        let ends: Cost = self.stem.iter().chain([&self.head]).map(Block::cost).sum();
        ends.params + self.cells.iter().map(SharedCellPlan::params).sum::<u64>()
    }

    /// Number of trainable values, auxiliary head included.
    pub fn params_with_auxiliary(&self) -> u64 {
        self.params() + self.auxiliary.as_ref().map_or(0, |auxiliary| params(&auxiliary.block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::OpSet;

    #[test]
    fn every_operation_of_every_set_makes_the_same_map_on_every_state() {
        for name in ["enas-5", "v2-10", "paper-11", "v2-11"] {
            let space = CnnSpace::new(4, OpSet::named(name).unwrap()).unwrap();
            let plan = SupernetPlan::new(&space, &Skeleton::cifar10(1, 4).with_auxiliary(true)).unwrap();
            for cell in &plan.cells {
                for (node, shared) in cell.nodes.iter().enumerate() {
                    for SharedOp { op, blocks } in &shared.ops {
                        assert_eq!(blocks.len(), node + State::INPUTS, "{op}");
                        assert!(blocks.iter().all(|block| block.output == cell.output), "{op}: {blocks:?}");
                    }
                }
                for input in &cell.loose_inputs {
                    assert_eq!(input.output, cell.output);
                }
            }
        }
    }

    #[test]
    fn skeletons_of_other_code_bases_are_refused() {
        let skeleton = Skeleton { convention: Convention::Darts, ..Skeleton::cifar10(1, 4) };
        let error = SupernetPlan::new(&CnnSpace::default(), &skeleton).unwrap_err().to_string();
        assert!(error.contains("DARTS"), "{error}");
    }
}
