//! Filling new buffers in parallel, piece by piece. A piece depends on its number alone, so results do not depend on
//! the number of threads.

use rayon::prelude::*;

/// A new buffer of `pieces` pieces of `size` values, each written whole by `fill(scratch, number, piece)`.
pub(crate) fn fill<T>(
    pieces: usize,
    size: usize,
    scratch: impl Fn() -> T + Sync + Send,
    fill: impl Fn(&mut T, usize, &mut [f32]) + Sync + Send,
) -> Vec<f32> {
    let mut values = Unfilled::new(pieces * size);
    if rayon::current_num_threads() == 1 || pieces == 1 {
        let mut scratch = scratch();
        for (number, piece) in values.slice().chunks_exact_mut(size.max(1)).enumerate() {
            fill(&mut scratch, number, piece);
        }
    } else {
        let pieces = values.slice().par_chunks_exact_mut(size.max(1)).enumerate();
        pieces.with_min_len(grain(size)).for_each_init(scratch, |s, (number, piece)| fill(s, number, piece));
    }
    // SAFETY: every piece was written.
    unsafe { values.filled() }
}

/// Two new buffers of equally many pieces, of sizes of their own; otherwise as [`fill`].
pub(crate) fn fill_two<B: Plain, T>(
    pieces: usize,
    sizes: [usize; 2],
    scratch: impl Fn() -> T + Sync + Send,
    fill: impl Fn(&mut T, usize, &mut [f32], &mut [B]) + Sync + Send,
) -> (Vec<f32>, Vec<B>) {
    let mut a = Unfilled::new(pieces * sizes[0]);
    let mut b = Unfilled::new(pieces * sizes[1]);
    let [size_a, size_b] = sizes.map(|size| size.max(1));
    if rayon::current_num_threads() == 1 || pieces == 1 {
        let mut scratch = scratch();
        let both = a.slice().chunks_exact_mut(size_a).zip(b.slice().chunks_exact_mut(size_b));
        for (number, (a, b)) in both.enumerate() {
            fill(&mut scratch, number, a, b);
        }
    } else {
        let both = a.slice().par_chunks_exact_mut(size_a).zip(b.slice().par_chunks_exact_mut(size_b));
        both.enumerate()
            .with_min_len(grain(sizes[0] + sizes[1]))
            .for_each_init(scratch, |s, (number, (a, b))| fill(s, number, a, b));
    }
    // SAFETY: every piece was written.
    unsafe { (a.filled(), b.filled()) }
}

/// The results of `0..count`, in order.
pub(crate) fn map<R: Send>(count: usize, f: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    if rayon::current_num_threads() == 1 || count == 1 {
        (0..count).map(f).collect()
    } else {
        (0..count).into_par_iter().map(f).collect()
    }
}

/// Pieces that one thread takes at least: some thousand values are worth a hand-over.
fn grain(size: usize) -> usize {
    (4096 / size.max(1)).max(1)
}

/// Memory for values that are about to be written. Zeroing it first would cost a pass over memory per operation.
struct Unfilled<T> {
    values: Vec<T>,
    len: usize,
}

/// Numbers of which every bit pattern is one.
pub(crate) trait Plain: Copy + Send {}
impl Plain for f32 {}
impl Plain for u8 {}

impl<T: Plain> Unfilled<T> {
    fn new(len: usize) -> Self {
        Unfilled { values: Vec::with_capacity(len), len }
    }

    /// To be written, not read.
    fn slice(&mut self) -> &mut [T] {
        // SAFETY: allocated for `len` values; kernels write each value before anything reads it, and every bit pattern
        // is a number.
        unsafe { std::slice::from_raw_parts_mut(self.values.as_mut_ptr(), self.len) }
    }

    /// # Safety
    /// All values were written.
    unsafe fn filled(mut self) -> Vec<T> {
        // SAFETY: by the contract.
        unsafe { self.values.set_len(self.len) };
        self.values
    }
}

/// A buffer that several threads write at places of their own: channels of a batch lie apart.
#[derive(Clone, Copy)]
pub(crate) struct DisjointWrites(*mut f32, usize);

// SAFETY: `DisjointWrites::at` demands that places handed out at the same time do not overlap.
unsafe impl Send for DisjointWrites {}
// SAFETY: as above.
unsafe impl Sync for DisjointWrites {}

impl DisjointWrites {
    /// A new buffer of `len` values, which `write` writes whole through [`DisjointWrites::at`].
    ///
    /// # Safety
    /// `write` writes every value.
    pub(crate) unsafe fn fill<R>(len: usize, write: impl FnOnce(DisjointWrites) -> R) -> (Vec<f32>, R) {
        let mut values = Unfilled::new(len);
        let result = write(DisjointWrites(values.slice().as_mut_ptr(), len));
        // SAFETY: by the contract.
        (unsafe { values.filled() }, result)
    }

    /// The values `start..start + len`.
    ///
    /// # Safety
    /// No other place that is in use at the same time overlaps them, and the buffer is alive.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn at<'a>(self, start: usize, len: usize) -> &'a mut [f32] {
        assert!(start + len <= self.1, "the place lies in the buffer");
        // SAFETY: in bounds, and not shared by the contract.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }
}
