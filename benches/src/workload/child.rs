//! Child networks: training steps, inference, and single operations.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use nao_child::network::Block;
use nao_child::op::drop::DropPathSchedule;
use nao_child::op::loss::{cross_entropy, target_rows};
use nao_child::train::{Sgd, SgdSettings};
use nao_child::{Dropping, Network, Pass, TrainPass};
use nao_kernels::nn::uniform;
use nao_space::network::{Block as BlockPlan, FeatureShape, NetworkPlan, Skeleton, zoo_entry};
use nao_space::seed::rng_for;
use nao_space::{Cell, CnnArch, CnnSpace, Edge, Node, Op, OpSet, Space, State};
use serde_json::json;

use super::Workload;

/// Settings of a step as recipes have them; the values do not matter for its cost.
const SGD: SgdSettings = SgdSettings { momentum: 0.9, nesterov: true, weight_decay: 3e-4, clip: 5.0 };
const RATE: f64 = 0.024;
const AUXILIARY_WEIGHT: f64 = 0.4;

struct Subject {
    name: &'static str,
    plan: NetworkPlan,
    batch: usize,
    drop_path_keep: f64,
}

/// The networks: random cells of the paper's set at two widths, the children of the digits search, and the paper's best.
fn subjects() -> Vec<Subject> {
    let space = CnnSpace::new(5, OpSet::paper_11()).expect("the paper's space");
    let random = |index: u64, skeleton: Skeleton| {
        NetworkPlan::new(&space.sample(&mut rng_for(6, "bench", index)), &skeleton).expect("a plan on 32x32")
    };
    let cifar = |index: u64, width: usize| random(index, Skeleton::cifar10(1, width));
    let naonet = &zoo_entry("NAONet-A").expect("a zoo entry").arch;
    let naonet = NetworkPlan::new(naonet, &Skeleton::cifar10(6, 36)).expect("a plan on 32x32");
    let digits = random(0, Skeleton::cifar10(1, 6).for_data(FeatureShape::new(8, 8, 1), 10));
    let subject = |name, plan, batch| Subject { name, plan, batch, drop_path_keep: 1.0 };
    vec![
        subject("cell-1-F16", cifar(1, 16), 64),
        subject("cell-2-F16", cifar(2, 16), 64),
        subject("cell-1-F32", cifar(1, 32), 64),
        subject("cell-2-F32", cifar(2, 32), 64),
        subject("digits", digits, 32),
        Subject { drop_path_keep: 0.8, ..subject("NAONet-A-F36", naonet, 4) },
    ]
}

/// A step of training: forward, backward, clipping and SGD.
pub(super) fn steps() -> Vec<Workload> {
    subjects().into_iter().map(|subject| subject.workload(true)).collect()
}

/// A batch through the network as it is used.
pub(super) fn inferences() -> Vec<Workload> {
    subjects().into_iter().map(|subject| subject.workload(false)).collect()
}

impl Subject {
    fn workload(self, train: bool) -> Workload {
        let name = format!("{}/{}", if train { "step" } else { "inference" }, self.name);
        let description = json!({
            "name": name,
            "kind": "child",
            "mode": if train { "train" } else { "infer" },
            "batch": self.batch,
            "plan": self.plan,
            "clip": SGD.clip,
            "learning_rate": RATE,
            "momentum": SGD.momentum,
            "nesterov": SGD.nesterov,
            "weight_decay": SGD.weight_decay,
            "drop_path_keep": self.drop_path_keep,
            "dropout_keep": 1.0,
            "auxiliary_weight": AUXILIARY_WEIGHT,
            "label_smoothing": 0.0,
        });
        let build = move || if train { self.training() } else { self.inference() };
        Workload { name, description, build: Box::new(build) }
    }

    fn images(&self, device: &Device) -> Tensor<4> {
        let FeatureShape { height, width, channels } = self.plan.skeleton.input;
        uniform([self.batch, channels, height, width], 1.7, &mut rng_for(6, "images", 0), device)
    }

    fn training(&self) -> Box<dyn FnMut()> {
        let device = Device::flex().autodiff();
        let mut rng = rng_for(6, "weights", 0);
        let mut network = Some(Network::new(&self.plan, &mut rng, &device));
        let mut sgd = Sgd::new(SGD);
        let images = self.images(&device);
        let classes = self.plan.skeleton.classes;
        let labels: Vec<u8> = (0..self.batch).map(|image| (image % classes) as u8).collect();
        let keep = self.drop_path_keep;
        Box::new(move || {
            let before = network.take().expect("the network is put back");
            let drop_path = DropPathSchedule { keep, total_steps: 1 };
            let dropping = Dropping { rng: &mut rng, drop_path, step: 0, dropout_keep: 1.0 };
            let mut statistics = Vec::new();
            let mut pass = Pass::Train(TrainPass::dropping(dropping, &mut statistics));
            let logits = before.forward(images.clone(), &mut pass);
            let targets = target_rows(&labels, classes, 0.0, &device);
            let mut loss = cross_entropy(logits.main, targets.clone());
            if let Some(auxiliary) = logits.auxiliary {
                loss = loss + cross_entropy(auxiliary, targets) * AUXILIARY_WEIGHT;
            }
            let value = loss.clone().into_scalar::<f32>();
            assert!(value.is_finite(), "the loss is {value}");
            let gradients = GradientsParams::from_grads(loss.backward(), &before);
            let (after, _) = sgd.step(before, gradients, RATE);
            network = Some(after.apply_statistics(statistics));
        })
    }

    fn inference(&self) -> Box<dyn FnMut()> {
        let device = Device::flex();
        let network = Network::new(&self.plan, &mut rng_for(6, "weights", 0), &device).valid();
        let images = self.images(&device);
        Box::new(move || {
            let logits = network.forward(images.clone(), &mut Pass::Eval).main;
            assert!(logits.argmax(1).into_data().shape().num_elements() > 0);
        })
    }
}

/// Each operation of the paper's set as a branch of a cell, keeping and halving the resolution.
pub(super) fn operations() -> Vec<Workload> {
    let mut all = Vec::new();
    for (width, batch, size) in [(16, 64, 32), (32, 64, 16)] {
        for op in OpSet::paper_11().ops() {
            for (role, cell) in [("", 0), (" reducing", 1)] {
                let plan =
                    NetworkPlan::new(&all_of(op), &skeleton(width, size)).expect("a plan on such images");
                let block = plan.cells[cell].nodes[0].branches[1].block.clone();
                if !block.layers.is_empty() {
                    all.push(operation(format!("op/{}{role} F={width}", op.name()), block, batch));
                }
            }
        }
    }
    all
}

/// Cells of which the first keeps the resolution and the second halves it; the width of that is doubled, so it is halved
/// here.
fn skeleton(width: usize, size: usize) -> Skeleton {
    Skeleton::cifar10(1, width).for_data(FeatureShape::new(size, size, 3), 10)
}

fn all_of(op: Op) -> CnnArch {
    let edge = |state: usize| Edge { input: State(state as u8), op };
    let node = Node { edges: [edge(0), edge(1)] };
    let cell = Cell::new(vec![node; 5]).expect("nodes that read the cell inputs");
    CnnArch { normal: cell.clone(), reduction: cell }
}

fn operation(name: String, plan: BlockPlan, batch: usize) -> Workload {
    let description =
        json!({ "name": name, "kind": "block", "batch": batch, "input": plan.input, "block": plan });
    let build = move || -> Box<dyn FnMut()> {
        let device = Device::flex().autodiff();
        let mut rng = rng_for(6, "weights", 0);
        let block = Block::new(&plan, &mut rng, &device);
        let FeatureShape { height, width, channels } = plan.input;
        let images = uniform([batch, channels, height, width], 1.7, &mut rng, &device).require_grad();
        Box::new(move || {
            let mut statistics = Vec::new();
            let mut pass = Pass::Train(TrainPass::without_dropping(&mut statistics));
            let output = block.forward(images.clone(), &mut pass);
            let gradients = output.backward();
            assert!(images.grad(&gradients).is_some());
        })
    };
    Workload { name, description, build: Box::new(build) }
}
