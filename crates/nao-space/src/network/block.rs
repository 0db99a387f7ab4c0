//! Blocks of layers: what each operation, calibration and head is made of (spec a.3, a.4, e.1).

use super::layer::{ConvSpec, FeatureShape, Layer, PoolSpec};
use super::plan::{Block, BlockRole, GeometryError, PlannedLayer};
use super::skeleton::Stem;
use crate::op::{Border, Op};

/// Lays layers on a shape one after another.
pub(super) fn block(role: BlockRole, input: FeatureShape, layers: Vec<Layer>) -> Block {
    let mut shape = input;
    let planned = layers.into_iter().map(|layer| {
        let planned = PlannedLayer { layer, input: shape, output: layer.output(shape) };
        shape = planned.output;
        planned
    });
    let layers = planned.collect();
    Block { role, input, layers, output: shape }
}

/// The layers of an operation from `channels` to `channels` (spec a.4, column "details").
pub(super) fn op_layers(op: Op, channels: usize, stride: usize) -> Vec<Layer> {
    let norm = Layer::BatchNorm { channels };
    let conv = |kernel: [usize; 2], stride: [usize; 2]| {
        Layer::Conv(ConvSpec { stride, ..ConvSpec::same(channels, channels, kernel) })
    };
    let depthwise = |kernel: usize, stride: usize, dilation: usize| {
        let padding = [dilation * (kernel - 1) / 2; 2];
        Layer::Conv(ConvSpec {
            stride: [stride; 2],
            before: padding,
            after: padding,
            dilation,
            groups: channels,
            ..ConvSpec::same(channels, channels, [kernel; 2])
        })
    };
    let pointwise = || conv([1, 1], [1, 1]);
    match op {
        Op::Zero => vec![Layer::Zero { stride }],
        Op::Identity if stride == 1 => vec![],
        Op::Identity => vec![Layer::FactorizedReduce { input: channels, output: channels }, norm],
        Op::Conv { kernel } => vec![Layer::Relu, conv([kernel.into(); 2], [stride; 2]), norm],
        Op::FactorConv { kernel } => {
            let kernel = kernel.into();
            let (horizontal, vertical) = (conv([1, kernel], [1, stride]), conv([kernel, 1], [stride, 1]));
            vec![Layer::Relu, horizontal, norm, Layer::Relu, vertical, norm]
        }
        Op::SepConv { kernel } => {
            let kernel = kernel.into();
            let once = |stride| [Layer::Relu, depthwise(kernel, stride, 1), pointwise(), norm];
            [once(stride), once(1)].concat()
        }
        Op::DilConv { kernel } => vec![Layer::Relu, depthwise(kernel.into(), stride, 2), pointwise(), norm],
        Op::DilSepConv { kernel } => {
            let kernel = kernel.into();
            let once = |stride| [Layer::Relu, depthwise(kernel, stride, 2), pointwise(), norm];
            [once(stride), once(1)].concat()
        }
        Op::MinPool { kernel } => vec![Layer::MinPool(pool(kernel.into(), stride, Border::Ignored))],
        Op::MaxPool { kernel, border } => vec![Layer::MaxPool(pool(kernel.into(), stride, border))],
        Op::AvgPool { kernel, border } => vec![Layer::AvgPool(pool(kernel.into(), stride, border))],
    }
}

/// A pool that keeps the map at stride 1: an odd window is padded alike on all sides, an even one at the
/// bottom and right only.
fn pool(kernel: usize, stride: usize, border: Border) -> PoolSpec {
    let before = (kernel - 1) / 2;
    PoolSpec { kernel, stride, before, after: kernel - 1 - before, border }
}

/// ReLU, 1x1 convolution, batch norm: brings a cell input to `channels`.
pub(super) fn projection(input: usize, channels: usize) -> Vec<Layer> {
    let conv = ConvSpec::same(input, channels, [1, 1]);
    vec![Layer::Relu, Layer::Conv(conv), Layer::BatchNorm { channels }]
}

/// Factorized reduction with its norm (spec a.3).
pub(super) fn reduction(input: usize, channels: usize) -> Vec<Layer> {
    vec![Layer::FactorizedReduce { input, output: channels }, Layer::BatchNorm { channels }]
}

/// The blocks of a stem for cells of `width`, one after another (spec a.1).
pub(super) fn stem_blocks(stem: Stem, input: FeatureShape, width: usize) -> Vec<Block> {
    let conv = |from, to, stride| {
        let conv = ConvSpec { stride: [stride; 2], ..ConvSpec::same(from, to, [3, 3]) };
        [Layer::Conv(conv), Layer::BatchNorm { channels: to }]
    };
    match stem {
        Stem::Cifar { multiplier } => {
            let layers = conv(input.channels, multiplier * width, 1);
            vec![block(BlockRole::Stem, input, layers.to_vec())]
        }
        Stem::ImageNet => {
            let quarter =
                [&conv(input.channels, width / 2, 2)[..], &[Layer::Relu], &conv(width / 2, width, 2)];
            let quarter = block(BlockRole::Stem, input, quarter.concat());
            let eighth = [&[Layer::Relu], &conv(width, width, 2)[..]];
            let eighth = block(BlockRole::Stem, quarter.output, eighth.concat());
            vec![quarter, eighth]
        }
    }
}

/// Global average pool, dropout, linear layer with bias (spec a.1).
pub(super) fn head(input: FeatureShape, classes: usize) -> Block {
    let linear = Layer::Linear { input: input.channels, output: classes, bias: true };
    block(BlockRole::Head, input, vec![Layer::GlobalAveragePool, Layer::Dropout, linear])
}

/// The auxiliary head (spec e.1): ReLU on a copy, 5x5 mean pool, 1x1 convolution to 128, 2x2 convolution to
/// 768, linear layer. The pool has stride 3 behind the CIFAR stem and 2 behind that of ImageNet.
pub(super) fn auxiliary_head(
    stem: Stem,
    input: FeatureShape,
    classes: usize,
) -> Result<Block, GeometryError> {
    const POOL: usize = 5;
    const LAST: usize = 2;
    let stride = match stem {
        Stem::Cifar { .. } => 3,
        Stem::ImageNet => 2,
    };
    // The pool must leave at least the 2x2 window of the last convolution: (8 - 5) / 3 + 1 = 2 for CIFAR,
    // (7 - 5) / 2 + 1 = 2 for ImageNet.
    let smallest = POOL + stride * (LAST - 1);
    if input.height < smallest || input.width < smallest {
        return Err(GeometryError::AuxiliaryTooSmall { map: input, smallest });
    }
    let conv = |input, output, kernel| {
        let inside = ConvSpec { before: [0; 2], after: [0; 2], ..ConvSpec::same(input, output, [kernel; 2]) };
        Layer::Conv(inside)
    };
    let pool = PoolSpec { kernel: POOL, stride, before: 0, after: 0, border: Border::Ignored };
    let mut layers = vec![
        Layer::Relu,
        Layer::AvgPool(pool),
        conv(input.channels, 128, 1),
        Layer::BatchNorm { channels: 128 },
        Layer::Relu,
        conv(128, 768, LAST),
        Layer::BatchNorm { channels: 768 },
        Layer::Relu,
    ];
    let flat = block(BlockRole::Auxiliary, input, layers.clone()).output.len();
    layers.extend([Layer::Flatten, Layer::Linear { input: flat, output: classes, bias: true }]);
    Ok(block(BlockRole::Auxiliary, input, layers))
}
