//! Products with one matrix many times: it is laid out once, in panels of as many columns as a tile has sums, so that
//! each product reads it from front to back and lays nothing out.

use pulp::Simd;

use super::isa::{Isa, fma, kernel, load, read, write};
use super::matrix::{Matrix, Rows};
use super::parallel::fill;

/// A matrix in panels of columns, the last padded with zeros.
pub(crate) struct Panels {
    values: Vec<f32>,
    rows: usize,
    columns: usize,
    /// Columns of a panel.
    width: usize,
}

/// Vectors of a panel: a tile of sums, the weights and one value fill the registers.
const fn vectors(lanes: usize) -> usize {
    if lanes >= 16 { 3 } else { 2 }
}

impl Panels {
    /// A matrix `[rows, columns]` laid out.
    pub(crate) fn new(isa: Isa, [rows, columns]: [usize; 2], matrix: Matrix) -> Self {
        let width = isa.lanes() * vectors(isa.lanes());
        let write = |_: &mut (), panel: usize, values: &mut [f32]| {
            let first = panel * width;
            let live = width.min(columns - first);
            for (row, values) in values.chunks_exact_mut(width).enumerate() {
                let from = &matrix.values[row * matrix.row + first * matrix.column..];
                if matrix.column == 1 {
                    values[..live].copy_from_slice(&from[..live]);
                } else {
                    for (value, from) in values[..live].iter_mut().zip(from.iter().step_by(matrix.column)) {
                        *value = *from;
                    }
                }
                values[live..].fill(0.0);
            }
        };
        let values = fill(columns.div_ceil(width), rows * width, || (), write);
        Panels { values, rows, columns, width }
    }
}

/// `target = left right`, or `target += left right`. Rows of the target are `pitch` apart.
pub(crate) fn product_with_panels(
    isa: Isa,
    left: Rows,
    right: &Panels,
    target: &mut [f32],
    pitch: usize,
    add: bool,
) {
    if left.count == 0 || right.columns == 0 {
        return;
    }
    assert_eq!(right.width, isa.lanes() * vectors(isa.lanes()), "laid out for these instructions");
    assert!((left.count - 1) * left.pitch + right.rows <= left.values.len(), "the rows lie in their memory");
    assert!((left.count - 1) * pitch + right.columns <= target.len(), "the product lies in its memory");
    multiply(isa, left, right, target, pitch, add);
}

kernel! {
    /// Panel by panel, each of which stays in the cache for all rows.
    fn multiply<'a>(simd, left: Rows<'a>, right: &'a Panels, target: &'a mut [f32], pitch: usize, add: bool) {
        for panel in 0..right.columns.div_ceil(right.width) {
            let mut row = 0;
            while row < left.count {
                macro_rules! tile {
                    ($rows:literal, $vectors:literal) => {{
                        multiply_tile::<S, $rows, $vectors>(simd, left, right, panel, row, target, pitch, add);
                        row += $rows;
                    }};
                }
                match (S::F32_LANES >= 16, left.count - row) {
                    (true, 8..) => tile!(8, 3),
                    (true, 4..) => tile!(4, 3),
                    (true, 2..) => tile!(2, 3),
                    (true, _) => tile!(1, 3),
                    (false, 4..) => tile!(4, 2),
                    (false, _) => tile!(1, 2),
                }
            }
        }
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn multiply_tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: Rows,
    right: &Panels,
    panel: usize,
    first: usize,
    target: &mut [f32],
    pitch: usize,
    add: bool,
) {
    let lanes = S::F32_LANES;
    let values = &right.values[panel * right.rows * right.width..][..right.rows * right.width];
    debug_assert_eq!(right.width, VECTORS * lanes);
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    for k in 0..right.rows {
        let mut weights = [simd.splat_f32s(0.0); VECTORS];
        for (v, weight) in weights.iter_mut().enumerate() {
            // SAFETY: row k of the panel is `VECTORS * lanes` wide, as the caller checked.
            *weight = unsafe { load(simd, values, k * VECTORS * lanes + v * lanes) };
        }
        for (r, sums) in sums.iter_mut().enumerate() {
            let at = (first + r) * left.pitch + k;
            debug_assert!(at < left.values.len());
            // SAFETY: checked by the caller for the last row and k.
            let value = simd.splat_f32s(unsafe { *left.values.get_unchecked(at) });
            for v in 0..VECTORS {
                sums[v] = fma(simd, value, weights[v], sums[v]);
            }
        }
    }
    let start = panel * right.width;
    for (r, sums) in sums.iter().enumerate() {
        let row = &mut target[(first + r) * pitch..][..right.columns];
        for (v, &sum) in sums.iter().enumerate() {
            let at = start + v * lanes;
            if at >= row.len() {
                break;
            }
            let sum = if add { simd.add_f32s(sum, read(simd, row, at)) } else { sum };
            write(simd, row, at, sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_with_panels_is_a_product() {
        for isa in Isa::all() {
            for [rows, inner, columns] in [[1, 1, 1], [3, 5, 7], [8, 16, 48], [21, 9, 101], [15, 64, 33]] {
                let left: Vec<f32> = (0..rows * inner).map(|i| (i * 7 % 11) as f32 - 5.0).collect();
                let right: Vec<f32> = (0..inner * columns).map(|i| (i * 5 % 13) as f32 - 6.0).collect();
                let mut transposed = vec![0.0; inner * columns];
                for k in 0..inner {
                    for column in 0..columns {
                        transposed[column * inner + k] = right[k * columns + column];
                    }
                }
                let expected = |row: usize, column: usize| -> f32 {
                    (0..inner).map(|k| left[row * inner + k] * right[k * columns + column]).sum()
                };
                for matrix in [Matrix::rows(&right, columns), Matrix::rows(&transposed, inner).transposed()] {
                    let panels = Panels::new(isa, [inner, columns], matrix);
                    let left = Rows { values: &left, count: rows, pitch: inner };
                    let mut target = vec![1.0; rows * columns];
                    product_with_panels(isa, left, &panels, &mut target, columns, false);
                    product_with_panels(isa, left, &panels, &mut target, columns, true);
                    // Whole numbers: sums are exact in any order.
                    for row in 0..rows {
                        for column in 0..columns {
                            assert_eq!(target[row * columns + column], 2.0 * expected(row, column));
                        }
                    }
                }
            }
        }
    }
}
