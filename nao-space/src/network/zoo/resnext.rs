//! ResNeXt-29 (Xie et al., 2017, arXiv 1611.05431).

use super::entry::{Published, ZooGraph};
use crate::network::{BlockRole, ConvSpec, FeatureShape, GraphError, GraphPlan, GraphValue, Join, Layer};

/// ResNeXt of 29 layers for CIFAR: three stages of three bottlenecks with grouped convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResNext29 {
    /// Groups of the middle convolutions.
    pub cardinality: usize,
    /// Channels of a group in the first stage.
    pub group_width: usize,
}

impl ResNext29 {
    const BLOCKS_PER_STAGE: usize = 3;

    /// Its network.
    ///
    /// ```
    /// use nao_space::network::{FeatureShape, ResNext29};
    /// let resnext = ResNext29 { cardinality: 8, group_width: 64 };
    /// assert_eq!(resnext.plan(FeatureShape::new(32, 32, 3), 10)?.cost().params, 34_426_698);
    /// # Ok::<(), nao_space::network::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is zero or absurdly large, or there are no images.
    pub fn plan(self, images: FeatureShape, classes: usize) -> Result<GraphPlan, GraphError> {
        for (what, value) in [("cardinality", self.cardinality), ("group width", self.group_width)] {
            if !(1..=1024).contains(&value) {
                return Err(GraphError::Setting { what, value, rule: "1 to 1024" });
            }
        }
        let mut graph = GraphPlan::new(images);
        let mut channels = 64;
        let stem = ConvSpec::same(images.channels, channels, [3, 3]);
        let stem = [Layer::Conv(stem), Layer::BatchNorm { channels }, Layer::Relu];
        let mut map = graph.add(graph.images(), BlockRole::Stem, stem)?;
        for stage in 0..3 {
            let (inner, output) = ((self.cardinality * self.group_width) << stage, 256 << stage);
            for block in 0..Self::BLOCKS_PER_STAGE {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let bottleneck =
                    Bottleneck { input: channels, inner, output, stride, groups: self.cardinality };
                map = bottleneck.add(&mut graph, map)?;
                channels = output;
            }
        }
        let head = [Layer::GlobalAveragePool, Layer::Linear { input: channels, output: classes, bias: true }];
        graph.add(map, BlockRole::Head, head)?;
        Ok(graph)
    }
}

/// A residual block: 1x1, grouped 3x3 and 1x1 convolution beside a shortcut.
struct Bottleneck {
    input: usize,
    inner: usize,
    output: usize,
    stride: usize,
    groups: usize,
}

impl Bottleneck {
    fn add(&self, graph: &mut GraphPlan, map: GraphValue) -> Result<GraphValue, GraphError> {
        let Bottleneck { input, inner, output, stride, groups } = *self;
        let norm = |channels| Layer::BatchNorm { channels };
        let pointwise = |from, to| Layer::Conv(ConvSpec::same(from, to, [1, 1]));
        let grouped = ConvSpec { stride: [stride; 2], groups, ..ConvSpec::same(inner, inner, [3, 3]) };
        let branch = [
            pointwise(input, inner),
            norm(inner),
            Layer::Relu,
            Layer::Conv(grouped),
            norm(inner),
            Layer::Relu,
            pointwise(inner, output),
            norm(output),
        ];
        let branch = graph.add(map, BlockRole::Layers, branch)?;
        let shortcut = if input == output {
            map
        } else {
            let conv = ConvSpec { stride: [stride; 2], ..ConvSpec::same(input, output, [1, 1]) };
            graph.add(map, BlockRole::Projection, [Layer::Conv(conv), norm(output)])?
        };
        graph.join(Join::Sum, &[branch, shortcut], BlockRole::Layers, [Layer::Relu])
    }
}

pub(super) fn entry() -> ZooGraph {
    let plan = ResNext29 { cardinality: 16, group_width: 64 }.plan(FeatureShape::new(32, 32, 3), 10);
    let published = vec![Published {
        params_millions: Some(68.1),
        ..Published::cifar10(3.58, "16x64d", "Xie et al., CVPR 2017")
    }];
    ZooGraph { name: "ResNeXt-29", plan: plan.expect("the published sizes fit"), published }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_agree_with_public_code() {
        for (cardinality, params) in [(16, 68_155_210), (8, 34_426_698)] {
            let resnext = ResNext29 { cardinality, group_width: 64 };
            let plan = resnext.plan(FeatureShape::new(32, 32, 3), 10).unwrap();
            assert_eq!(plan.cost().params, params, "{cardinality}x64d");
            assert_eq!(plan.output(), FeatureShape::new(1, 1, 10));
        }
        let zero = ResNext29 { cardinality: 0, group_width: 64 }.plan(FeatureShape::new(32, 32, 3), 10);
        assert!(zero.unwrap_err().to_string().contains("cardinality is 0"));
    }
}
