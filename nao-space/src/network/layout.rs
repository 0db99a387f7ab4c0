//! What a skeleton becomes, from the images to the classifier. Networks differ in the cells that stand at its sites.

use super::block::Block;
use super::convention::{AuxiliaryCell, Rules};
use super::ends::AuxiliaryPlan;
use super::ends::{auxiliary_head, head, stem_blocks};
use super::error::GeometryError;
use super::layer::FeatureShape;
use super::skeleton::{Skeleton, Stem};
use crate::image::CellRole;

/// What decides the layers of a cell, besides the cell itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellSite<'a> {
    pub index: usize,
    pub role: CellRole,
    pub width: usize,
    /// The outputs of the two cells before, older first.
    pub inputs: [FeatureShape; 2],
    pub rules: &'a Rules,
}

/// A skeleton laid out: stem, cells, heads.
pub(super) struct Layout<C> {
    pub stem: Vec<Block>,
    pub cells: Vec<C>,
    pub auxiliary: Option<AuxiliaryPlan>,
    pub head: Block,
}

/// Lays out stem, cells, the auxiliary head where there is one, and head. `lay` makes the cell of a site, given the cell
/// before it; `output` tells what a cell puts out. Reductions double the width.
///
/// # Errors
/// When a setting cannot be, or a map that has to be halved cannot, or is too small for the auxiliary head.
pub(super) fn lay_out<C>(
    skeleton: &Skeleton,
    rules: &Rules,
    output: impl Fn(&C) -> FeatureShape,
    lay: impl Fn(&CellSite<'_>, Option<&C>) -> C,
) -> Result<Layout<C>, GeometryError> {
    check_settings(skeleton)?;
    check_halved(skeleton, skeleton.input, skeleton.stem.halvings(), "stem")?;
    let stem = stem_blocks(skeleton.stem, skeleton.input, skeleton.width);
    let last = &stem[stem.len() - 1];
    let mut inputs = [stem.iter().nth_back(1).unwrap_or(last).output, last.output];
    let mut width = skeleton.width;
    let mut cells: Vec<C> = Vec::with_capacity(skeleton.cells());
    for index in 0..skeleton.cells() {
        let reduction = skeleton.reductions().iter().position(|&at| at == index);
        let role = if reduction.is_some() { CellRole::Reduction } else { CellRole::Normal };
        if let Some(which) = reduction {
            check_halved(skeleton, inputs[1], 1, ["first reduction", "second reduction"][which])?;
            width *= 2;
        }
        let cell = lay(&CellSite { index, role, width, inputs, rules }, cells.last());
        inputs = [inputs[1], output(&cell)];
        cells.push(cell);
    }
    let auxiliary = if skeleton.auxiliary {
        let second = skeleton.reductions()[1];
        let after_cell = match rules.auxiliary_cell {
            AuxiliaryCell::LastBefore => second - 1,
            AuxiliaryCell::Itself => second,
            AuxiliaryCell::FirstAfter => (second + 1).min(cells.len() - 1),
        };
        let map = output(&cells[after_cell]);
        let block = auxiliary_head(rules, skeleton.stem, map, skeleton.classes)?;
        Some(AuxiliaryPlan { after_cell, block })
    } else {
        None
    };
    let head = head(rules, inputs[1], skeleton.classes);
    Ok(Layout { stem, cells, auxiliary, head })
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

/// Checks that a map can be halved this many times.
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
