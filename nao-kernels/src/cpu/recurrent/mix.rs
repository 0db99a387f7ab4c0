//! How a node mixes what it reads with a function of it.

use pulp::Simd;

use super::NodeFunction;
use crate::cpu::activation::{sigmoid, tanh};
use crate::cpu::isa::{fma, kernel, read, write};

kernel! {
    /// Products become gate and candidate, and rows that are read become states.
    pub(super) fn mix_forward<'a>(
        simd,
        n: usize,
        function: NodeFunction,
        mixes: &'a mut [f32],
        read_rows: &'a [f32],
        states: &'a mut [f32],
    ) {
        macro_rules! with {
            (|$u:ident| $value:expr) => {
                for ((mix, p), s) in mixes.chunks_exact_mut(2 * n).zip(read_rows.chunks_exact(n)).zip(states.chunks_exact_mut(n)) {
                    let (gates, candidates) = mix.split_at_mut(n);
                    for at in (0..n).step_by(S::F32_LANES) {
                        let gate = sigmoid(simd, read(simd, gates, at));
                        let $u = read(simd, candidates, at);
                        let candidate = $value;
                        let p = read(simd, p, at);
                        write(simd, gates, at, gate);
                        write(simd, candidates, at, candidate);
                        write(simd, s, at, fma(simd, gate, simd.sub_f32s(candidate, p), p));
                    }
                }
            };
        }
        match function {
            NodeFunction::Tanh => with!(|u| tanh(simd, u)),
            NodeFunction::Relu => with!(|u| relu(simd, u)),
            NodeFunction::Identity => with!(|u| u),
            NodeFunction::Sigmoid => with!(|u| sigmoid(simd, u)),
        }
    }
}

/// By comparison: what the largest of NaN and a number is depends on the instructions.
#[inline(always)]
fn relu<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_f32s(x, zero), zero, x)
}

kernel! {
    /// Gradients of products, from those of states; what passes the gate is added to `to`.
    pub(super) fn mix_backward<'a>(
        simd,
        n: usize,
        function: NodeFunction,
        mixes: &'a [f32],
        read_rows: &'a [f32],
        states: &'a [f32],
        d_mixes: &'a mut [f32],
        to: &'a mut [f32],
    ) {
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        macro_rules! with {
            (|$f:ident| $slope:expr) => {
                let rows = mixes.chunks_exact(2 * n).zip(read_rows.chunks_exact(n)).zip(states.chunks_exact(n));
                let rows = rows.zip(d_mixes.chunks_exact_mut(2 * n).zip(to.chunks_exact_mut(n)));
                for (((mix, p), d_s), (d_mix, to)) in rows {
                    let (gates, candidates) = mix.split_at(n);
                    let (d_gates, d_candidates) = d_mix.split_at_mut(n);
                    for at in (0..n).step_by(S::F32_LANES) {
                        let (gate, $f) = (read(simd, gates, at), read(simd, candidates, at));
                        let (p, d_s) = (read(simd, p, at), read(simd, d_s, at));
                        let rest = simd.sub_f32s(one, gate);
                        let through = simd.mul_f32s(d_s, gate);
                        // The slope of a sigmoid at its output y is y (1 - y).
                        let difference = simd.sub_f32s($f, p);
                        write(simd, d_gates, at, simd.mul_f32s(simd.mul_f32s(through, rest), difference));
                        write(simd, d_candidates, at, simd.mul_f32s(through, $slope));
                        write(simd, to, at, fma(simd, d_s, rest, read(simd, to, at)));
                    }
                }
            };
        }
        // From the output y: 1 - y y of a tangent.
        match function {
            NodeFunction::Tanh => {
                with!(|f| simd.sub_f32s(one, simd.mul_f32s(f, f)));
            }
            NodeFunction::Relu => {
                with!(|f| simd.select_f32s(simd.greater_than_f32s(f, zero), one, zero));
            }
            NodeFunction::Identity => {
                with!(|f| one);
            }
            NodeFunction::Sigmoid => {
                with!(|f| simd.mul_f32s(f, simd.sub_f32s(one, f)));
            }
        }
    }
}
