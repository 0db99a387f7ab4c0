//! Matrix products: large ones by the `gemm` crate, and those of an LSTM's steps, where that would lay the same weights
//! out anew at every step, by a kernel of our own on weights laid out once.

use gemm::Parallelism;
use pulp::Simd;

use super::isa::{Isa, fma, kernel, load, read, write};

/// A matrix in memory: where it starts, and the distances of neighbouring rows and columns.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl<'a> Matrix<'a> {
    /// Rows one after another, `width` apart.
    pub(crate) fn rows(values: &'a [f32], width: usize) -> Self {
        Matrix { values, row: width, column: 1 }
    }

    /// The same matrix on its side.
    pub(crate) fn transposed(self) -> Self {
        Matrix { row: self.column, column: self.row, ..self }
    }

    fn check(&self, rows: usize, columns: usize) {
        let last = rows.saturating_sub(1) * self.row + columns.saturating_sub(1) * self.column;
        assert!(rows == 0 || columns == 0 || last < self.values.len(), "the matrix lies in its memory");
    }
}

/// `target = left right`, or `target += left right`: `[rows, inner]` times `[inner, columns]`. Rows of the target are
/// `pitch` apart.
pub(crate) fn product(
    [rows, inner, columns]: [usize; 3],
    left: Matrix,
    right: Matrix,
    target: &mut [f32],
    pitch: usize,
    add: bool,
) {
    left.check(rows, inner);
    right.check(inner, columns);
    assert!(rows == 0 || (rows - 1) * pitch + columns <= target.len(), "the product lies in its memory");
    let threads = match rayon::current_num_threads() {
        1 => Parallelism::None,
        _ if rows * inner * columns < 1 << 20 => Parallelism::None,
        _ => Parallelism::Rayon(0),
    };
    // SAFETY: all three matrices were checked to lie in their slices, and the target is borrowed mutably.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            target.as_mut_ptr(),
            1,
            pitch as isize,
            add,
            left.values.as_ptr(),
            left.column as isize,
            left.row as isize,
            right.values.as_ptr(),
            right.column as isize,
            right.row as isize,
            if add { 1.0 } else { 0.0 },
            1.0f32,
            false,
            false,
            false,
            threads,
        );
    }
}

/// A matrix whose rows are padded with zeros to whole vectors.
pub(crate) struct Laid {
    values: Vec<f32>,
    rows: usize,
    /// Values of a row that count.
    columns: usize,
    /// Values from one row to the next.
    pitch: usize,
}

impl Laid {
    /// `[rows, columns]`, of which `value(row, column)` is one value.
    pub(crate) fn new(isa: Isa, [rows, columns]: [usize; 2], value: impl Fn(usize, usize) -> f32) -> Self {
        let pitch = columns.div_ceil(isa.lanes()) * isa.lanes();
        let mut values = vec![0.0; rows * pitch];
        for row in 0..rows {
            for column in 0..columns {
                values[row * pitch + column] = value(row, column);
            }
        }
        Laid { values, rows, columns, pitch }
    }
}

/// Rows of some matrix: `count` of them, `pitch` apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) count: usize,
    pub(crate) pitch: usize,
}

/// `target = left right`, or `target += left right`. Rows of the target are `pitch` apart.
pub(crate) fn product_with_laid(
    isa: Isa,
    left: Rows,
    right: &Laid,
    target: &mut [f32],
    pitch: usize,
    add: bool,
) {
    if left.count == 0 {
        return;
    }
    assert!((left.count - 1) * left.pitch + right.rows <= left.values.len(), "the rows lie in their memory");
    assert!((left.count - 1) * pitch + right.columns <= target.len(), "the product lies in its memory");
    multiply(isa, left, right, target, pitch, add);
}

kernel! {
    fn multiply<'a>(
        simd,
        left: Rows<'a>,
        right: &'a Laid,
        target: &'a mut [f32],
        pitch: usize,
        add: bool,
    ) {
        let mut row = 0;
        while row < left.count {
            macro_rules! rows {
                ($rows:literal, $vectors:literal) => {{
                    multiply_rows::<S, $rows, $vectors>(simd, left, right, row, target, pitch, add);
                    row += $rows;
                }};
            }
            // Sums of a tile, its values and one weight fill 32 registers, or 16.
            match (S::F32_LANES >= 16, left.count - row) {
                (true, 8..) => rows!(8, 3),
                (false, 4..) => rows!(4, 2),
                (true, 4..) => rows!(4, 6),
                (true, _) => rows!(1, 8),
                (false, _) => rows!(1, 4),
            }
        }
    }
}

#[inline(always)]
fn multiply_rows<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: Rows,
    right: &Laid,
    first: usize,
    target: &mut [f32],
    pitch: usize,
    add: bool,
) {
    let lanes = S::F32_LANES;
    for start in (0..right.pitch).step_by(VECTORS * lanes) {
        // A tile that reaches beyond the last vector repeats that, and drops what it gives.
        let vectors = ((right.pitch - start) / lanes).min(VECTORS);
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        for k in 0..right.rows {
            let mut weights = [simd.splat_f32s(0.0); VECTORS];
            for (v, weight) in weights.iter_mut().enumerate() {
                let column = start + v.min(vectors - 1) * lanes;
                // SAFETY: the row k is laid out, and the column at most its last vector.
                *weight = unsafe { load(simd, &right.values, k * right.pitch + column) };
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
        for (r, sums) in sums.iter().enumerate() {
            let row = &mut target[(first + r) * pitch..][..right.columns];
            for (v, &sum) in sums.iter().enumerate().take(vectors) {
                let at = start + v * lanes;
                let sum = if add { simd.add_f32s(sum, read(simd, row, at)) } else { sum };
                write(simd, row, at, sum);
            }
        }
    }
}

/// The product of two square matrices, `[n, n]` each: to measure what the machine can.
pub fn square_product(n: usize, left: &[f32], right: &[f32], target: &mut [f32]) {
    product([n; 3], Matrix::rows(left, n), Matrix::rows(right, n), target, n, false);
}
