//! Matrix products, by the `gemm` crate.

use gemm::Parallelism;

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

/// The product of two square matrices, `[n, n]` each: to measure what the machine can.
pub fn square_product(n: usize, left: &[f32], right: &[f32], target: &mut [f32]) {
    product([n; 3], Matrix::rows(left, n), Matrix::rows(right, n), target, n, false);
}
