//! The relaxed network as a burn module.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData, activation};
use nao_space::network::{RelaxedCellPlan, RelaxedPlan};
use nao_space::{CellRole, Relaxation};
use rand_chacha::ChaCha8Rng;

use crate::network::{Backbone, Block, CellInputs, Pass, Surroundings};
use crate::op::norm::{BatchStatistics, apply_statistics};

/// The logits of the mixtures as tensors that record gradients.
#[derive(Clone, Debug)]
pub struct Mixtures {
    /// Of normal cells, `[edges, 1 + operations]`.
    pub normal: Tensor<2>,
    /// Of reduction cells.
    pub reduction: Tensor<2>,
}

impl Mixtures {
    /// The logits on a device, with gradients.
    pub fn new(relaxation: &Relaxation, device: &Device) -> Self {
        let leaf = |rows: &[Vec<f64>]| {
            let values: Vec<f32> = rows.iter().flatten().map(|&value| value as f32).collect();
            let data = TensorData::new(values, [rows.len(), rows[0].len()]);
            Tensor::from_data(data, &device.clone().autodiff()).require_grad()
        };
        Mixtures { normal: leaf(&relaxation.normal), reduction: leaf(&relaxation.reduction) }
    }

    /// The same without gradients, for use.
    pub fn plain(relaxation: &Relaxation, device: &Device) -> Self {
        let Mixtures { normal, reduction } = Mixtures::new(relaxation, device);
        Mixtures { normal: normal.without_autodiff(), reduction: reduction.without_autodiff() }
    }

    fn of_role(&self, role: CellRole) -> &Tensor<2> {
        match role {
            CellRole::Normal => &self.normal,
            CellRole::Reduction => &self.reduction,
        }
    }
}

/// The network of a [`RelaxedPlan`].
#[derive(Module, Debug)]
pub struct RelaxedNetwork {
    backbone: Backbone<RelaxedCell>,
}

#[derive(Module, Debug)]
struct RelaxedCell {
    #[module(skip)]
    role: CellRole,
    calibration: [Block; 2],
    edges: Vec<MixedEdge>,
}

/// All operations of an edge.
#[derive(Module, Debug)]
struct MixedEdge {
    node: usize,
    state: usize,
    options: Vec<Block>,
}

impl RelaxedNetwork {
    /// The network of a plan, with fresh weights.
    pub fn new(plan: &RelaxedPlan, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let around = Surroundings { stem: &plan.stem, auxiliary: None, head: &plan.head };
        // Norms without scale and shift: those would undo the weights of the mixtures.
        let cell = |cell, rng: &mut ChaCha8Rng| RelaxedCell::new(cell, rng, device).map(&mut HoldVectors);
        let cells = |rng: &mut ChaCha8Rng| plan.cells.iter().map(|planned| cell(planned, rng)).collect();
        RelaxedNetwork { backbone: Backbone::new(&around, cells, rng, device) }
    }

    /// `images`: `[batch, channels, height, width]`, normalised. Returns `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>, mixtures: &Mixtures, pass: &mut Pass) -> Tensor<2> {
        let weights = |role| activation::softmax(mixtures.of_role(role).clone(), 1);
        let (normal, reduction) = (weights(CellRole::Normal), weights(CellRole::Reduction));
        let run_cell = |cell: &RelaxedCell, inputs: CellInputs, pass: &mut Pass| {
            let weights = if cell.role == CellRole::Normal { &normal } else { &reduction };
            cell.forward(inputs, weights, pass)
        };
        self.backbone.forward(images, pass, run_cell).main
    }

    /// The network after a training pass, with what its norms saw.
    pub fn apply_statistics(self, statistics: Vec<BatchStatistics>) -> Self {
        apply_statistics(self, statistics)
    }
}

impl RelaxedCell {
    fn new(plan: &RelaxedCellPlan, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let calibration = plan.calibration.each_ref().map(|block| Block::new(block, rng, device));
        let edges = plan.edges.iter().map(|mixed| MixedEdge {
            node: mixed.edge.node,
            state: mixed.edge.input.index(),
            options: mixed.options.iter().map(|block| Block::new(block, rng, device)).collect(),
        });
        RelaxedCell { role: plan.role, calibration, edges: edges.collect() }
    }

    /// `weights`: `[edges, 1 + operations]`, of which the first of each edge is that of nothing.
    fn forward(&self, inputs: CellInputs, weights: &Tensor<2>, pass: &mut Pass) -> Tensor<4> {
        let CellInputs { older, newer, .. } = inputs;
        let [of_older, of_newer] = &self.calibration;
        let mut states = vec![of_older.forward(older, pass), of_newer.forward(newer, pass)];
        let inputs = states.len();
        let mut node: Option<(usize, Tensor<4>)> = None;
        for (at, edge) in self.edges.iter().enumerate() {
            if let Some((_, sum)) = node.take_if(|(number, _)| *number != edge.node) {
                states.push(sum);
            }
            for (op, option) in edge.options.iter().enumerate() {
                let weight = weights.clone().narrow(0, at, 1).narrow(1, op + 1, 1).reshape([1, 1, 1, 1]);
                let part = option.forward(states[edge.state].clone(), pass) * weight;
                node = Some(match node {
                    Some((number, sum)) => (number, sum + part),
                    None => (edge.node, part),
                });
            }
        }
        states.extend(node.map(|(_, sum)| sum));
        Tensor::cat(states.split_off(inputs), 1)
    }
}

/// Holds every vector as it is: in a cell, those are the scales and shifts of norms.
struct HoldVectors;

impl ModuleMapper for HoldVectors {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D == 1 { param.set_require_grad(false) } else { param }
    }
}

#[cfg(test)]
mod tests {
    use nao_space::network::Skeleton;
    use nao_space::seed::rng_for;

    use super::*;
    use crate::network::TrainPass;
    use nao_kernels::nn::{trained_values, uniform};

    fn plan() -> RelaxedPlan {
        use nao_space::network::FeatureShape;
        RelaxedPlan::new(&Skeleton::cifar10(1, 2).for_data(FeatureShape::new(8, 8, 1), 3)).unwrap()
    }

    #[test]
    fn the_built_network_trains_what_the_plan_counts() {
        let device = Device::flex().autodiff();
        let network = RelaxedNetwork::new(&plan(), &mut rng_for(1, "weights", 0), &device);
        assert_eq!(trained_values(&network), plan().params());
    }

    /// With all weight on one operation a mixture is that operation; with all on nothing, nothing.
    #[test]
    fn a_decided_mixture_is_one_operation() {
        let device = Device::flex();
        let network = RelaxedNetwork::new(&plan(), &mut rng_for(1, "weights", 0), &device);
        let images = uniform([2, 1, 8, 8], 1.0, &mut rng_for(1, "images", 0), &device);
        let logits = |favoured: usize| {
            let mut at = 0;
            let relaxation = Relaxation::of(|| {
                at += 1;
                if (at - 1) % 8 == favoured { 200.0 } else { 0.0 }
            });
            let mixtures = Mixtures::plain(&relaxation, &device);
            let mut statistics = Vec::new();
            let mut pass = Pass::Train(TrainPass::without_dropping(&mut statistics));
            network.forward(images.clone(), &mixtures, &mut pass).into_data().try_to_vec::<f32>().unwrap()
        };
        let nothing = logits(0);
        // Without features every image looks alike.
        assert_eq!(nothing[..3], nothing[3..]);
        assert_ne!(logits(3)[..3], logits(3)[3..]);
        assert_ne!(logits(3), logits(4));
    }
}
