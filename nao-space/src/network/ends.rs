//! What stands around the cells: stem, head and auxiliary head (docs/specification.md, a.1, e.1).

use serde::Serialize;

use super::block::{Block, BlockRole};
use super::convention::{AuxiliaryWindow, Rules};
use super::error::GeometryError;
use super::layer::{ConvSpec, FeatureShape, Layer, PoolSpec};
use super::skeleton::Stem;
use crate::image::Border;

/// The auxiliary head and where it sits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuxiliaryPlan {
    /// The cell whose output it reads, counted from 0. It reads a copy: the cell's own readers see the output
    /// unchanged, unlike in the authors' code (docs/specification.md, f.4).
    pub after_cell: usize,
    /// Its layers, classifier included.
    pub block: Block,
}

/// The blocks of a stem for cells of `width`, one after another (docs/specification.md, a.1).
pub(super) fn stem_blocks(stem: Stem, input: FeatureShape, width: usize) -> Vec<Block> {
    let conv = |from, to, stride| {
        let conv = ConvSpec { stride: [stride; 2], ..ConvSpec::same(from, to, [3, 3]) };
        [Layer::Conv(conv), Layer::BatchNorm { channels: to }]
    };
    match stem {
        Stem::Cifar { multiplier } => {
            let layers = conv(input.channels, multiplier * width, 1);
            vec![Block::laid(BlockRole::Stem, input, layers.to_vec())]
        }
        Stem::ImageNet => {
            let quarter =
                [&conv(input.channels, width / 2, 2)[..], &[Layer::Relu], &conv(width / 2, width, 2)];
            let quarter = Block::laid(BlockRole::Stem, input, quarter.concat());
            let eighth = [&[Layer::Relu], &conv(width, width, 2)[..]];
            let eighth = Block::laid(BlockRole::Stem, quarter.output, eighth.concat());
            vec![quarter, eighth]
        }
    }
}

/// Global average pool, dropout, linear layer (docs/specification.md, a.1).
pub(super) fn head(rules: &Rules, input: FeatureShape, classes: usize) -> Block {
    let linear = Layer::Linear { input: input.channels, output: classes, bias: rules.classifier_bias };
    let relu = rules.relu_before_head.then_some(Layer::Relu);
    let pool = [Layer::GlobalAveragePool, Layer::Dropout, linear];
    Block::laid(BlockRole::Head, input, relu.into_iter().chain(pool).collect())
}

/// The auxiliary head (docs/specification.md, e.1): ReLU on a copy, 5x5 mean pool, 1x1 convolution to 128, convolution
/// over what is left to 768, linear layer. The pool has stride 3 after the CIFAR stem and 2 after that of ImageNet.
pub(super) fn auxiliary_head(
    rules: &Rules,
    stem: Stem,
    input: FeatureShape,
    classes: usize,
) -> Result<Block, GeometryError> {
    const POOL: usize = 5;
    let stride = match stem {
        Stem::Cifar { .. } => 3,
        Stem::ImageNet => 2,
    };
    // The pool must leave the window of the second convolution: (8 - 5) / 3 + 1 = 2 for CIFAR,
    // (7 - 5) / 2 + 1 = 2 for ImageNet.
    let smallest = match rules.auxiliary_window {
        AuxiliaryWindow::Two => POOL + stride,
        AuxiliaryWindow::Whole | AuxiliaryWindow::WholePadded => POOL,
    };
    if input.height < smallest || input.width < smallest {
        return Err(GeometryError::AuxiliaryTooSmall { map: input, smallest });
    }
    let pooled = [input.height, input.width].map(|side| (side - POOL) / stride + 1);
    let window = if rules.auxiliary_window == AuxiliaryWindow::Two { [2; 2] } else { pooled };
    let padding = match rules.auxiliary_window {
        AuxiliaryWindow::WholePadded => window.map(|side| side - 1),
        AuxiliaryWindow::Two | AuxiliaryWindow::Whole => [0; 2],
    };
    let before = padding.map(|side| side / 2);
    let after = [padding[0] - before[0], padding[1] - before[1]];
    let last = ConvSpec { before, after, ..ConvSpec::same(128, 768, window) };
    let mut layers = vec![
        Layer::Relu,
        Layer::AvgPool(PoolSpec { kernel: POOL, stride, before: 0, after: 0, border: Border::Ignored }),
        Layer::Conv(ConvSpec::same(input.channels, 128, [1; 2])),
        Layer::BatchNorm { channels: 128 },
        Layer::Relu,
        Layer::Conv(last),
        Layer::BatchNorm { channels: 768 },
        Layer::Relu,
    ];
    layers.push(match rules.auxiliary_window {
        AuxiliaryWindow::WholePadded => Layer::GlobalAveragePool,
        AuxiliaryWindow::Two | AuxiliaryWindow::Whole => Layer::Flatten,
    });
    let flat = Block::laid(BlockRole::Auxiliary, input, layers.clone()).output.channels;
    layers.push(Layer::Linear { input: flat, output: classes, bias: rules.classifier_bias });
    Ok(Block::laid(BlockRole::Auxiliary, input, layers))
}
