//! Blocks: layers one after another, with their shapes.

use serde::Serialize;

use super::cost::Cost;
use super::layer::{FeatureShape, Layer, LayerError};
use crate::image::Op;

/// What a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlockRole {
    /// From image to the first features.
    Stem,
    /// An operation of a node.
    Operation(Op),
    /// 1x1 convolution and norm: brings a cell input, or a concatenated state, to the width of the cell.
    Projection,
    /// Factorized reduction: brings a cell input, or a concatenated state, to the size of the cell.
    Reduction,
    /// Nothing to do.
    PassThrough,
    /// Layers of a network that is not made of cells.
    Layers,
    /// The auxiliary head.
    Auxiliary,
    /// Pool and classifier.
    Head,
}

/// One layer with what goes in and comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedLayer {
    /// The layer.
    pub layer: Layer,
    /// Shape of its input.
    pub input: FeatureShape,
    /// Shape of its output.
    pub output: FeatureShape,
}

/// Layers one after another; none at all passes the input through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// A layer of a block that cannot read what the layers before it make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("layer {index} of the block cannot read a map of {shape}: {source}")]
pub struct BlockError {
    /// The position of the layer, counted from 0.
    pub index: usize,
    /// The shape that it would read.
    pub shape: FeatureShape,
    /// What is wrong.
    pub source: LayerError,
}

impl Block {
    /// Lays layers on a shape one after another.
    ///
    /// ```
    /// use nao_space::network::{Block, BlockRole, ConvSpec, FeatureShape, Layer};
    /// let layers = [Layer::Conv(ConvSpec::same(3, 16, [3, 3])), Layer::BatchNorm { channels: 16 }];
    /// let block = Block::new(BlockRole::Stem, FeatureShape::new(32, 32, 3), layers)?;
    /// assert_eq!(block.output, FeatureShape::new(32, 32, 16));
    ///
    /// let wrong = Block::new(BlockRole::Stem, FeatureShape::new(32, 32, 1), layers).unwrap_err();
    /// assert!(wrong.to_string().starts_with("layer 0 of the block cannot read a map of 32x32x1"));
    /// # Ok::<(), nao_space::network::BlockError>(())
    /// ```
    ///
    /// # Errors
    /// When a layer does not fit the shape before it: names the layer, the shape and the reason.
    pub fn new(
        role: BlockRole,
        input: FeatureShape,
        layers: impl IntoIterator<Item = Layer>,
    ) -> Result<Block, BlockError> {
        let layers: Vec<Layer> = layers.into_iter().collect();
        let mut shape = input;
        for (index, layer) in layers.iter().enumerate() {
            layer.check(shape).map_err(|source| BlockError { index, shape, source })?;
            shape = layer.output(shape);
        }
        Ok(Block::laid(role, input, layers))
    }

    /// Lays layers that are known to fit.
    pub(super) fn laid(role: BlockRole, input: FeatureShape, layers: Vec<Layer>) -> Block {
        let mut shape = input;
        let planned = layers.into_iter().map(|layer| {
            let planned = PlannedLayer { layer, input: shape, output: layer.output(shape) };
            shape = planned.output;
            planned
        });
        let layers = planned.collect();
        Block { role, input, layers, output: shape }
    }

    /// The sum of its layers.
    pub fn cost(&self) -> Cost {
        self.layers.iter().map(|planned| planned.layer.cost(planned.output)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Border;
    use crate::network::{ConvSpec, PoolSpec};

    #[test]
    fn layers_that_do_not_fit_are_named_with_the_shape() {
        let map = FeatureShape::new(7, 4, 6);
        let conv = ConvSpec::same(6, 6, [3, 3]);
        let inside = ConvSpec { before: [0; 2], after: [0; 2], ..conv };
        let pool = PoolSpec { kernel: 3, stride: 2, before: 1, after: 1, border: Border::Ignored };
        for (layer, word) in [
            (Layer::Conv(ConvSpec::same(5, 6, [3, 3])), "reads 5 channels"),
            (Layer::Conv(ConvSpec { groups: 4, ..conv }), "groups"),
            (Layer::Conv(ConvSpec { groups: 0, ..conv }), "groups"),
            (Layer::Conv(ConvSpec { stride: [1, 0], ..conv }), "stride"),
            (Layer::Conv(ConvSpec { kernel: [0, 3], ..conv }), "kernel"),
            (Layer::Conv(ConvSpec { dilation: 2, ..inside }), "window of 5"),
            (Layer::Conv(ConvSpec { before: [usize::MAX; 2], ..conv }), "at most"),
            (Layer::BatchNorm { channels: 5 }, "reads 5 channels"),
            (Layer::AvgPool(PoolSpec { kernel: 9, ..pool }), "window of 9"),
            (Layer::MaxPool(PoolSpec { before: 3, ..pool }), "border"),
            (Layer::MinPool(PoolSpec { stride: 0, ..pool }), "stride"),
            (Layer::FactorizedReduce { input: 6, output: 8 }, "even"),
            (Layer::Zero { stride: 0 }, "stride"),
            (Layer::Linear { input: 6, output: 2, bias: true }, "1x1"),
        ] {
            let error = Block::new(BlockRole::Layers, map, [Layer::Relu, layer]).unwrap_err();
            assert_eq!((error.index, error.shape), (1, map));
            let message = format!("{error}");
            assert!(message.contains(word) && message.contains("7x4x6"), "{message}");
        }
        let empty = FeatureShape::new(0, 4, 6);
        assert!(Block::new(BlockRole::Layers, empty, [Layer::Relu]).is_err());
    }
}
