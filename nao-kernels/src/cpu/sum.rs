//! Sums of two branches, each weighted per example: a node of a cell, with its dropped paths.

use super::isa::{Isa, kernel};
use super::parallel::fill;

/// Per example, the weights of the first and of the second branch.
pub type Weights<'a> = &'a [[f32; 2]];

/// `x + y`, or with weights `w x + v y` per example. `x`, `y`: `[batch, …]`.
pub fn forward(isa: Isa, batch: usize, x: &[f32], y: &[f32], weights: Option<Weights>) -> Vec<f32> {
    let size = x.len() / batch.max(1);
    fill(
        batch,
        size,
        || (),
        |(), example, out| {
            let values = example * size..(example + 1) * size;
            let (x, y) = (&x[values.clone()], &y[values]);
            match weights {
                None => add(isa, x, y, out),
                Some(weights) => weighted(isa, x, y, weights[example], out),
            }
        },
    )
}

/// The gradient of the first (0) or second (1) branch.
pub fn backward(isa: Isa, batch: usize, weights: Weights, branch: usize, gradient: &[f32]) -> Vec<f32> {
    let size = gradient.len() / batch.max(1);
    fill(
        batch,
        size,
        || (),
        |(), example, out| {
            scale(isa, &gradient[example * size..][..size], weights[example][branch], out);
        },
    )
}

kernel! {
    fn add<'a>(_simd, x: &'a [f32], y: &'a [f32], out: &'a mut [f32]) {
        for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
            *out = x + y;
        }
    }
}

kernel! {
    fn weighted<'a>(_simd, x: &'a [f32], y: &'a [f32], weights: [f32; 2], out: &'a mut [f32]) {
        for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
            *out = x * weights[0] + y * weights[1];
        }
    }
}

kernel! {
    fn scale<'a>(_simd, x: &'a [f32], by: f32, out: &'a mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = x * by;
        }
    }
}
