//! The inner loops: products of weights with the taps of windows, kept in registers.

use pulp::Simd;

use super::isa::{fma, load, store};
use super::window::Geometry;

/// Where vectors of windows read and where their results go.
pub(crate) struct Grid {
    /// Start of each vector in the planes.
    pub(crate) reads: Vec<usize>,
    /// Start of each vector in an output map.
    pub(crate) writes: Vec<usize>,
    /// Values from one output map to the next.
    pub(crate) map: usize,
}

impl Grid {
    /// All windows: in rows of whole vectors where the outputs have such rows, else in one run whose maps must be cropped.
    pub(crate) fn of_outputs(geometry: &Geometry) -> Self {
        match geometry.has_output_rows() {
            true => Grid::rows(0, geometry.output, geometry.pitch, geometry.lanes),
            false => Grid::flat(geometry.flat_vectors(geometry.output[0]), geometry.lanes),
        }
    }

    /// All values of a map, reading the gradient's plane: in rows of whole vectors, or per phase in one run that must be
    /// [unpacked](Geometry::unpack).
    pub(crate) fn of_inputs(geometry: &Geometry) -> Self {
        match geometry.has_input_rows() {
            true => {
                let [above, left] = geometry.window.before.map(|before| before as usize);
                Grid::rows(above * geometry.pitch + left, geometry.input, geometry.pitch, geometry.lanes)
            }
            false => Grid::flat(geometry.flat_vectors(geometry.held_rows()), geometry.lanes),
        }
    }

    /// Rows of whole vectors: row r reads from `start + r * pitch` and is written to `r * width`.
    fn rows(start: usize, [rows, width]: [usize; 2], pitch: usize, lanes: usize) -> Self {
        let places = (0..rows).flat_map(|row| (0..width / lanes).map(move |vector| (row, vector * lanes)));
        let (reads, writes) =
            places.map(|(row, column)| (start + row * pitch + column, row * width + column)).unzip();
        Grid { reads, writes, map: rows * width }
    }

    /// One run of vectors without a gap.
    fn flat(vectors: usize, lanes: usize) -> Self {
        let places: Vec<usize> = (0..vectors).map(|vector| vector * lanes).collect();
        Grid { reads: places.clone(), writes: places, map: vectors * lanes }
    }

    fn farthest_read(&self) -> usize {
        self.reads.iter().copied().max().unwrap_or(0)
    }

    fn farthest_write(&self) -> usize {
        self.writes.iter().copied().max().unwrap_or(0)
    }
}

/// Weights of a dense product, in blocks of outputs that fill the registers.
pub(crate) struct Blocks {
    /// Per block: its outputs, and weights `[tap][output]` padded with zeros to a whole block.
    blocks: Vec<Block>,
}

struct Block {
    first: usize,
    outputs: usize,
    /// Outputs computed: 8, 4 or 1.
    width: usize,
    weights: Vec<f32>,
}

impl Blocks {
    /// `weight(output, tap)` for `outputs` and `taps`.
    pub(crate) fn new(
        outputs: usize,
        taps: usize,
        lanes: usize,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        // AVX-512 has 32 registers: 8 outputs by 3 vectors; the others have 16: 4 by 3.
        let widest = if lanes >= 16 { 8 } else { 4 };
        let mut blocks = Vec::new();
        let mut first = 0;
        while first < outputs {
            let left = outputs - first;
            let width = match left {
                1 => 1,
                2..=4 => 4,
                _ => widest,
            };
            let computed = width.min(left);
            let mut weights = vec![0.0; taps * width];
            for tap in 0..taps {
                for output in 0..computed {
                    weights[tap * width + output] = weight(first + output, tap);
                }
            }
            blocks.push(Block { first, outputs: computed, width, weights });
            first += computed;
        }
        Blocks { blocks }
    }
}

/// Every output at every vector of the grid: `out[output][vector] = sum over taps of weight times value`.
///
/// `out` has a map of `grid.map` values per output.
#[inline(always)]
pub(crate) fn products<S: Simd>(
    simd: S,
    planes: &[f32],
    taps: &[usize],
    blocks: &Blocks,
    grid: &Grid,
    out: &mut [f32],
) {
    let farthest = taps.iter().copied().max().unwrap_or(0) + grid.farthest_read();
    assert!(grid.reads.is_empty() || farthest + S::F32_LANES <= planes.len(), "taps read inside the planes");
    let mut vector = 0;
    let count = grid.reads.len();
    while vector < count {
        let step = (count - vector).min(3);
        for block in &blocks.blocks {
            let target = &mut out[block.first * grid.map..][..block.outputs * grid.map];
            let writes = &grid.writes[vector..vector + step];
            let reads = &grid.reads[vector..vector + step];
            macro_rules! tile {
                ($width:literal, $vectors:literal) => {{
                    let reads: &[usize; $vectors] = reads.try_into().expect("as many as the step");
                    // SAFETY: checked above for the farthest tap of the farthest vector.
                    let sums =
                        unsafe { tile::<S, $width, $vectors>(simd, planes, reads, taps, &block.weights) };
                    for (output, sums) in sums.iter().enumerate().take(block.outputs) {
                        for (&at, &sum) in writes.iter().zip(sums) {
                            let at = output * grid.map + at;
                            assert!(at + S::F32_LANES <= target.len());
                            // SAFETY: checked in the line above.
                            unsafe { store(simd, target, at, sum) };
                        }
                    }
                }};
            }
            match (block.width, step) {
                (8, 3) => tile!(8, 3),
                (8, 2) => tile!(8, 2),
                (8, 1) => tile!(8, 1),
                (4, 3) => tile!(4, 3),
                (4, 2) => tile!(4, 2),
                (4, 1) => tile!(4, 1),
                (_, 3) => tile!(1, 3),
                (_, 2) => tile!(1, 2),
                _ => tile!(1, 1),
            }
        }
        vector += step;
    }
}

/// # Safety
/// Every read at every tap lies in `planes`.
#[inline(always)]
unsafe fn tile<S: Simd, const OUTPUTS: usize, const VECTORS: usize>(
    simd: S,
    planes: &[f32],
    reads: &[usize; VECTORS],
    taps: &[usize],
    weights: &[f32],
) -> [[S::f32s; VECTORS]; OUTPUTS] {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; OUTPUTS];
    for (&tap, weights) in taps.iter().zip(weights.chunks_exact(OUTPUTS)) {
        let mut values = [simd.splat_f32s(0.0); VECTORS];
        for v in 0..VECTORS {
            // SAFETY: by the contract.
            values[v] = unsafe { load(simd, planes, reads[v] + tap) };
        }
        for o in 0..OUTPUTS {
            let weight = simd.splat_f32s(weights[o]);
            for v in 0..VECTORS {
                sums[o][v] = fma(simd, weight, values[v], sums[o][v]);
            }
        }
    }
    sums
}

/// One map by one set of weights, eight vectors at a time: the depthwise product.
#[inline(always)]
pub(crate) fn single_product<S: Simd>(
    simd: S,
    planes: &[f32],
    taps: &[usize],
    weights: &[f32],
    grid: &Grid,
    out: &mut [f32],
) {
    let farthest = taps.iter().copied().max().unwrap_or(0) + grid.farthest_read();
    assert!(grid.reads.is_empty() || farthest + S::F32_LANES <= planes.len(), "taps read inside the planes");
    assert!(grid.reads.is_empty() || grid.farthest_write() + S::F32_LANES <= out.len(), "results fit");
    let (mut reads, mut writes) = (grid.reads.as_slice(), grid.writes.as_slice());
    macro_rules! run {
        ($vectors:literal) => {
            while let (Some((r, rest_r)), Some((w, rest_w))) =
                (reads.split_first_chunk::<$vectors>(), writes.split_first_chunk::<$vectors>())
            {
                // SAFETY: checked above for the farthest.
                let [sums] = unsafe { tile::<S, 1, $vectors>(simd, planes, r, taps, weights) };
                for v in 0..$vectors {
                    // SAFETY: checked above for the farthest.
                    unsafe { store(simd, out, w[v], sums[v]) };
                }
                (reads, writes) = (rest_r, rest_w);
            }
        };
    }
    run!(8);
    run!(4);
    run!(1);
}

/// Weight gradients of a tile: `sums[output][tap] += sum over vectors of gradient times value`.
///
/// `pairs` are starts of vectors in `planes` and in `gradients`.
///
/// # Safety
/// Every pair at every tap lies in `planes`, and at every output in `gradients`.
#[inline(always)]
pub(crate) unsafe fn gradient_tile<S: Simd, const OUTPUTS: usize, const TAPS: usize>(
    simd: S,
    planes: &[f32],
    taps: &[usize; TAPS],
    gradients: &[f32],
    outputs: &[usize; OUTPUTS],
    pairs: &[[usize; 2]],
    sums: &mut [[S::f32s; TAPS]; OUTPUTS],
) {
    let mut local = *sums;
    for &[read, gradient] in pairs {
        let mut g = [simd.splat_f32s(0.0); OUTPUTS];
        for o in 0..OUTPUTS {
            // SAFETY: by the contract.
            g[o] = unsafe { load(simd, gradients, outputs[o] + gradient) };
        }
        for t in 0..TAPS {
            // SAFETY: by the contract.
            let value = unsafe { load(simd, planes, taps[t] + read) };
            for o in 0..OUTPUTS {
                local[o][t] = fma(simd, g[o], value, local[o][t]);
            }
        }
    }
    *sums = local;
}
