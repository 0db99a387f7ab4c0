//! The plan of a relaxed network: on every edge of every cell all operations at once, weighed (Liu, Simonyan and Yang,
//! ICLR 2019).

use serde::Serialize;

use crate::image::{CellRole, Op, State};
use crate::network::block::{Block, BlockRole};
use crate::network::calibration::calibration;
use crate::network::convention::Convention;
use crate::network::cost::Cost;
use crate::network::error::GeometryError;
use crate::network::layer::{FeatureShape, Layer};
use crate::network::layout::{CellSite, Layout, lay_out};
use crate::network::operation::{Place, op_layers};
use crate::network::skeleton::Skeleton;
use crate::spaces::{DartsSpace, RelaxedEdge};

/// An edge with all operations that it may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MixedEdge {
    /// The node that it leads to and the state that it reads.
    pub edge: RelaxedEdge,
    /// One block per operation of the space, in the order of its set. A pool is followed by a norm.
    pub options: Vec<Block>,
}

/// A cell in which every node reads every earlier state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelaxedCellPlan {
    /// Its position, counted from 0.
    pub index: usize,
    /// Normal or reduction.
    pub role: CellRole,
    /// Calibration of the older and the newer input.
    pub calibration: [Block; 2],
    /// The edges, in the order of [`DartsSpace::edges`].
    pub edges: Vec<MixedEdge>,
    /// Shape of the output, which concatenates all nodes.
    pub output: FeatureShape,
}

/// A whole network of such cells, by the habits of DARTS. In its cells no norm has a learned scale or shift: the
/// weights of the mixture would be scaled by them.
///
/// ```
/// use nao_space::network::{RelaxedPlan, Skeleton};
/// // The search of DARTS on CIFAR-10: eight cells, sixteen channels.
/// let plan = RelaxedPlan::new(&Skeleton { ..Skeleton::cifar10(2, 16) })?;
/// assert_eq!((plan.cells.len(), plan.params()), (8, 1_930_618));
/// # Ok::<(), nao_space::network::GeometryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelaxedPlan {
    /// What it was made from.
    pub skeleton: Skeleton,
    /// From image to features.
    pub stem: Vec<Block>,
    /// The cells in order.
    pub cells: Vec<RelaxedCellPlan>,
    /// Pool and classifier.
    pub head: Block,
}

impl RelaxedPlan {
    /// Lays out the relaxed network on a skeleton, whose convention is not looked at and whose auxiliary head is left out.
    ///
    /// # Errors
    /// When the images cannot be halved by the stem and the two reductions, or a setting cannot be.
    pub fn new(skeleton: &Skeleton) -> Result<Self, GeometryError> {
        let skeleton = Skeleton { convention: Convention::Darts, auxiliary: false, ..*skeleton };
        let (space, rules) = (DartsSpace::default(), skeleton.convention.rules());
        let Layout { stem, cells, head, .. } = lay_out(
            &skeleton,
            &rules,
            |cell: &RelaxedCellPlan| cell.output,
            |site, _| RelaxedCellPlan::at(site, &space),
        )?;
        Ok(RelaxedPlan { skeleton, stem, cells, head })
    }

    /// Number of trained values: the norms of the cells count nothing.
    pub fn params(&self) -> u64 {
        let of_cells: u64 = self.cells.iter().map(RelaxedCellPlan::params).sum();
        let ends: Cost = self.stem.iter().chain([&self.head]).map(Block::cost).sum();
        of_cells + ends.params
    }
}

impl RelaxedCellPlan {
    fn at(site: &CellSite<'_>, space: &DartsSpace) -> Self {
        let CellSite { index, role, width, inputs, rules } = *site;
        let calibration = calibration(rules, index == 0, inputs, width);
        let mut states: Vec<FeatureShape> = calibration.iter().map(|block| block.output).collect();
        let mut edges = Vec::new();
        for edge in DartsSpace::edges() {
            let input = states[edge.input.index()];
            let halves = role == CellRole::Reduction && edge.input.is_cell_input();
            let place = Place { input: width, width, stride: if halves { 2 } else { 1 }, rules };
            let option = |op: Op| {
                let mut layers = op_layers(op, place);
                if matches!(op, Op::MaxPool { .. } | Op::AvgPool { .. } | Op::MinPool { .. }) {
                    layers.push(Layer::BatchNorm { channels: width });
                }
                Block::laid(BlockRole::Operation(op), input, layers)
            };
            let options: Vec<Block> = space.ops().ops().map(option).collect();
            if states.len() == edge.node + State::INPUTS {
                states.push(options[0].output);
            }
            edges.push(MixedEdge { edge, options });
        }
        let output = states[State::INPUTS].with_channels(width * DartsSpace::NODES);
        RelaxedCellPlan { index, role, calibration, edges, output }
    }

    /// Every block of the cell in the order in which data flows.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.calibration.iter().chain(self.edges.iter().flat_map(|edge| &edge.options))
    }

    fn params(&self) -> u64 {
        let norms = |block: &Block| -> u64 {
            let of = |layer: &Layer| {
                if let Layer::BatchNorm { channels } = layer { 2 * *channels as u64 } else { 0 }
            };
            block.layers.iter().map(|planned| of(&planned.layer)).sum()
        };
        self.blocks().map(|block| block.cost().params - norms(block)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_operations_of_an_edge_make_the_map_of_its_node() {
        let plan = RelaxedPlan::new(&Skeleton::cifar10(1, 4)).unwrap();
        assert_eq!(plan.cells.len(), 5);
        for cell in &plan.cells {
            assert_eq!(cell.edges.len(), 14);
            for MixedEdge { options, .. } in &cell.edges {
                assert_eq!(options.len(), 7);
                assert!(options.iter().all(|block| block.output.same_size(cell.output)), "{options:?}");
            }
        }
        let odd = Skeleton::cifar10(1, 4).for_data(FeatureShape::new(6, 6, 3), 10);
        assert!(RelaxedPlan::new(&odd).unwrap_err().to_string().contains("multiples of 4"));
    }
}
