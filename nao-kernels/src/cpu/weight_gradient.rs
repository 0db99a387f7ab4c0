//! The weight gradient of a dense convolution: sums over pixels of gradient times value, in one of two ways.
//!
//! *By pixels*: vectors lie along pixels, a tile of outputs and taps is kept in registers, and each of its vectors is
//! summed up at the end. *By outputs*: vectors lie along outputs, and each value is spread over one; nothing is summed up
//! at the end and no pixel computed in vain, but the gradient must be turned round first, which pays with many taps.

use pulp::Simd;

use super::conv_plan::{GradientPlanes, Plan};
use super::isa::{fma, kernel, load, store};
use super::taps::{Grid, gradient_tile};

/// `[outputs, channels / groups, taps]`, summed over the images.
pub(super) fn weight_gradient(
    plan: &Plan,
    planes: &[f32],
    gradients: &GradientPlanes,
    images: usize,
) -> Vec<f32> {
    let (geometry, shape) = (&plan.geometry, &plan.shape);
    let [inputs, outputs] = plan.group();
    let taps = plan.taps();
    if by_outputs(outputs, taps.len(), plan.lanes()) {
        return gradient_by_outputs(plan, planes, gradients.plain, images);
    }
    // Rows of whole vectors are read from the gradient as it is, else from its planes, zeros between rows included.
    let (source, map, origin) = match plan.rows {
        true => (gradients.plain, plan.output_map(), 0),
        false => (gradients.planes.as_slice(), geometry.gradient_plane(), geometry.gradient_origin()),
    };
    let grid = Grid::of_outputs(geometry);
    let pairs: Vec<[usize; 2]> =
        grid.reads.iter().zip(&grid.writes).map(|(&read, &write)| [read, origin + write]).collect();
    let mut sums = vec![0.0; shape.outputs * taps.len()];
    for (group, sums) in sums.chunks_exact_mut(outputs * taps.len()).enumerate() {
        let starts: Vec<usize> = (0..outputs).map(|o| o * map).collect();
        let from =
            Images { values: &planes[group * inputs * plan.plane()..], image: shape.channels * plan.plane() };
        let gradients = Images { values: &source[group * outputs * map..], image: shape.outputs * map };
        run_weight_gradient(plan.isa, from, gradients, &taps, &starts, &pairs, images, sums);
    }
    sums
}

/// Images one after another.
#[derive(Clone, Copy)]
struct Images<'a> {
    values: &'a [f32],
    /// Values from one image to the next.
    image: usize,
}

/// Whether to go by outputs: enough taps to pay for turning the gradient round, four vectors of outputs for each value
/// that is spread, and few outputs that only fill a vector up.
fn by_outputs(outputs: usize, taps: usize, lanes: usize) -> bool {
    let filled = outputs.div_ceil(lanes) * lanes;
    taps >= 128 && filled >= 4 * lanes && filled * 8 <= outputs * 9
}

fn gradient_by_outputs(plan: &Plan, planes: &[f32], gradient: &[f32], images: usize) -> Vec<f32> {
    let (geometry, shape) = (&plan.geometry, &plan.shape);
    let [inputs, outputs] = plan.group();
    let taps = plan.taps();
    let [height, width] = geometry.output;
    let pixels: Vec<usize> =
        (0..height).flat_map(|row| (0..width).map(move |column| row * geometry.pitch + column)).collect();
    let filled = outputs.div_ceil(plan.lanes()) * plan.lanes();
    let mut turned = vec![0.0; images * pixels.len() * filled];
    let mut by_tap = vec![0.0; taps.len() * filled];
    let mut sums = vec![0.0; shape.outputs * taps.len()];
    for (group, sums) in sums.chunks_exact_mut(outputs * taps.len()).enumerate() {
        for (image, turned) in turned.chunks_exact_mut(pixels.len() * filled).enumerate() {
            let first = (image * shape.outputs + group * outputs) * pixels.len();
            turn(plan.isa, &gradient[first..][..outputs * pixels.len()], turned, filled);
        }
        let values =
            Images { values: &planes[group * inputs * plan.plane()..], image: shape.channels * plan.plane() };
        run_by_outputs(plan.isa, values, &turned, &taps, &pixels, filled, images, &mut by_tap);
        for (output, sums) in sums.chunks_exact_mut(taps.len()).enumerate() {
            for (tap, sum) in sums.iter_mut().enumerate() {
                *sum = by_tap[tap * filled + output];
            }
        }
    }
    sums
}

kernel! {
    /// `[outputs, pixels]` to `[pixels, width]`.
    fn turn<'a>(_simd, gradient: &'a [f32], turned: &'a mut [f32], width: usize) {
        let pixels = turned.len() / width;
        // A few outputs at a time: their rows are read, and their columns written, in the same cache lines.
        for (block, gradient) in gradient.chunks(8 * pixels).enumerate() {
            let rows = gradient.len() / pixels;
            for (pixel, turned) in turned.chunks_exact_mut(width).enumerate() {
                for (row, value) in turned[block * 8..][..rows].iter_mut().enumerate() {
                    *value = gradient[row * pixels + pixel];
                }
            }
        }
    }
}

kernel! {
    /// `[taps, width]`: sums over images and pixels of a value times a row of the gradient.
    fn run_by_outputs<'a>(
        simd,
        values: Images<'a>,
        turned: &'a [f32],
        taps: &'a [usize],
        pixels: &'a [usize],
        width: usize,
        images: usize,
        sums: &'a mut [f32],
    ) {
        let farthest = |places: &[usize]| places.iter().max().copied().unwrap_or(0);
        let read = images.saturating_sub(1) * values.image + farthest(taps) + farthest(pixels);
        assert!(images == 0 || read < values.values.len(), "taps read inside the planes");
        assert!(images * pixels.len() * width <= turned.len() && taps.len() * width <= sums.len());
        let mut first = 0;
        while first < width {
            let vectors = (width - first) / S::F32_LANES;
            macro_rules! run {
                ($vectors:literal, $taps:literal) => {{
                    by_outputs_of::<S, $vectors, $taps>(
                        simd, values, turned, taps, pixels, [first, width], images, sums,
                    );
                    first += $vectors * S::F32_LANES;
                }};
            }
            match (S::F32_LANES >= 16, vectors) {
                (true, 4..) => run!(4, 6),
                (true, 2..) => run!(2, 12),
                (true, _) => run!(1, 16),
                (false, 2..) => run!(2, 5),
                (false, _) => run!(1, 8),
            }
        }
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn by_outputs_of<S: Simd, const VECTORS: usize, const TAPS: usize>(
    simd: S,
    values: Images,
    turned: &[f32],
    taps: &[usize],
    pixels: &[usize],
    [first, width]: [usize; 2],
    images: usize,
    sums: &mut [f32],
) {
    for first_tap in (0..taps.len()).step_by(TAPS) {
        let mut tile_taps = [0; TAPS];
        for (t, tap) in tile_taps.iter_mut().enumerate() {
            // The last tile repeats its last tap, and drops what it gives.
            *tap = taps[(first_tap + t).min(taps.len() - 1)];
        }
        let mut tile = [[simd.splat_f32s(0.0); VECTORS]; TAPS];
        for image in 0..images {
            let planes = &values.values[image * values.image..];
            let turned = &turned[image * pixels.len() * width..];
            for (at, &pixel) in pixels.iter().enumerate() {
                let mut row = [simd.splat_f32s(0.0); VECTORS];
                for (v, row) in row.iter_mut().enumerate() {
                    // SAFETY: the caller checked that all pixels of all images have rows.
                    *row = unsafe { load(simd, turned, at * width + first + v * S::F32_LANES) };
                }
                for t in 0..TAPS {
                    debug_assert!(tile_taps[t] + pixel < planes.len());
                    // SAFETY: the caller checked the farthest tap of the farthest pixel.
                    let value = simd.splat_f32s(unsafe { *planes.get_unchecked(tile_taps[t] + pixel) });
                    for v in 0..VECTORS {
                        tile[t][v] = fma(simd, value, row[v], tile[t][v]);
                    }
                }
            }
        }
        for (t, tile) in tile.iter().enumerate().take(taps.len() - first_tap) {
            for (v, &sum) in tile.iter().enumerate() {
                let at = (first_tap + t) * width + first + v * S::F32_LANES;
                // SAFETY: the caller checked that there is a row of sums per tap.
                unsafe { store(simd, sums, at, sum) };
            }
        }
    }
}

kernel! {
    fn run_weight_gradient<'a>(
        simd,
        planes: Images<'a>,
        gradients: Images<'a>,
        taps: &'a [usize],
        starts: &'a [usize],
        pairs: &'a [[usize; 2]],
        images: usize,
        sums: &'a mut [f32],
    ) {
        if S::F32_LANES >= 16 {
            tiles::<S, 4>(simd, planes, gradients, taps, starts, pairs, images, sums, 5);
        } else {
            tiles::<S, 2>(simd, planes, gradients, taps, starts, pairs, images, sums, 4);
        }
    }
}

/// All weight gradients, vectors along pixels, a tile of outputs and taps at a time.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn tiles<S: Simd, const OUTPUTS: usize>(
    simd: S,
    planes: Images,
    gradients: Images,
    taps: &[usize],
    starts: &[usize],
    pairs: &[[usize; 2]],
    images: usize,
    sums: &mut [f32],
    widest: usize,
) {
    let farthest = |places: &mut dyn Iterator<Item = usize>| places.max().unwrap_or(0) + S::F32_LANES;
    let last = images.saturating_sub(1);
    let read = farthest(&mut pairs.iter().map(|pair| pair[0])) + taps.iter().max().copied().unwrap_or(0);
    assert!(last * planes.image + read <= planes.values.len(), "taps read inside the planes");
    let read = farthest(&mut pairs.iter().map(|pair| pair[1])) + starts.iter().max().copied().unwrap_or(0);
    assert!(
        last * gradients.image + read <= gradients.values.len(),
        "gradients are read inside their planes"
    );
    for first_output in (0..starts.len()).step_by(OUTPUTS) {
        let mut outputs = [0; OUTPUTS];
        for (o, output) in outputs.iter_mut().enumerate() {
            // The last tile repeats its last output, and drops what it gives.
            *output = starts[(first_output + o).min(starts.len() - 1)];
        }
        let mut first_tap = 0;
        while first_tap < taps.len() {
            let left = taps.len() - first_tap;
            macro_rules! tile {
                ($taps:literal) => {{
                    let mut tile_taps = [0; $taps];
                    for (t, tap) in tile_taps.iter_mut().enumerate() {
                        *tap = taps[(first_tap + t).min(taps.len() - 1)];
                    }
                    let mut tile = [[simd.splat_f32s(0.0); $taps]; OUTPUTS];
                    for image in 0..images {
                        let planes = &planes.values[image * planes.image..];
                        let gradients = &gradients.values[image * gradients.image..];
                        // SAFETY: checked above for the last image.
                        unsafe {
                            gradient_tile(simd, planes, &tile_taps, gradients, &outputs, pairs, &mut tile)
                        };
                    }
                    for (o, tile) in tile.iter().enumerate().take(starts.len() - first_output) {
                        for (t, &sum) in tile.iter().enumerate().take(left) {
                            sums[(first_output + o) * taps.len() + first_tap + t] = simd.reduce_sum_f32s(sum);
                        }
                    }
                    first_tap += $taps;
                }};
            }
            // With four outputs, five taps fill 32 registers without spilling.
            match left.min(widest) {
                1 | 2 => tile!(2),
                3 | 4 => tile!(4),
                _ => tile!(5),
            }
        }
    }
}
