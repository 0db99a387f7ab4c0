//! The explicit plan of a network: every layer with its shapes. Counts, built networks and drawings all read
//! it, so they cannot disagree.

use super::block::{auxiliary_head, block, head, op_layers, projection, reduction, stem_blocks};
use super::cost::Cost;
use super::layer::{FeatureShape, Layer};
use super::skeleton::{Convention, Skeleton, Stem};
use crate::arch::{CellRole, CnnArch};
use crate::cell::{Cell, State};
use crate::op::Op;

/// What a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockRole {
    /// From image to the first features.
    Stem,
    /// An operation of a node.
    Operation(Op),
    /// ReLU, 1x1 convolution, norm: brings a cell input to the width of the cell.
    Projection,
    /// Factorized reduction: brings a cell input, or a loose one at the end, to the size of the cell.
    Reduction,
    /// Nothing to do.
    PassThrough,
    /// The auxiliary head.
    Auxiliary,
    /// Pool and classifier.
    Head,
}

/// One layer with what goes in and comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedLayer {
    /// The layer.
    pub layer: Layer,
    /// Shape of its input.
    pub input: FeatureShape,
    /// Shape of its output.
    pub output: FeatureShape,
}

/// Layers one after another; none at all passes the input through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What the block is for.
    pub role: BlockRole,
    /// Shape of its input.
    pub input: FeatureShape,
    /// Its layers.
    pub layers: Vec<PlannedLayer>,
    /// Shape of its output.
    pub output: FeatureShape,
}

impl Block {
    /// The sum of its layers.
    pub fn cost(&self) -> Cost {
        self.layers.iter().map(|planned| planned.layer.cost(planned.output)).sum()
    }
}

/// One branch of a node: an operation on a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchPlan {
    /// The state that it reads.
    pub input: State,
    /// The layers of the operation.
    pub block: Block,
}

/// A node: the sum of two branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePlan {
    /// The x branch and the y branch.
    pub branches: [BranchPlan; 2],
}

/// One part of the concatenation at the end of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputPiece {
    /// The loose state.
    pub state: State,
    /// Brings a cell input that is loose in a reduction cell to the size of the cell; otherwise empty.
    pub block: Block,
}

/// One cell of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellPlan {
    /// Its position, counted from 0.
    pub index: usize,
    /// Normal or reduction.
    pub role: CellRole,
    /// Channels of all its states (F times a power of two).
    pub width: usize,
    /// Calibration of the older and the newer input (spec a.3).
    pub calibration: [Block; 2],
    /// The nodes in order.
    pub nodes: Vec<NodePlan>,
    /// The loose ends in ascending order, concatenated along channels.
    pub pieces: Vec<OutputPiece>,
    /// Shape of the output.
    pub output: FeatureShape,
}

impl CellPlan {
    /// Every block of the cell in the order in which data flows.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        let branches = self.nodes.iter().flat_map(|node| node.branches.iter().map(|branch| &branch.block));
        self.calibration.iter().chain(branches).chain(self.pieces.iter().map(|piece| &piece.block))
    }

    /// Whether the next cell has the same layers. Most cells of a stage do, and copying is quicker.
    fn repeats_for(&self, role: CellRole, width: usize, inputs: [FeatureShape; 2]) -> bool {
        let own_inputs = [self.calibration[0].input, self.calibration[1].input];
        (self.role, self.width, own_inputs) == (role, width, inputs)
    }
}

/// The auxiliary head and where it sits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuxiliaryPlan {
    /// The cell whose output it reads, counted from 0. It reads a copy: the cell's own readers see the output
    /// unchanged, unlike in the authors' code (spec f 4).
    pub after_cell: usize,
    /// Its layers, classifier included.
    pub block: Block,
}

/// A whole network, layer by layer.
///
/// ```
/// use nao_space::network::{NetworkPlan, Skeleton, zoo_entry};
/// let arch = &zoo_entry("NAONet-A").unwrap().arch;
/// let skeleton = Skeleton::cifar10(6, 36);
/// let plan = NetworkPlan::new(arch, &skeleton)?;
/// assert_eq!(plan.cost().params, 11_470_150);
/// let with_head = NetworkPlan::new(arch, &skeleton.with_auxiliary(true))?;
/// assert_eq!(with_head.cost_with_auxiliary().params, 11_946_576);
/// # Ok::<(), nao_space::network::GeometryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPlan {
    /// What it was made from.
    pub skeleton: Skeleton,
    /// From image to features: blocks one after another. The first cell reads the outputs of the last two, or
    /// that of a single block twice.
    pub stem: Vec<Block>,
    /// The cells in order; each reads the outputs of the two before it.
    pub cells: Vec<CellPlan>,
    /// The auxiliary head, trained along and left out in use.
    pub auxiliary: Option<AuxiliaryPlan>,
    /// Pool and classifier.
    pub head: Block,
}

/// Why images do not fit a skeleton.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// A map of odd or no size where it must be halved.
    #[error(
        "images of {image} cannot be halved as often as the network does: the {place} meets a map of {map}; \
         height and width must be multiples of {multiple}"
    )]
    NotReducible {
        /// The images.
        image: FeatureShape,
        /// `stem`, `first reduction` or `second reduction`.
        place: &'static str,
        /// The map there.
        map: FeatureShape,
        /// What height and width of the images must be multiples of.
        multiple: usize,
    },
    /// A map too small for the auxiliary head.
    #[error(
        "the auxiliary head needs a map of at least {smallest}x{smallest}, the second reduction makes {map}; \
         switch the auxiliary head off"
    )]
    AuxiliaryTooSmall {
        /// The map.
        map: FeatureShape,
        /// The least height and width.
        smallest: usize,
    },
    /// A setting that is zero, absurdly large, or odd where it must be even.
    #[error("{what} is {value}: it must be {rule}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: usize,
        /// What it must be.
        rule: &'static str,
    },
}

impl NetworkPlan {
    /// Lays out the network of `arch` on `skeleton`.
    ///
    /// # Errors
    /// When the images cannot be halved by the stem and the two reductions, are too small for the auxiliary head, or a setting of the
    /// skeleton is zero, absurdly large or an odd width.
    pub fn new(arch: &CnnArch, skeleton: &Skeleton) -> Result<Self, GeometryError> {
        check_settings(skeleton)?;
        check_halved(skeleton, skeleton.input, skeleton.stem.halvings(), "stem")?;
        let Convention::NaoTorch = skeleton.convention;
        let stem = stem_blocks(skeleton.stem, skeleton.input, skeleton.width);
        let last = &stem[stem.len() - 1];
        let mut inputs = [stem.iter().nth_back(1).unwrap_or(last).output, last.output];
        let mut width = skeleton.width;
        let mut cells: Vec<CellPlan> = Vec::with_capacity(skeleton.cells());
        for index in 0..skeleton.cells() {
            let reduction = skeleton.reductions().iter().position(|&at| at == index);
            let role = if reduction.is_some() { CellRole::Reduction } else { CellRole::Normal };
            if let Some(which) = reduction {
                check_halved(skeleton, inputs[1], 1, ["first reduction", "second reduction"][which])?;
                width *= 2;
            }
            let cell = match cells.last() {
                Some(last) if last.repeats_for(role, width, inputs) => CellPlan { index, ..last.clone() },
                _ => plan_cell(index, role, arch.cell(role), width, inputs),
            };
            inputs = [inputs[1], cell.output];
            cells.push(cell);
        }
        let auxiliary = if skeleton.auxiliary {
            let after_cell = skeleton.reductions()[1];
            let block = auxiliary_head(skeleton.stem, cells[after_cell].output, skeleton.classes)?;
            Some(AuxiliaryPlan { after_cell, block })
        } else {
            None
        };
        let head = head(inputs[1], skeleton.classes);
        Ok(NetworkPlan { skeleton: *skeleton, stem, cells, auxiliary, head })
    }

    /// The cost of the network in use: without the auxiliary head, as papers count.
    pub fn cost(&self) -> Cost {
        let cells = self.cells.iter().flat_map(CellPlan::blocks);
        self.stem.iter().chain(cells).chain([&self.head]).map(Block::cost).sum()
    }

    /// The cost in training: with the auxiliary head, if there is one.
    pub fn cost_with_auxiliary(&self) -> Cost {
        let auxiliary = self.auxiliary.as_ref().map(|auxiliary| auxiliary.block.cost());
        self.cost() + auxiliary.unwrap_or_default()
    }
}

/// Checks the numbers of a skeleton. The upper bounds are far beyond any use; within them every count of a
/// plan fits into 64 bits.
fn check_settings(skeleton: &Skeleton) -> Result<(), GeometryError> {
    let multiplier = match skeleton.stem {
        Stem::Cifar { multiplier } => multiplier,
        Stem::ImageNet => 1,
    };
    let at_most = [
        ("number of cells per stage (N)", skeleton.cells_per_stage, 100, "1 to 100"),
        ("width (F)", skeleton.width, 4096, "2 to 4096"),
        ("stem multiplier", multiplier, 64, "1 to 64"),
        ("number of classes", skeleton.classes, 1 << 20, "1 to 1048576"),
        ("image height", skeleton.input.height, 2048, "1 to 2048"),
        ("image width", skeleton.input.width, 2048, "1 to 2048"),
        ("number of image channels", skeleton.input.channels, 4096, "1 to 4096"),
    ];
    for (what, value, most, rule) in at_most {
        if value == 0 || value > most {
            return Err(GeometryError::Setting { what, value, rule });
        }
    }
    if !skeleton.width.is_multiple_of(2) {
        let (what, value) = ("width (F)", skeleton.width);
        return Err(GeometryError::Setting { what, value, rule: "even, for factorized reductions split it" });
    }
    Ok(())
}

/// Checks that a map can be halved so many times.
fn check_halved(
    skeleton: &Skeleton,
    map: FeatureShape,
    times: u32,
    place: &'static str,
) -> Result<(), GeometryError> {
    let factor = 1 << times;
    if map.height.is_multiple_of(factor) && map.width.is_multiple_of(factor) {
        return Ok(());
    }
    let multiple = 4 << skeleton.stem.halvings();
    Err(GeometryError::NotReducible { image: skeleton.input, place, map, multiple })
}

fn plan_cell(
    index: usize,
    role: CellRole,
    cell: &Cell,
    width: usize,
    [older, newer]: [FeatureShape; 2],
) -> CellPlan {
    let calibration = [calibrate_older(older, newer, width), calibrate(newer, width)];
    let stride_of = |state: State| if role == CellRole::Reduction && state.is_cell_input() { 2 } else { 1 };
    let mut states: Vec<FeatureShape> = calibration.iter().map(|block| block.output).collect();
    let mut nodes = Vec::with_capacity(cell.nodes().len());
    for node in cell.nodes() {
        let branches = node.edges.map(|edge| {
            let layers = op_layers(edge.op, width, stride_of(edge.input));
            let block = block(BlockRole::Operation(edge.op), states[edge.input.index()], layers);
            BranchPlan { input: edge.input, block }
        });
        states.push(branches[0].block.output);
        nodes.push(NodePlan { branches });
    }
    let size = states[State::INPUTS];
    let pieces: Vec<OutputPiece> = cell
        .loose_ends()
        .into_iter()
        .map(|state| {
            let shape = states[state.index()];
            let block = if shape.same_size(size) {
                block(BlockRole::PassThrough, shape, vec![])
            } else {
                block(BlockRole::Reduction, shape, reduction(width, width))
            };
            OutputPiece { state, block }
        })
        .collect();
    let output = size.with_channels(width * pieces.len());
    CellPlan { index, role, width, calibration, nodes, pieces, output }
}

/// Rules 1 and 2 of spec a.3.
fn calibrate_older(older: FeatureShape, newer: FeatureShape, width: usize) -> Block {
    if older.same_size(newer) {
        return calibrate(older, width);
    }
    let layers = [vec![Layer::Relu], reduction(older.channels, width)].concat();
    block(BlockRole::Reduction, older, layers)
}

/// Rules 2 and 3 of spec a.3.
fn calibrate(input: FeatureShape, width: usize) -> Block {
    if input.channels == width {
        return block(BlockRole::PassThrough, input, vec![]);
    }
    block(BlockRole::Projection, input, projection(input.channels, width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::zoo_entry;
    use crate::op_set::OpSet;
    use crate::seed::rng_for;
    use crate::space::Space;
    use crate::spaces::CnnSpace;

    #[test]
    fn all_branches_of_a_node_agree_in_shape() {
        let space = CnnSpace::new(5, OpSet::v1_14()).unwrap();
        for index in 0..50 {
            let arch = space.sample(&mut rng_for(1, "plan", index));
            let plan = NetworkPlan::new(&arch, &Skeleton::cifar10(1, 4)).unwrap();
            for node in plan.cells.iter().flat_map(|cell| &cell.nodes) {
                assert_eq!(node.branches[0].block.output, node.branches[1].block.output, "{node:?}");
            }
            for cell in &plan.cells {
                let channels: usize = cell.pieces.iter().map(|piece| piece.block.output.channels).sum();
                assert_eq!(channels, cell.output.channels);
            }
        }
    }

    #[test]
    fn repeated_cells_are_planned_as_if_each_were_new() {
        let arch = &zoo_entry("NAONet-B").unwrap().arch;
        let plan = NetworkPlan::new(arch, &Skeleton::cifar10(4, 8)).unwrap();
        for cell in &plan.cells {
            let inputs = [cell.calibration[0].input, cell.calibration[1].input];
            let anew = plan_cell(cell.index, cell.role, arch.cell(cell.role), cell.width, inputs);
            assert_eq!(*cell, anew);
        }
    }

    #[test]
    fn geometry_that_does_not_fit_is_refused_with_sizes() {
        let arch = &zoo_entry("NAONet-A").unwrap().arch;
        let plan = |height, width, auxiliary| {
            let skeleton = Skeleton::cifar10(1, 4).for_data(FeatureShape::new(height, width, 3), 10);
            NetworkPlan::new(arch, &skeleton.with_auxiliary(auxiliary)).map(|_| ()).map_err(|e| e.to_string())
        };
        assert_eq!(plan(8, 12, false), Ok(()));
        assert!(plan(30, 32, false).unwrap_err().contains("second reduction meets a map of 15x16"));
        assert!(plan(31, 32, false).unwrap_err().contains("first reduction meets a map of 31x32"));
        assert!(plan(28, 28, true).unwrap_err().contains("at least 8x8, the second reduction makes 7x7x64"));
        assert_eq!(plan(32, 32, true), Ok(()));
    }

    #[test]
    fn the_imagenet_stem_shrinks_images_to_an_eighth() {
        let arch = &zoo_entry("NAONet-B").unwrap().arch;
        let plan = |side, auxiliary| {
            let skeleton = Skeleton::imagenet(1, 8).for_data(FeatureShape::new(side, side, 3), 10);
            NetworkPlan::new(arch, &skeleton.with_auxiliary(auxiliary))
        };
        let network = plan(128, false).unwrap();
        let first = &network.cells[0];
        assert_eq!(first.calibration[0].input, FeatureShape::new(32, 32, 8));
        assert_eq!(first.calibration[1].input, FeatureShape::new(16, 16, 8));
        assert_eq!(first.output, FeatureShape::new(16, 16, 24));
        let refused = |side, auxiliary| plan(side, auxiliary).unwrap_err().to_string();
        assert!(refused(100, false).contains("the stem meets a map of 100x100x3"), "{}", refused(100, false));
        assert!(
            refused(144, false).contains("second reduction meets a map of 9x9"),
            "{}",
            refused(144, false)
        );
        assert!(refused(144, false).contains("multiples of 32"));
        assert!(refused(192, true).contains("at least 7x7"), "{}", refused(192, true));
        assert!(plan(224, true).is_ok());
    }

    #[test]
    fn zero_and_odd_settings_are_refused() {
        let arch = &zoo_entry("NAONet-A").unwrap().arch;
        for (skeleton, word) in [
            (Skeleton::cifar10(0, 4), "(N) is 0"),
            (Skeleton::cifar10(1, 0), "(F) is 0"),
            (Skeleton::cifar10(1, 5), "(F) is 5: it must be even"),
            (Skeleton { classes: 0, ..Skeleton::cifar10(1, 4) }, "classes is 0"),
        ] {
            let error = NetworkPlan::new(arch, &skeleton).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
