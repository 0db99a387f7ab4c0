//! Every network of the zoo is built, has the parameters that were counted, and trains.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use nao_space::network::{
    DenseNetBc, FeatureShape, GraphPlan, ResNext29, Skeleton, ZooEntry, ZooNetwork, zoo_networks,
};
use nao_space::seed::rng_for;

use super::{GraphNetwork, Network, Pass, TrainPass};
use crate::names::{NameConvention, graph_tensor_names, named_gradients, save_tensors, tensor_names};
use crate::op::loss::{cross_entropy, target_rows};
use nao_kernels::nn::kaiming_normal;

const CLASSES: usize = 3;

fn images(shape: FeatureShape, device: &Device) -> Tensor<4> {
    kaiming_normal([2, shape.channels, shape.height, shape.width], &mut rng_for(1, "images", 0), device)
}

fn loss(logits: Tensor<2>, device: &Device) -> Tensor<1> {
    assert_eq!(logits.dims(), [2, CLASSES]);
    cross_entropy(logits, target_rows(&[0, 2], CLASSES, 0.0, device))
}

/// The loss is finite, each gradient is, and not all of them are zero.
fn assert_trains<M: Module>(name: &str, network: &M, names: &[crate::names::TensorName], loss: Tensor<1>) {
    assert!(loss.clone().into_scalar::<f32>().is_finite(), "{name}");
    let gradients = GradientsParams::from_grads(loss.backward(), network);
    let gradients = named_gradients(network, names, &gradients);
    let mut largest = 0f32;
    for (tensor, gradient) in &gradients {
        for value in gradient.iter::<f32>() {
            assert!(value.is_finite(), "{name}: {tensor} has gradient {value}");
            largest = largest.max(value.abs());
        }
    }
    assert!(largest > 0.0, "{name}: no gradient");
}

fn check_cells(entry: &ZooEntry) {
    let device = Device::flex().autodiff();
    // Bottlenecks divide the width by four and by eight.
    let skeleton = Skeleton { cells_per_stage: 1, width: 16, ..entry.skeleton }
        .for_data(FeatureShape::new(32, 32, 3), CLASSES)
        .with_auxiliary(true);
    let plan = entry.plan(&skeleton).unwrap();
    let network = Network::new(&plan, &mut rng_for(1, "weights", 0), &device);
    assert_eq!(network.trainable_values(), plan.cost_with_auxiliary().params, "{}", entry.name);
    let names = tensor_names(&plan, NameConvention::V1);
    assert_eq!(save_tensors(&network, &names).len(), names.len(), "{}: names are unique", entry.name);
    let mut statistics = Vec::new();
    let mut pass = Pass::Train(TrainPass::without_dropping(&mut statistics));
    let logits = network.forward(images(skeleton.input, &device), &mut pass);
    let total = loss(logits.main, &device) + loss(logits.auxiliary.unwrap(), &device);
    assert_trains(entry.name, &network, &names, total);
    let plain = device.without_autodiff();
    let valid = network.valid().forward(images(skeleton.input, &plain), &mut Pass::Eval);
    assert!(valid.main.is_finite().all().into_scalar::<bool>(), "{}", entry.name);
}

fn check_graph(name: &str, plan: &GraphPlan) {
    let device = Device::flex().autodiff();
    let network = GraphNetwork::new(plan, &mut rng_for(1, "weights", 0), &device);
    assert_eq!(network.trainable_values(), plan.cost().params, "{name}");
    let names = graph_tensor_names(plan);
    let mut statistics = Vec::new();
    let mut pass = Pass::Train(TrainPass::without_dropping(&mut statistics));
    let logits = network.forward(images(plan.input(), &device), &mut pass);
    let total = loss(logits, &device);
    assert_trains(name, &network, &names, total);
    let network = network.apply_statistics(statistics);
    let plain = device.without_autodiff();
    let logits = network.valid().forward(images(plan.input(), &plain), &mut Pass::Eval);
    assert!(logits.is_finite().all().into_scalar::<bool>(), "{name}");
}

#[test]
fn every_network_of_the_zoo_is_built_and_trains() {
    let small = FeatureShape::new(16, 16, 3);
    let mut graphs = 0;
    for network in zoo_networks() {
        match network {
            ZooNetwork::Cells(entry) => check_cells(entry),
            ZooNetwork::Graph(graph) => {
                graphs += 1;
                let tiny = match graph.name {
                    "DenseNet-BC" => DenseNetBc { depth: 16, growth: 4 }.plan(small, CLASSES),
                    "ResNeXt-29" => ResNext29 { cardinality: 2, group_width: 2 }.plan(small, CLASSES),
                    other => panic!("{other} has no tiny version here"),
                };
                check_graph(graph.name, &tiny.unwrap());
            }
            ZooNetwork::Unpublished(_) => {}
        }
    }
    assert!(graphs > 0);
}

/// At the sizes of the papers, where the built network is of a handy size.
#[test]
fn networks_of_published_sizes_have_the_published_parameters() {
    let device = Device::flex().autodiff();
    let handy = 12_000_000;
    let mut built = 0;
    for network in zoo_networks() {
        let ZooNetwork::Cells(entry) = network else { continue };
        let plan = entry.plan(&entry.skeleton).unwrap();
        if plan.cost().params > handy {
            continue;
        }
        let network = Network::new(&plan, &mut rng_for(1, "weights", 0), &device);
        assert_eq!(nao_kernels::nn::trained_values(&network), plan.cost().params, "{}", entry.name);
        built += 1;
    }
    assert!(built > 10, "{built}");
}
