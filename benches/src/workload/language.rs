//! Language models: a step of training, and the recurrent cell alone, forward and backward.

use std::sync::Arc;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use nao_child::language::{Dropouts, LanguageModel, LanguagePass, Regularisation, Tokens};
use nao_child::train::{Sgd, SgdSettings};
use nao_kernels::nn::uniform;
use nao_kernels::{NodeFunction, RecurrentGraph, RecurrentMasks, RecurrentNode, RecurrentWeights, recurrent};
use nao_space::network::{LanguageModelSkeleton, recurrent_zoo_entry};
use nao_space::seed::rng_for;
use nao_space::{Activation, RnnArch};
use rand::RngExt;
use serde_json::json;

use super::Workload;

/// Settings of a step as recipes have them; the values do not matter for its cost.
const SGD: SgdSettings = SgdSettings { momentum: 0.0, nesterov: false, weight_decay: 8e-7, clip: 0.25 };
const RATE: f64 = 0.1;
const TEMPORAL_PENALTY: f64 = 1e-3;
const DROPOUTS: Dropouts = Dropouts { word: 0.0, input: 0.2, x: 0.75, hidden: 0.25, output: 0.75 };

/// As many different words as the Penn Treebank has.
const VOCABULARY: usize = 10_000;
/// Words through which gradients flow.
const SEGMENT: usize = 35;

#[derive(Clone, Copy)]
struct Size {
    hidden: usize,
    batch: usize,
}

/// A child of the small search, a middling one, and the final training of the paper.
const SIZES: [Size; 3] =
    [Size { hidden: 64, batch: 20 }, Size { hidden: 200, batch: 20 }, Size { hidden: 850, batch: 64 }];

pub(super) fn workloads() -> Vec<Workload> {
    let steps = SIZES.map(|size| size.workload("step"));
    steps.into_iter().chain(SIZES.map(|size| size.workload("cell"))).collect()
}

impl Size {
    fn workload(self, mode: &'static str) -> Workload {
        let arch = recurrent_zoo_entry("NAO-RNN").expect("a zoo entry").arch.clone();
        let name = format!("language/{mode} H={} b={}", self.hidden, self.batch);
        let nodes = arch.nodes().iter();
        let description = json!({
            "name": name,
            "kind": "language",
            "mode": mode,
            "vocabulary": VOCABULARY,
            "hidden": self.hidden,
            "batch": self.batch,
            "segment": SEGMENT,
            "nodes": nodes.map(|node| json!([node.input.index(), node.activation.name()])).collect::<Vec<_>>(),
            "dropouts": DROPOUTS,
            "temporal_penalty": TEMPORAL_PENALTY,
            "learning_rate": RATE,
            "weight_decay": SGD.weight_decay,
            "clip": SGD.clip,
        });
        let build = move || if mode == "step" { self.step(arch.clone()) } else { self.cell(&arch) };
        Workload { name, description, build: Box::new(build) }
    }

    /// Forward, backward, clipping and SGD on a fixed segment.
    fn step(self, arch: RnnArch) -> Box<dyn FnMut()> {
        let device = Device::flex().autodiff();
        let sizes = LanguageModelSkeleton { vocabulary: VOCABULARY, hidden: self.hidden };
        let mut model = LanguageModel::new(sizes, arch.nodes().len(), &mut rng_for(6, "weights", 0), &device);
        let mut sgd = Sgd::new(SGD);
        let (words, next) = (self.words(0), self.words(1));
        let mut masks = rng_for(6, "masks", 0);
        Box::new(move || {
            let mut pass = LanguagePass::Train { dropouts: DROPOUTS, rng: &mut masks };
            let output = model.forward(&arch, &words, model.blank_memory(self.batch), &mut pass);
            let penalties = Regularisation { activation: 0.0, temporal: TEMPORAL_PENALTY };
            let loss = output.loss(&next, penalties);
            assert!(loss.nll.into_scalar::<f32>().is_finite());
            let gradients = GradientsParams::from_grads(loss.total.backward(), &model);
            model = sgd.step(model.clone(), gradients, RATE).0;
        })
    }

    fn words(self, index: u64) -> Tokens {
        let mut rng = rng_for(6, "words", index);
        let mut row = || (0..self.batch).map(|_| rng.random_range(0..VOCABULARY as u32)).collect();
        Tokens::new(&(0..SEGMENT).map(|_| row()).collect::<Vec<_>>()).expect("rows of one length")
    }

    /// The cell over a segment, and the gradients of its weights, words and memory.
    fn cell(self, arch: &RnnArch) -> Box<dyn FnMut()> {
        let Size { hidden, batch } = self;
        let device = Device::flex().autodiff();
        let mut rng = rng_for(6, "cell", 0);
        let count = arch.nodes().len();
        let first = uniform([2 * hidden, 2 * hidden], 0.04, &mut rng, &device).require_grad();
        let nodes = uniform([count * hidden, 2 * hidden], 0.04, &mut rng, &device).require_grad();
        let words: Tensor<3> = uniform([SEGMENT, batch, hidden], 0.04, &mut rng, &device).require_grad();
        let memory = uniform([batch, hidden], 0.04, &mut rng, &device).require_grad();
        let graph = Arc::new(graph(arch));
        Box::new(move || {
            let weights = RecurrentWeights { first: first.clone(), nodes: nodes.clone() };
            let outputs = recurrent(
                words.clone(),
                memory.clone(),
                weights,
                RecurrentMasks::default(),
                Arc::clone(&graph),
            );
            let gradients = outputs.sum().backward();
            assert!(first.grad(&gradients).is_some() && words.grad(&gradients).is_some());
        })
    }
}

fn graph(arch: &RnnArch) -> RecurrentGraph {
    let function = |activation| match activation {
        Activation::Tanh => NodeFunction::Tanh,
        Activation::Relu => NodeFunction::Relu,
        Activation::Identity => NodeFunction::Identity,
        Activation::Sigmoid => NodeFunction::Sigmoid,
    };
    let nodes = arch.nodes().iter();
    RecurrentGraph {
        nodes: nodes
            .map(|node| RecurrentNode { input: node.input.index(), function: function(node.activation) })
            .collect(),
        averaged: (1..=arch.nodes().len()).collect(),
    }
}
