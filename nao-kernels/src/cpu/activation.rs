//! The exponential function and what is made of it, vector by vector.

use pulp::Simd;

use super::isa::{Isa, fma, kernel};
use super::parallel::fill;

/// A function of single values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
}

/// Values per piece that a thread takes.
const PIECE: usize = 8192;

/// The function of each value of `x`.
pub fn forward(isa: Isa, activation: Activation, x: &[f32]) -> Vec<f32> {
    in_pieces(x.len(), |range, out| apply(isa, activation, &x[range], out))
}

/// The gradient of `x`, from the outputs `y` and their gradient.
pub fn backward(isa: Isa, activation: Activation, y: &[f32], gradient: &[f32]) -> Vec<f32> {
    in_pieces(y.len(), |range, dx| slope(isa, activation, &y[range.clone()], &gradient[range], dx))
}

fn in_pieces(len: usize, write: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync + Send) -> Vec<f32> {
    if len <= PIECE || !len.is_multiple_of(PIECE) {
        // One piece, or pieces as even as whole numbers allow.
        let pieces = (1..=len.div_ceil(PIECE)).rev().find(|&pieces| len.is_multiple_of(pieces)).unwrap_or(1);
        let size = len / pieces;
        return fill(pieces, size, || (), |(), number, out| write(number * size..(number + 1) * size, out));
    }
    fill(len / PIECE, PIECE, || (), |(), number, out| write(number * PIECE..(number + 1) * PIECE, out))
}

kernel! {
    fn apply<'a>(simd, activation: Activation, x: &'a [f32], out: &'a mut [f32]) {
        match activation {
            Activation::Tanh => {
                each!(simd, x, out, |x| tanh(simd, x));
            }
            Activation::Sigmoid => {
                each!(simd, x, out, |x| sigmoid(simd, x));
            }
        }
    }
}

kernel! {
    fn slope<'a>(simd, activation: Activation, y: &'a [f32], gradient: &'a [f32], dx: &'a mut [f32]) {
        let _ = simd;
        for ((dx, &y), &gradient) in dx.iter_mut().zip(y).zip(gradient) {
            *dx = gradient * match activation {
                Activation::Tanh => 1.0 - y * y,
                Activation::Sigmoid => y * (1.0 - y),
            };
        }
    }
}

/// Writes an expression of each vector of `x`, the last of which may be a part of one, to `out`. A macro, not a function
/// of a closure: a closure that were not inlined would be compiled without the vector instructions.
macro_rules! each {
    ($simd:ident, $x:expr, $out:expr, |$vector:ident| $value:expr) => {
        let (x, x_rest) = S::as_simd_f32s($x);
        let (out, out_rest) = S::as_mut_simd_f32s($out);
        for (out, &$vector) in out.iter_mut().zip(x) {
            *out = $value;
        }
        if !x_rest.is_empty() {
            let $vector = $simd.partial_load_f32s(x_rest);
            $simd.partial_store_f32s(out_rest, $value);
        }
    };
}
pub(crate) use each;

/// `exp(x)` within two units in the last place; 0 below -87, finite up to 88, where it stays.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // By comparison: what the largest of NaN and a number is depends on the instructions.
    let (least, largest) = (simd.splat_f32s(-87.0), simd.splat_f32s(88.0));
    let x = simd.select_f32s(simd.less_than_f32s(x, least), least, x);
    let x = simd.select_f32s(simd.greater_than_f32s(x, largest), largest, x);
    // Adding 1.5 * 2^23 leaves the nearest whole number in the last bits.
    let shifted = fma(simd, x, simd.splat_f32s(std::f32::consts::LOG2_E), simd.splat_f32s(ROUND));
    let whole = simd.sub_f32s(shifted, simd.splat_f32s(ROUND));
    // x - whole ln 2, with ln 2 in two parts of which the first has few bits.
    let rest = fma(simd, whole, simd.splat_f32s(-LN_2_HIGH), x);
    let rest = fma(simd, whole, simd.splat_f32s(-LN_2_LOW), rest);
    let mut sum = simd.splat_f32s(1.0 / 5040.0);
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = fma(simd, sum, rest, simd.splat_f32s(coefficient));
    }
    let bits = simd.transmute_u32s_f32s(shifted);
    let exponent = simd.wrapping_dyn_shl_u32s(bits, simd.splat_u32s(23));
    simd.mul_f32s(sum, simd.transmute_f32s_u32s(simd.add_u32s(exponent, simd.splat_u32s(1f32.to_bits()))))
}

const ROUND: f32 = 12_582_912.0;
/// 355 / 512: eleven bits, so that whole numbers times it are exact.
const LN_2_HIGH: f32 = 355.0 / 512.0;
const LN_2_LOW: f32 = (std::f64::consts::LN_2 - 355.0 / 512.0) as f32;

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    simd.div_f32s(one, simd.add_f32s(one, exp(simd, simd.neg_f32s(x))))
}

/// The hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    // Near 0 the difference of near-equal numbers has few digits: the series is used there.
    let e = exp(simd, simd.add_f32s(x, x));
    let far = simd.sub_f32s(one, simd.div_f32s(simd.splat_f32s(2.0), simd.add_f32s(one, e)));
    let square = simd.mul_f32s(x, x);
    let mut series = simd.splat_f32s(-1382.0 / 155_925.0);
    for coefficient in [62.0 / 2835.0, -17.0 / 315.0, 2.0 / 15.0, -1.0 / 3.0, 1.0] {
        series = fma(simd, series, square, simd.splat_f32s(coefficient));
    }
    let near = simd.less_than_f32s(square, simd.splat_f32s(0.16));
    simd.select_f32s(near, simd.mul_f32s(series, x), far)
}
