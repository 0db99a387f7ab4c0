//! A step of stochastic gradient descent in one pass over memory, and the sum of squares that clipping needs.

use super::isa::{Isa, fma, kernel};
use super::parallel::{fill_two, map};

/// How a step is made: `g = scale gradient + decay weight`, `buffer = momentum buffer + g` (`g` at first), and
/// `weight -= rate d`, where `d` is the buffer, or with Nesterov `g + momentum buffer`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Weight of the old buffer.
    pub momentum: f32,
    /// Whether the step looks ahead.
    pub nesterov: bool,
    /// Added to the scaled gradient, times the weight.
    pub decay: f32,
    /// What the gradient is multiplied by first.
    pub scale: f32,
    /// The learning rate.
    pub rate: f32,
}

/// Values that a thread takes at once.
const PIECE: usize = 1 << 14;

/// The new weight and buffer.
pub fn step(
    isa: Isa,
    step: SgdStep,
    weight: &[f32],
    gradient: &[f32],
    buffer: Option<&[f32]>,
) -> (Vec<f32>, Vec<f32>) {
    let len = weight.len();
    // Pieces of one size: as large as divides the whole.
    let size =
        if len <= PIECE { len } else { (1..=PIECE).rev().find(|&s| len.is_multiple_of(s)).unwrap_or(1) };
    let size = if size < PIECE / 64 { len } else { size };
    fill_two(
        len / size.max(1),
        [size; 2],
        || (),
        |(), number, new_weight, new_buffer: &mut [f32]| {
            let values = number * size..(number + 1) * size;
            let buffer = buffer.map(|buffer| &buffer[values.clone()]);
            move_weights(
                isa,
                step,
                &weight[values.clone()],
                &gradient[values],
                buffer,
                new_weight,
                new_buffer,
            );
        },
    )
}

/// The sum of the squares, in pieces that are added in order.
pub fn sum_of_squares(isa: Isa, x: &[f32]) -> f32 {
    let pieces = map(x.len().div_ceil(PIECE), |number| {
        squares(isa, &x[number * PIECE..((number + 1) * PIECE).min(x.len())])
    });
    pieces.into_iter().map(f64::from).sum::<f64>() as f32
}

kernel! {
    fn move_weights<'a>(
        _simd,
        step: SgdStep,
        weight: &'a [f32],
        gradient: &'a [f32],
        buffer: Option<&'a [f32]>,
        new_weight: &'a mut [f32],
        new_buffer: &'a mut [f32],
    ) {
        let SgdStep { momentum, nesterov, decay, scale, rate } = step;
        let ahead = if nesterov { momentum } else { 1.0 };
        let own = if nesterov { 1.0 } else { 0.0 };
        let all = weight.iter().zip(gradient).zip(new_weight.iter_mut().zip(new_buffer.iter_mut()));
        match buffer {
            Some(buffer) => {
                for (((weight, gradient), (new_weight, new_buffer)), buffer) in all.zip(buffer) {
                    let g = gradient * scale + weight * decay;
                    let b = buffer * momentum + g;
                    *new_buffer = b;
                    *new_weight = weight - (own * g + ahead * b) * rate;
                }
            }
            None => {
                for ((weight, gradient), (new_weight, new_buffer)) in all {
                    let g = gradient * scale + weight * decay;
                    *new_buffer = g;
                    *new_weight = weight - (own * g + ahead * g) * rate;
                }
            }
        }
    }
}

kernel! {
    fn squares<'a>(simd, x: &'a [f32]) -> f32 {
        let (vectors, rest) = S::as_simd_f32s(x);
        let (groups, left) = vectors.as_chunks::<4>();
        let mut sums = [simd.splat_f32s(0.0); 4];
        for group in groups {
            for i in 0..4 {
                sums[i] = fma(simd, group[i], group[i], sums[i]);
            }
        }
        for &vector in left {
            sums[0] = fma(simd, vector, vector, sums[0]);
        }
        let [a, b, c, d] = sums;
        let total = simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(c, d));
        simd.reduce_sum_f32s(total) + rest.iter().map(|x| x * x).sum::<f32>()
    }
}
