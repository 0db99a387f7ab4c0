//! Ascent in the embedding: gradient steps up the bound `mean + kappa * deviation` of the posterior, through the
//! features that are read from the embedding.

use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use super::pretraining::{PretrainedSpace, rows};
use crate::gaussian_process::{GaussianProcess, StructureBound};
use crate::init::normal;
use crate::ops::normalise;

/// How far and how often.
#[derive(Clone, Debug)]
pub(crate) struct Moves<'a> {
    /// The lengths of steps; every start moves once with each.
    pub sizes: &'a [f64],
    /// Number of steps.
    pub steps: usize,
    /// How much a deviation counts.
    pub kappa: f64,
}

impl PretrainedSpace {
    /// The gradient of the bound with respect to embeddings `[batch, steps, hidden]`, in the same shape.
    pub(crate) fn bound_gradient(
        &self,
        bound: &StructureBound,
        embedding: &Tensor<3>,
        kappa: f64,
    ) -> Tensor<3> {
        // burn keeps gradients of leaves only.
        let leaf = embedding.clone().detach().autodiff().require_grad();
        let read = self.networks.read(leaf.clone());
        let at = bound.at(&rows(read.clone().without_autodiff()), kappa);
        let slopes: Vec<f32> = at.iter().flat_map(|at| &at.slope).map(|&slope| slope as f32).collect();
        let slopes = Tensor::<2>::from_data(TensorData::new(slopes, read.dims()), &read.device());
        // The chain rule: the slopes with respect to the features are constants of the backward pass.
        let mut gradients = (read * slopes).sum().backward();
        leaf.grad_remove(&mut gradients).unwrap_or_else(|| embedding.clone().zeros_like())
    }

    /// Points anywhere in the embedding, each step in any direction: `[count, steps, hidden]`.
    pub(crate) fn random_points(&self, count: usize, rng: &mut ChaCha8Rng) -> Tensor<3> {
        let shape = [count, self.language.encoder_steps(), self.config().hidden];
        normalise(normal(shape, rng, &self.networks.device()).val())
    }

    /// Moves every start with every size of step. Returns the embeddings after each step, each
    /// `[sizes * starts, steps, hidden]`, those of one size in a row.
    pub(crate) fn ascend(
        &self,
        process: &GaussianProcess,
        starts: &Tensor<3>,
        moves: &Moves<'_>,
    ) -> Vec<Tensor<3>> {
        let [count, time, hidden] = starts.dims();
        let bound = StructureBound::of(process);
        let mut embedding = Tensor::cat(vec![starts.clone(); moves.sizes.len()], 0);
        let sizes: Vec<f32> =
            moves.sizes.iter().flat_map(|&size| std::iter::repeat_n(size as f32, count)).collect();
        let shape = [sizes.len(), 1, 1];
        let sizes = Tensor::<3>::from_data(TensorData::new(sizes, shape), &embedding.device());
        let mut after = Vec::with_capacity(moves.steps);
        for _ in 0..moves.steps {
            let gradient = self.bound_gradient(&bound, &embedding, moves.kappa);
            // Every step has the given length over the whole embedding of an architecture.
            let rows = moves.sizes.len() * count;
            let unit = normalise(gradient.reshape([rows, time * hidden])).reshape([rows, time, hidden]);
            embedding = normalise(embedding + unit * sizes.clone());
            after.push(embedding.clone());
        }
        after
    }
}
