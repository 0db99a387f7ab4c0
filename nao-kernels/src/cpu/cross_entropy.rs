//! The mean negative log likelihood of right classes under a softmax, and its gradient.

use super::activation::exp;
use super::isa::{Isa, kernel};
use super::parallel::{fill, map};

/// Rows that one thread takes at once.
const ROWS: usize = 16;

/// The loss, and what its gradient needs: the logarithm of the sum of exponentials of each row.
pub fn forward(isa: Isa, classes: usize, logits: &[f32], targets: &[u32]) -> (f32, Vec<f32>) {
    let pieces = logits.chunks(ROWS * classes.max(1)).zip(targets.chunks(ROWS)).collect::<Vec<_>>();
    let sums = map(pieces.len(), |piece| {
        let (logits, targets) = pieces[piece];
        let rows = logits.chunks_exact(classes).zip(targets);
        let of_row = |(row, &target): (&[f32], &u32)| {
            let total = log_sum_exp(isa, row);
            (total, f64::from(total) - f64::from(row[target as usize]))
        };
        rows.map(of_row).collect::<Vec<_>>()
    });
    let loss: f64 = sums.iter().flatten().map(|(_, loss)| loss).sum();
    let totals = sums.into_iter().flatten().map(|(total, _)| total).collect();
    ((loss / targets.len() as f64) as f32, totals)
}

/// The gradient of the logits, from that of the loss.
pub fn backward(
    isa: Isa,
    classes: usize,
    logits: &[f32],
    targets: &[u32],
    totals: &[f32],
    gradient: f32,
) -> Vec<f32> {
    let share = gradient / targets.len() as f32;
    fill(
        targets.len(),
        classes,
        || (),
        |(), row, out| {
            probabilities(isa, &logits[row * classes..][..classes], totals[row], share, out);
            out[targets[row] as usize] -= share;
        },
    )
}

kernel! {
    fn log_sum_exp<'a>(simd, row: &'a [f32]) -> f32 {
        let (vectors, rest) = S::as_simd_f32s(row);
        // Four sums hide the time that one addition takes.
        let mut largest = [simd.splat_f32s(f32::NEG_INFINITY); 4];
        for (at, &x) in vectors.iter().enumerate() {
            largest[at % 4] = simd.max_f32s(largest[at % 4], x);
        }
        let both = [simd.max_f32s(largest[0], largest[1]), simd.max_f32s(largest[2], largest[3])];
        let largest = rest.iter().copied().fold(simd.reduce_max_f32s(simd.max_f32s(both[0], both[1])), f32::max);
        let shift = simd.splat_f32s(largest);
        let mut sums = [simd.splat_f32s(0.0); 4];
        for (at, &x) in vectors.iter().enumerate() {
            sums[at % 4] = simd.add_f32s(sums[at % 4], exp(simd, simd.sub_f32s(x, shift)));
        }
        let sum = simd.add_f32s(simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3]));
        let rest: f32 = rest.iter().map(|x| (x - largest).exp()).sum();
        // A row with NaN has NaN in the sum: comparisons pass it over, exponentials do not.
        largest + (simd.reduce_sum_f32s(sum) + rest).ln()
    }
}

kernel! {
    /// `share exp(x - total)`.
    fn probabilities<'a>(simd, row: &'a [f32], total: f32, share: f32, out: &'a mut [f32]) {
        let (shift, scale) = (simd.splat_f32s(total), simd.splat_f32s(share));
        super::activation::each!(simd, row, out, |x| {
            simd.mul_f32s(exp(simd, simd.sub_f32s(x, shift)), scale)
        });
    }
}
