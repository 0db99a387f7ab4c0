//! A plan of joined blocks as a network: what is no stack of cells (DenseNet, ResNeXt, residual networks).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use nao_kernels::nn::trained_values;
use nao_space::network::{GraphPlan, Join};
use rand_chacha::ChaCha8Rng;

use super::block::Block;
use super::pass::Pass;
use crate::op::norm::{BatchStatistics, apply_statistics};

/// The network of a [`GraphPlan`].
#[derive(Module, Debug)]
pub struct GraphNetwork {
    nodes: Vec<JoinedBlock>,
}

/// One node: earlier maps joined into one, then layers.
#[derive(Module, Debug)]
pub struct JoinedBlock {
    block: Block,
    /// Positions of the maps that it reads: 0 for the images, k + 1 for what node k makes.
    #[module(skip)]
    inputs: Vec<usize>,
    #[module(skip)]
    join: Join,
    /// Maps that no later node reads.
    #[module(skip)]
    done_with: Vec<usize>,
}

impl GraphNetwork {
    /// A network with fresh weights, drawn in the order of the plan: equal plan and generator, equal weights.
    pub fn new(plan: &GraphPlan, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let reads = |node: usize| plan.nodes()[node].inputs.iter().map(|value| value.index());
        let last_reader =
            |value: usize| (0..plan.nodes().len()).rev().find(|&node| reads(node).any(|read| read == value));
        let nodes = plan.nodes().iter().enumerate().map(|(index, node)| JoinedBlock {
            block: Block::new(&node.block, rng, device),
            inputs: reads(index).collect(),
            join: node.join,
            done_with: reads(index).filter(|&value| last_reader(value) == Some(index)).collect(),
        });
        GraphNetwork { nodes: nodes.collect() }
    }

    /// `images`: `[batch, channels, height, width]`, normalised. Returns logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>, pass: &mut Pass) -> Tensor<2> {
        let mut maps = vec![Some(images)];
        for node in &self.nodes {
            let mut inputs: Vec<Tensor<4>> =
                node.inputs.iter().filter_map(|&input| maps[input].clone()).collect();
            let joined = match (inputs.len(), node.join) {
                (1, _) => inputs.swap_remove(0),
                (_, Join::Concat) => Tensor::cat(inputs, 1),
                (_, Join::Sum) => {
                    inputs.into_iter().reduce(|sum, map| sum + map).expect("a plan has inputs for each node")
                }
            };
            for &value in &node.done_with {
                maps[value] = None;
            }
            maps.push(Some(node.block.forward(joined, pass)));
        }
        let logits = maps.pop().flatten().expect("the last map is read by no node");
        logits.flatten(1, 3)
    }

    /// Moves the running statistics towards those that training passes collected.
    #[must_use]
    pub fn apply_statistics(self, statistics: Vec<BatchStatistics>) -> Self {
        apply_statistics(self, statistics)
    }

    /// Number of trainable values; running statistics do not count. For a network on an autodiff device.
    pub fn trainable_values(&self) -> u64 {
        trained_values(self)
    }
}
