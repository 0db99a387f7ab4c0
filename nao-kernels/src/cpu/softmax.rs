//! Softmax over the last dimension, its logarithm, and their gradients.

use super::activation::{each, exp};
use super::isa::{Isa, kernel};
use super::parallel::fill;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Softmax {
    /// Probabilities.
    Plain,
    /// Their natural logarithms.
    Log,
}

/// Rows of `width` values.
pub fn forward(isa: Isa, softmax: Softmax, width: usize, x: &[f32]) -> Vec<f32> {
    in_rows(width, x.len(), |range, out| rows(isa, softmax, width, &x[range], out))
}

/// The gradient of `x`, from the outputs `y` and their gradient.
pub fn backward(isa: Isa, softmax: Softmax, width: usize, y: &[f32], gradient: &[f32]) -> Vec<f32> {
    in_rows(width, y.len(), |range, dx| slopes(isa, softmax, width, &y[range.clone()], &gradient[range], dx))
}

/// Rows of `width`, some hundred at a time where their number allows it.
fn in_rows(
    width: usize,
    len: usize,
    write: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync + Send,
) -> Vec<f32> {
    let rows = len / width.max(1);
    let per_piece = (1..=128.min(rows)).rev().find(|&count| rows.is_multiple_of(count)).unwrap_or(1);
    let size = per_piece * width;
    fill(rows / per_piece, size, || (), |(), number, out| write(number * size..(number + 1) * size, out))
}

kernel! {
    fn rows<'a>(simd, softmax: Softmax, width: usize, x: &'a [f32], out: &'a mut [f32]) {
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let shift = simd.splat_f32s(largest);
            each!(simd, x, out, |x| exp(simd, simd.sub_f32s(x, shift)));
            let sum: f32 = out.iter().sum();
            match softmax {
                Softmax::Plain => {
                    let share = 1.0 / sum;
                    out.iter_mut().for_each(|value| *value *= share);
                }
                Softmax::Log => {
                    let shift = largest + sum.ln();
                    for (out, x) in out.iter_mut().zip(x) {
                        *out = x - shift;
                    }
                }
            }
        }
    }
}

kernel! {
    fn slopes<'a>(simd, softmax: Softmax, width: usize, y: &'a [f32], gradient: &'a [f32], dx: &'a mut [f32]) {
        let rows = y.chunks_exact(width).zip(gradient.chunks_exact(width)).zip(dx.chunks_exact_mut(width));
        for ((y, gradient), dx) in rows {
            match softmax {
                Softmax::Plain => {
                    let mean: f32 = y.iter().zip(gradient).map(|(y, g)| y * g).sum();
                    for ((dx, y), g) in dx.iter_mut().zip(y).zip(gradient) {
                        *dx = y * (g - mean);
                    }
                }
                Softmax::Log => {
                    let sum: f32 = gradient.iter().sum();
                    each!(simd, y, dx, |y| exp(simd, y));
                    for (dx, g) in dx.iter_mut().zip(gradient) {
                        *dx = g - *dx * sum;
                    }
                }
            }
        }
    }
}
