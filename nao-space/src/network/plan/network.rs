//! The explicit plan of a network: every layer with its shapes. Counts, built networks and drawings all read
//! it, so they cannot disagree.

use serde::Serialize;

use super::cell::CellPlan;
use crate::image::CnnArch;
use crate::network::block::Block;
use crate::network::concat::{CellOutputs, Concat};
use crate::network::cost::Cost;
use crate::network::ends::AuxiliaryPlan;
use crate::network::error::GeometryError;
use crate::network::layout::{CellSite, Layout, lay_out};
use crate::network::skeleton::Skeleton;

/// A whole network, layer by layer. Its JSON form spells out every layer with its shapes, for programs that build the
/// network elsewhere.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

impl NetworkPlan {
    /// Lays out the network of `arch` on `skeleton`. Cells concatenate what is usual in the skeleton's
    /// convention ([`Concat::of`]).
    ///
    /// # Errors
    /// When the images cannot be halved by the stem and the two reductions, are too small for the auxiliary
    /// head, or a setting of the skeleton is zero, absurdly large or an odd width.
    pub fn new(arch: &CnnArch, skeleton: &Skeleton) -> Result<Self, GeometryError> {
        NetworkPlan::with_outputs(arch, &CellOutputs::both(Concat::of(skeleton.convention)), skeleton)
    }

    /// The same with cells that concatenate given states.
    ///
    /// # Errors
    /// As [`NetworkPlan::new`], and when a list of states is empty, repeats one or names one that is not there.
    pub fn with_outputs(
        arch: &CnnArch,
        outputs: &CellOutputs,
        skeleton: &Skeleton,
    ) -> Result<Self, GeometryError> {
        let rules = skeleton.convention.rules();
        let concats = outputs.of_arch(arch)?;
        let lay = |site: &CellSite<'_>, before: Option<&CellPlan>| match before {
            Some(before) if site.repeats(before) => CellPlan { index: site.index, ..before.clone() },
            _ => site.plan(arch.cell(site.role), concats.of(site.role)),
        };
        let Layout { stem, cells, auxiliary, head } =
            lay_out(skeleton, &rules, |cell: &CellPlan| cell.output, lay)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{CellRole, OP_SET_NAMES, OpSet, State};
    use crate::language::Space;
    use crate::network::{BlockRole, CONVENTIONS, Convention, FeatureShape, Reduction, zoo_entry};
    use crate::seed::rng_for;
    use crate::spaces::CnnSpace;

    /// Every convention and form of reduction, small.
    fn skeletons() -> impl Iterator<Item = Skeleton> {
        let reductions = [Reduction::Cell, Reduction::InPlace];
        CONVENTIONS.into_iter().flat_map(move |convention| {
            reductions
                .map(|reduction| Skeleton { convention, reduction, ..Skeleton::cifar10(2, 4) })
                .map(|skeleton| skeleton.with_auxiliary(true))
        })
    }

    #[test]
    fn all_branches_of_a_node_agree_in_shape() {
        let space = CnnSpace::new(5, OpSet::v1_14()).unwrap();
        for index in 0..20 {
            let arch = space.sample(&mut rng_for(1, "plan", index));
            for skeleton in skeletons() {
                let plan = NetworkPlan::new(&arch, &skeleton).unwrap();
                for node in plan.cells.iter().flat_map(|cell| &cell.nodes) {
                    assert_eq!(node.branches[0].block.output, node.branches[1].block.output, "{node:?}");
                }
                for cell in &plan.cells {
                    let channels: usize = cell.pieces.iter().map(|piece| piece.block.output.channels).sum();
                    assert_eq!(channels, cell.output.channels);
                    for piece in &cell.pieces {
                        assert!(piece.block.output.same_size(cell.output));
                    }
                }
            }
        }
    }

    /// Plans lay layers without checking them; the checks of hand-made blocks agree with what they lay.
    #[test]
    fn every_planned_layer_reads_what_it_is_given() {
        for set in OP_SET_NAMES {
            let space = CnnSpace::new(4, OpSet::named(set).unwrap()).unwrap();
            for (index, skeleton) in (0..).zip(skeletons()) {
                let arch = space.sample(&mut rng_for(2, set, index));
                let plan = NetworkPlan::new(&arch, &skeleton).unwrap();
                let cells = plan.cells.iter().flat_map(CellPlan::blocks);
                let auxiliary = plan.auxiliary.iter().map(|auxiliary| &auxiliary.block);
                for block in plan.stem.iter().chain(cells).chain(auxiliary).chain([&plan.head]) {
                    let layers = block.layers.iter().map(|planned| planned.layer);
                    assert_eq!(Block::new(block.role, block.input, layers).as_ref(), Ok(block));
                }
            }
        }
    }

    #[test]
    fn repeated_cells_are_planned_as_if_each_were_new() {
        let arch = &zoo_entry("NAONet-B").unwrap().arch;
        for convention in CONVENTIONS {
            let rules = convention.rules();
            let plan = NetworkPlan::new(arch, &Skeleton { convention, ..Skeleton::cifar10(4, 8) }).unwrap();
            for cell in &plan.cells {
                let inputs = cell.calibration.each_ref().map(|block| block.input);
                let site =
                    CellSite { index: cell.index, role: cell.role, width: cell.width, inputs, rules: &rules };
                let concat: Vec<State> = cell.pieces.iter().map(|piece| piece.state).collect();
                assert_eq!(*cell, site.plan(arch.cell(cell.role), &concat));
            }
        }
    }

    #[test]
    fn reductions_in_place_replace_the_first_cell_of_a_stage() {
        let arch = &zoo_entry("NAONet-B").unwrap().arch;
        let skeleton = Skeleton { reduction: Reduction::InPlace, ..Skeleton::cifar10(2, 4) };
        let plan = NetworkPlan::new(arch, &skeleton).unwrap();
        let sizes: Vec<(usize, usize)> =
            plan.cells.iter().map(|cell| (cell.width, cell.output.height)).collect();
        assert_eq!(sizes, [(4, 32), (4, 32), (8, 16), (8, 16), (16, 8), (16, 8)]);
        assert_eq!(plan.cells[2].role, CellRole::Reduction);
    }

    #[test]
    fn listed_states_are_concatenated_and_mended() {
        let arch = &zoo_entry("NAONet-B").unwrap().arch;
        let skeleton = Skeleton { convention: Convention::NaoTf, ..Skeleton::cifar10(1, 4) };
        let plan = |normal: &[u8], reduction: &[u8]| {
            let states = |list: &[u8]| list.iter().map(|&state| State(state)).collect();
            NetworkPlan::with_outputs(arch, &CellOutputs::lists(states(normal), states(reduction)), &skeleton)
        };
        let network = plan(&[0, 6], &[1, 2, 3]).unwrap();
        let roles = |cell: usize| -> Vec<BlockRole> {
            network.cells[cell].pieces.iter().map(|piece| piece.block.role).collect()
        };
        // The stem has 12 channels and comes as it is.
        assert_eq!(roles(0), [BlockRole::Projection, BlockRole::PassThrough]);
        assert_eq!(roles(1), [BlockRole::Reduction, BlockRole::PassThrough, BlockRole::PassThrough]);
        assert_eq!(network.cells[1].output, FeatureShape::new(16, 16, 24));
        for (normal, reduction) in [(&[][..], &[2][..]), (&[2, 2], &[2]), (&[2], &[7])] {
            let message = plan(normal, reduction).unwrap_err().to_string();
            assert!(message.contains("states 0 to 6"), "{message}");
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
        assert!(plan(28, 28, true).unwrap_err().contains("at least 8x8, its cell makes 7x7x64"));
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
