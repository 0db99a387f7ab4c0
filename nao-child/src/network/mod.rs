//! A plan as a network: every layer of the plan becomes one layer here, in the plan's order.

mod backbone;
mod block;
mod cell;
mod graph;
mod pass;
#[cfg(test)]
mod zoo_tests;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use nao_kernels::nn::trained_values;
use nao_space::network::NetworkPlan;
use rand_chacha::ChaCha8Rng;

pub use backbone::{Backbone, Logits};
pub(crate) use backbone::{CellInputs, Surroundings};
pub use block::{Block, Fixed, LayerModule};
pub use cell::{Branch, Cell, Node, Piece};
pub use graph::{GraphNetwork, JoinedBlock};
pub use pass::{Dropping, Pass, Quirks, TrainPass};

use crate::op::norm::{BatchStatistics, apply_statistics};

/// A stand-alone child network (docs/specification.md, a.1).
///
/// Build it on an autodiff device to train it; `network.valid()` is its copy for use.
#[derive(Module, Debug)]
pub struct Network {
    backbone: Backbone<Cell>,
}

impl Network {
    /// A network with fresh weights, drawn in the order of the plan: equal plan and generator, equal weights.
    pub fn new(plan: &NetworkPlan, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let around = Surroundings { stem: &plan.stem, auxiliary: plan.auxiliary.as_ref(), head: &plan.head };
        let cells =
            |rng: &mut ChaCha8Rng| plan.cells.iter().map(|cell| Cell::new(cell, rng, device)).collect();
        Network { backbone: Backbone::new(&around, cells, rng, device) }
    }

    /// `images`: `[batch, channels, height, width]`, normalised.
    pub fn forward(&self, images: Tensor<4>, pass: &mut Pass) -> Logits {
        self.backbone.forward(images, pass, Cell::forward)
    }

    /// Moves the running statistics towards those that training passes collected.
    #[must_use]
    pub fn apply_statistics(self, statistics: Vec<BatchStatistics>) -> Self {
        apply_statistics(self, statistics)
    }

    /// Number of trainable values, auxiliary head included; running statistics do not count. For a network
    /// on an autodiff device: elsewhere nothing is trainable.
    pub fn trainable_values(&self) -> u64 {
        trained_values(self)
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::GradientsParams;
    use nao_space::network::{FeatureShape, Skeleton, zoo_entry};
    use nao_space::seed::rng_for;
    use nao_space::{CnnSpace, OP_SET_NAMES, OpSet, Space};

    use super::*;
    use crate::names::{NameConvention, load_tensors, named_gradients, save_tensors, tensor_names};
    use crate::op::drop::DropPathSchedule;
    use crate::op::loss::{cross_entropy, target_rows};
    use nao_kernels::nn::kaiming_normal;

    fn plan(op_set: &str, index: u64, skeleton: &Skeleton) -> NetworkPlan {
        let space = CnnSpace::new(5, OpSet::named(op_set).unwrap()).unwrap();
        NetworkPlan::new(&space.sample(&mut rng_for(4, op_set, index)), skeleton).unwrap()
    }

    fn tiny() -> Skeleton {
        Skeleton::cifar10(1, 2).for_data(FeatureShape::new(8, 8, 2), 3)
    }

    /// What is built is what was counted, and the names list each tensor.
    #[test]
    fn built_networks_have_the_planned_number_of_parameters() {
        let device = Device::flex().autodiff();
        for op_set in OP_SET_NAMES {
            for index in 0..10 {
                let skeleton = Skeleton::cifar10(1, 4).with_auxiliary(index % 2 == 1);
                let plan = plan(op_set, index, &skeleton);
                let network = Network::new(&plan, &mut rng_for(1, "weights", index), &device);
                assert_eq!(network.trainable_values(), plan.cost_with_auxiliary().params, "{op_set} {index}");
                for convention in [NameConvention::V1, NameConvention::V2] {
                    let names = tensor_names(&plan, convention);
                    let tensors = save_tensors(&network, &names);
                    assert_eq!(tensors.len(), names.len(), "names are unique");
                    for name in &names {
                        assert_eq!(tensors[&name.name].shape().as_slice(), name.shape, "{}", name.name);
                    }
                    let trained: usize =
                        names.iter().filter(|n| n.trainable).map(|n| n.shape.iter().product::<usize>()).sum();
                    assert_eq!(trained as u64, plan.cost_with_auxiliary().params);
                }
            }
        }
    }

    #[test]
    fn equal_generators_give_equal_weights_and_others_do_not() {
        let (plan, device) = (plan("paper-11", 0, &tiny()), Device::flex().autodiff());
        let names = tensor_names(&plan, NameConvention::V1);
        let weights =
            |seed| save_tensors(&Network::new(&plan, &mut rng_for(seed, "weights", 0), &device), &names);
        assert_eq!(weights(1), weights(1));
        assert_ne!(weights(1), weights(2));
    }

    /// Other sizes, channels and classes; shapes agree with the plan in every mode.
    #[test]
    fn other_images_and_classes_run_in_every_mode() {
        let skeleton = Skeleton::cifar10(1, 2).for_data(FeatureShape::new(48, 48, 1), 7).with_auxiliary(true);
        let device = Device::flex().autodiff();
        let plan = plan("v1-14", 3, &skeleton);
        let network = Network::new(&plan, &mut rng_for(1, "weights", 0), &device);
        let images = kaiming_normal([2, 1, 48, 48], &mut rng_for(1, "images", 0), &device);
        let (mut rng, mut statistics) = (rng_for(1, "drop", 0), Vec::new());
        let drop_path = DropPathSchedule { keep: 0.5, total_steps: 1 };
        let dropping = Dropping { rng: &mut rng, drop_path, step: 0, dropout_keep: 0.5 };
        let mut pass = Pass::Train(TrainPass::dropping(dropping, &mut statistics));
        let logits = network.forward(images.clone(), &mut pass);
        assert_eq!((logits.main.dims(), logits.auxiliary.unwrap().dims()), ([2, 7], [2, 7]));
        let valid = network.valid().forward(images.without_autodiff(), &mut Pass::Eval);
        assert!(valid.auxiliary.is_none());
        assert_eq!(valid.main.dims(), [2, 7]);
    }

    /// docs/specification.md, f.4: the auxiliary head starts with a ReLU; the cells after it must not see it. With a
    /// single loose end nothing else would hide it.
    #[test]
    fn the_auxiliary_head_leaves_the_features_alone() {
        let space = CnnSpace::new(5, OpSet::enas_5()).unwrap();
        let chain = "0 4 1 0 2 4 2 4 3 4 3 4 4 4 4 4 5 4 5 4";
        let arch = space.parse(&format!("{chain} {chain}")).unwrap();
        let skeleton = Skeleton::cifar10(1, 2);
        let device = Device::flex().autodiff();
        let images = kaiming_normal([2, 3, 32, 32], &mut rng_for(1, "images", 0), &device);
        let [with, without] = [true, false].map(|auxiliary| {
            let plan = NetworkPlan::new(&arch, &skeleton.with_auxiliary(auxiliary)).unwrap();
            let names = tensor_names(&plan, NameConvention::V1);
            let network = Network::new(&plan, &mut rng_for(1, "weights", 0), &device);
            (network, names)
        });
        let mut shared = save_tensors(&with.0, &with.1);
        shared.retain(|name, _| !name.starts_with("auxiliary_head"));
        let bare = load_tensors(without.0, &without.1, shared).unwrap();
        let main = |network: &Network| {
            let mut statistics = Vec::new();
            let mut pass = Pass::Train(TrainPass::without_dropping(&mut statistics));
            network.forward(images.clone(), &mut pass).main.into_data()
        };
        assert_eq!(main(&with.0), main(&bare));
    }

    /// The gradient of all weights together against finite differences.
    #[test]
    fn gradients_agree_with_finite_differences() {
        for (op_set, index) in [("v1-14", 1), ("v2-10", 2), ("v2-11", 5)] {
            let plan = plan(op_set, index, &tiny());
            let device = Device::flex().autodiff();
            let names = tensor_names(&plan, NameConvention::V1);
            let network = Network::new(&plan, &mut rng_for(1, "weights", 0), &device);
            let images = kaiming_normal([4, 2, 8, 8], &mut rng_for(1, "images", 0), &device) * 3.0f32;
            let loss = |network: &Network| {
                let mut statistics = Vec::new();
                let mut pass = Pass::Train(TrainPass::without_dropping(&mut statistics));
                let logits = network.forward(images.clone(), &mut pass).main;
                cross_entropy(logits, target_rows(&[0, 1, 2, 1], 3, 0.1, &device))
            };
            let gradients = GradientsParams::from_grads(loss(&network).backward(), &network);
            let gradients = named_gradients(&network, &names, &gradients);
            let tensors = save_tensors(&network, &names);
            // Along the gradient itself the loss changes by the square of its norm.
            let mut norm = 0.0;
            for gradient in gradients.values() {
                norm += gradient.iter::<f32>().map(|g| f64::from(g).powi(2)).sum::<f64>();
            }
            let step = 2e-4 / norm.sqrt();
            let moved = |sign: f64| {
                let mut moved = tensors.clone();
                for (name, gradient) in &gradients {
                    let old = &moved[name];
                    let values: Vec<f32> = old
                        .iter::<f32>()
                        .zip(gradient.iter::<f32>())
                        .map(|(w, g)| (f64::from(w) + sign * step * f64::from(g)) as f32)
                        .collect();
                    let shape = old.shape().as_slice().to_vec();
                    moved.insert(name.clone(), burn::tensor::TensorData::new(values, shape));
                }
                let network = load_tensors(network.clone(), &names, moved).unwrap();
                f64::from(loss(&network).into_scalar::<f32>())
            };
            let found = (moved(1.0) - moved(-1.0)) / (2.0 * step);
            assert!(
                (found / norm - 1.0).abs() < 2e-2,
                "{op_set}: differences give {found}, gradients {norm}"
            );
        }
    }

    #[test]
    fn tensors_that_do_not_fit_are_all_listed() {
        let (plan, device) = (plan("paper-11", 0, &tiny()), Device::flex());
        let names = tensor_names(&plan, NameConvention::V1);
        let network = Network::new(&plan, &mut rng_for(1, "weights", 0), &device);
        let mut tensors = save_tensors(&network, &names);
        let stem = tensors.remove("stem.0.weight").unwrap();
        tensors.insert("stem.7.weight".into(), stem);
        tensors.insert("classifier.bias".into(), burn::tensor::TensorData::zeros::<f32, _>([4]));
        let error = load_tensors(network, &names, tensors).unwrap_err();
        assert_eq!(
            (error.missing, error.unknown),
            (vec!["stem.0.weight".into()], vec!["stem.7.weight".into()])
        );
        assert_eq!(error.misshapen, ["classifier.bias: found [4], expected [3]"]);
    }

    #[test]
    fn published_parameter_counts_are_those_of_the_built_network() {
        let plan = NetworkPlan::new(&zoo_entry("NAONet-B").unwrap().arch, &Skeleton::cifar10(5, 36)).unwrap();
        let network = Network::new(&plan, &mut rng_for(1, "weights", 0), &Device::flex().autodiff());
        assert_eq!(network.trainable_values(), 2_492_902);
    }
}
