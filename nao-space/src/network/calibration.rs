//! Bringing cell inputs to the size and width of a cell (docs/specification.md, a.3), and concatenated states that do
//! not fit.

use super::block::{Block, BlockRole};
use super::convention::{Projection, Rules};
use super::layer::{ConvSpec, FeatureShape, Layer};
use super::operation::reduction;

/// The calibration of the older and the newer input of a cell of `width`.
pub(super) fn calibration(
    rules: &Rules,
    is_first_cell: bool,
    [older, newer]: [FeatureShape; 2],
    width: usize,
) -> [Block; 2] {
    let calibrated_older = if !older.same_size(newer) {
        let layers = [&[Layer::Relu][..], &reduction(older.channels, width)].concat();
        Block::laid(BlockRole::Reduction, older, layers)
    } else if is_first_cell && rules.raw_first_input {
        Block::laid(BlockRole::PassThrough, older, vec![])
    } else {
        project(rules.older, older, width)
    };
    [calibrated_older, project(rules.newer, newer, width)]
}

fn project(rule: Projection, input: FeatureShape, width: usize) -> Block {
    let once = |input| {
        let conv = ConvSpec::same(input, width, [1, 1]);
        [Layer::Relu, Layer::Conv(conv), Layer::BatchNorm { channels: width }]
    };
    let fits = input.channels == width;
    let layers = match rule {
        Projection::WhereNeeded if fits => return Block::laid(BlockRole::PassThrough, input, vec![]),
        Projection::WhereNeededAndOnceMore if !fits => [once(input.channels), once(width)].concat(),
        _ => once(input.channels).to_vec(),
    };
    Block::laid(BlockRole::Projection, input, layers)
}

/// Brings a concatenated state to the shape of the nodes. No ReLU comes first, unlike in calibration.
pub(super) fn fit(state: FeatureShape, nodes: FeatureShape) -> Block {
    if !state.same_size(nodes) {
        let layers = reduction(state.channels, nodes.channels);
        return Block::laid(BlockRole::Reduction, state, layers.to_vec());
    }
    if state.channels == nodes.channels {
        return Block::laid(BlockRole::PassThrough, state, vec![]);
    }
    let conv = ConvSpec::same(state.channels, nodes.channels, [1, 1]);
    let layers = vec![Layer::Conv(conv), Layer::BatchNorm { channels: nodes.channels }];
    Block::laid(BlockRole::Projection, state, layers)
}
