//! DenseNet-BC (Huang et al., 2017, arXiv 1608.06993).

use super::entry::{Published, ZooGraph};
use crate::image::Border;
use crate::network::{
    BlockRole, ConvSpec, FeatureShape, GraphError, GraphPlan, GraphValue, Join, Layer, PoolSpec,
};

/// The family of densely connected networks with bottlenecks and compression: three blocks, each layer of
/// which reads all earlier maps of its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DenseNetBc {
    /// Layers in all (L): 6n + 4.
    pub depth: usize,
    /// Channels that each layer adds (k).
    pub growth: usize,
}

impl DenseNetBc {
    /// Its network.
    ///
    /// ```
    /// use nao_space::network::{DenseNetBc, FeatureShape};
    /// let plan = DenseNetBc { depth: 100, growth: 12 }.plan(FeatureShape::new(32, 32, 3), 10)?;
    /// assert_eq!(plan.cost().params, 769_162);
    /// # Ok::<(), nao_space::network::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// When the depth is not 6n + 4 or absurdly large, or the images are too small to be pooled twice.
    pub fn plan(self, images: FeatureShape, classes: usize) -> Result<GraphPlan, GraphError> {
        let DenseNetBc { depth, growth } = self;
        if !(10..=1000).contains(&depth) || (depth - 4) % 6 != 0 {
            return Err(GraphError::Setting { what: "depth", value: depth, rule: "6n + 4, from 10 to 1000" });
        }
        if !(1..=1024).contains(&growth) {
            return Err(GraphError::Setting { what: "growth", value: growth, rule: "1 to 1024" });
        }
        let mut graph = GraphPlan::new(images);
        let mut channels = 2 * growth;
        let stem = Layer::Conv(ConvSpec::same(images.channels, channels, [3, 3]));
        let mut maps = vec![graph.add(graph.images(), BlockRole::Stem, [stem])?];
        for block in 0..3 {
            if block > 0 {
                let compressed = channels / 2;
                let layers = [
                    &norm_relu_conv(channels, compressed, 1)[..],
                    &[Layer::AvgPool(PoolSpec {
                        kernel: 2,
                        stride: 2,
                        before: 0,
                        after: 0,
                        border: Border::Ignored,
                    })],
                ];
                maps = vec![graph.join(Join::Concat, &maps, BlockRole::Layers, layers.concat())?];
                channels = compressed;
            }
            for _ in 0..(depth - 4) / 6 {
                let map = dense_layer(&mut graph, &maps, channels, growth)?;
                maps.push(map);
                channels += growth;
            }
        }
        let head = [
            Layer::BatchNorm { channels },
            Layer::Relu,
            Layer::GlobalAveragePool,
            Layer::Linear { input: channels, output: classes, bias: true },
        ];
        graph.join(Join::Concat, &maps, BlockRole::Head, head)?;
        Ok(graph)
    }
}

/// A layer on all maps before it: 1x1 convolution to four times the growth, 3x3 convolution to the growth.
fn dense_layer(
    graph: &mut GraphPlan,
    maps: &[GraphValue],
    channels: usize,
    growth: usize,
) -> Result<GraphValue, GraphError> {
    let wide = 4 * growth;
    let layers = [norm_relu_conv(channels, wide, 1), norm_relu_conv(wide, growth, 3)].concat();
    graph.join(Join::Concat, maps, BlockRole::Layers, layers)
}

fn norm_relu_conv(input: usize, output: usize, kernel: usize) -> [Layer; 3] {
    let conv = ConvSpec::same(input, output, [kernel; 2]);
    [Layer::BatchNorm { channels: input }, Layer::Relu, Layer::Conv(conv)]
}

pub(super) fn entry() -> ZooGraph {
    let plan = DenseNetBc { depth: 190, growth: 40 }.plan(FeatureShape::new(32, 32, 3), 10);
    let published = vec![Published {
        params_millions: Some(25.6),
        ..Published::cifar10(3.46, "L=190 k=40", "Huang et al., CVPR 2017")
    }];
    ZooGraph { name: "DenseNet-BC", plan: plan.expect("the published sizes fit"), published }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of the public code at several sizes; L=100 k=40 is a printing error of a published table.
    #[test]
    fn parameters_agree_with_public_code() {
        let counts = [(190, 40, 25_624_430), (100, 12, 769_162), (250, 24, 15_324_406), (100, 40, 8_327_930)];
        for (depth, growth, params) in counts {
            let plan = DenseNetBc { depth, growth }.plan(FeatureShape::new(32, 32, 3), 10).unwrap();
            assert_eq!(plan.cost().params, params, "L={depth} k={growth}");
            assert_eq!(plan.output(), FeatureShape::new(1, 1, 10));
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let plan = |depth, side| DenseNetBc { depth, growth: 4 }.plan(FeatureShape::new(side, side, 3), 10);
        assert!(plan(21, 32).unwrap_err().to_string().contains("6n + 4"));
        assert!(plan(10, 1).is_err());
        assert!(plan(10, 4).is_ok());
    }
}
