//! One training of the networks: shuffled batches, the joint loss, a global clip and Adam (docs/specification.md, c.1,
//! c.2).

use std::time::Instant;

use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use nao_kernels::nn::clip_gradients;
use nao_space::Token;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::config::ControllerConfig;
use super::networks::Networks;
use crate::error::ControllerError;
use crate::language::{Grammar, Language};
use crate::ops::{Mode, floats};

/// The losses of one epoch: means over its sequences, each taken before the step that used it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochLosses {
    /// The joint loss.
    pub loss: f64,
    /// Mean squared error of the predictions.
    pub prediction: f64,
    /// Token cross entropy, natural logarithm.
    pub reconstruction: f64,
}

/// What a fit did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitReport {
    /// Per epoch, in order.
    pub epochs: Vec<EpochLosses>,
    /// Optimiser steps.
    pub steps: usize,
    /// Wall-clock seconds.
    pub seconds: f64,
}

impl FitReport {
    /// The losses of the last epoch, if there was one.
    pub fn last(&self) -> Option<EpochLosses> {
        self.epochs.last().copied()
    }
}

/// What is trained on: sequences and their targets in 0 to 1, in pairs.
pub(crate) struct Pool<'a> {
    pub(crate) sequences: &'a [Vec<Token>],
    pub(crate) targets: &'a [f32],
}

/// Trains the networks with a fresh Adam; they are returned only if every loss was a finite number.
pub(crate) fn train(
    mut networks: Networks,
    config: &ControllerConfig,
    language: &Language,
    pool: &Pool,
    grammar: &dyn Grammar,
    rng: &mut ChaCha8Rng,
) -> Result<(Networks, FitReport), ControllerError> {
    let start = Instant::now();
    let mut optimizer = adam(config);
    let mut order: Vec<usize> = (0..pool.sequences.len()).collect();
    let mut report = FitReport { epochs: Vec::with_capacity(config.epochs), steps: 0, seconds: 0.0 };
    for epoch in 1..=config.epochs {
        order.shuffle(rng);
        let mut sums: Option<Tensor<1>> = None;
        for batch in order.chunks(config.batch) {
            let spelled = spell(batch, pool, config, grammar, rng);
            let sequences: Vec<&[Token]> = spelled.iter().map(Vec::as_slice).collect();
            let targets: Vec<f32> = batch.iter().map(|&index| pool.targets[index]).collect();
            let mut mode = Mode::Train(rng);
            let forward = networks.forward(&sequences, &targets, config, language, &mut mode);
            let gradients = GradientsParams::from_grads(forward.loss.backward(), &networks);
            let gradients = clip_gradients(&networks, gradients, config.clip);
            networks = optimizer.step(config.learning_rate, networks, gradients);
            report.steps += 1;
            // Losses stay on the device until the epoch ends.
            let losses = vec![forward.loss, forward.prediction_loss, forward.reconstruction_loss];
            let losses = Tensor::cat(losses, 0).without_autodiff().mul_scalar(batch.len() as f64);
            sums = Some(sums.map_or(losses.clone(), |sums| sums + losses));
        }
        let losses = epoch_losses(sums, pool.sequences.len());
        if !losses.loss.is_finite() {
            let (loss, learning_rate) = (losses.loss, config.learning_rate);
            return Err(ControllerError::Diverged { epoch, loss, learning_rate });
        }
        if epoch % 100 == 0 {
            tracing::debug!(epoch, loss = losses.loss, "controller fit");
        }
        report.epochs.push(losses);
    }
    report.seconds = start.elapsed().as_secs_f64();
    Ok((networks, report))
}

/// Adam as in PyTorch: epsilon 1e-8, and the L2 penalty joins the (already clipped) gradient.
fn adam(config: &ControllerConfig) -> ModuleOptimizer {
    let decay = (config.weight_decay > 0.0).then(|| WeightDecayConfig::new(config.weight_decay as f32));
    AdamConfig::new().with_beta_1(0.9).with_beta_2(0.999).with_epsilon(1e-8).with_weight_decay(decay).init()
}

/// The sequences of a batch, each in another spelling if the configuration says so.
fn spell(
    batch: &[usize],
    pool: &Pool,
    config: &ControllerConfig,
    grammar: &dyn Grammar,
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<Token>> {
    let spelling = |&index: &usize| {
        let sequence = &pool.sequences[index];
        if config.respell { grammar.another_spelling(sequence, rng) } else { sequence.clone() }
    };
    batch.iter().map(spelling).collect()
}

fn epoch_losses(sums: Option<Tensor<1>>, sequences: usize) -> EpochLosses {
    let sums = sums.map_or(Vec::new(), floats);
    let mean = |index: usize| sums.get(index).map_or(f64::NAN, |&sum| f64::from(sum) / sequences as f64);
    EpochLosses { loss: mean(0), prediction: mean(1), reconstruction: mean(2) }
}
