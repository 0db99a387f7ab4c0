//! Maximum, minimum and mean pools.

use pulp::Simd;

use super::conv::crop;
use super::depthwise::{InputGradient, run};
use super::isa::{Isa, kernel, load, load_u32, store, store_u32};
use super::parallel::{fill, fill_two};
use super::taps::Grid;
use super::window::{Geometry, PhaseTaps, Window};

/// A pool over maps `[maps, height, width]`.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// Maps: images times channels.
    pub maps: usize,
    /// Height and width of the maps read.
    pub size: [usize; 2],
    /// How it slides; at most 255 taps.
    pub window: Window,
    /// Whether what is added around the map takes part as zeros. Else it takes no part.
    pub zeros: bool,
}

/// Which extreme a pool takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// The largest value.
    Maximum,
    /// The least value.
    Minimum,
}

/// Which tap of each window gave its value: the first among equal ones, NaN before all.
#[derive(Clone, Debug)]
pub struct Chosen(Vec<u8>);

impl Pool {
    fn map(&self) -> usize {
        self.size[0] * self.size[1]
    }
}

/// The extreme of each window, `[maps, height', width']`, and where it lay.
pub fn extreme_forward(isa: Isa, shape: Pool, extreme: Extreme, x: &[f32]) -> (Vec<f32>, Chosen) {
    assert!(shape.window.taps() <= 255, "a pool has at most 255 taps: {:?}", shape.window);
    let geometry = Geometry::new(shape.window, shape.size, isa.lanes());
    let output_map = geometry.output[0] * geometry.output[1];
    let taps = geometry.taps();
    let (grid, rows) = (Grid::of_outputs(&geometry), geometry.has_output_rows());
    // A minimum is the maximum of the negated map.
    let sign = if extreme == Extreme::Minimum { -1.0 } else { 1.0 };
    let border = if shape.zeros { 0.0 } else { f32::NEG_INFINITY * sign };
    let scratch = || {
        let planes = vec![border; geometry.plane() + geometry.slack()];
        (planes, vec![0.0; if rows { 0 } else { grid.map }], vec![0u32; grid.map])
    };
    let sizes = [output_map; 2];
    let (out, chosen) = fill_two(shape.maps, sizes, scratch, |(planes, flat, numbers), map, out, chosen| {
        geometry.pack(isa, &x[map * shape.map()..][..shape.map()], planes, false);
        let width = if rows {
            find(isa, planes, &taps, sign, &grid, out, numbers);
            geometry.output[1]
        } else {
            find(isa, planes, &taps, sign, &grid, flat, numbers);
            crop(flat, grid.map, geometry.pitch, out, geometry.output);
            geometry.pitch
        };
        for (chosen, numbers) in chosen.chunks_exact_mut(geometry.output[1]).zip(numbers.chunks(width)) {
            for (byte, &number) in chosen.iter_mut().zip(numbers) {
                *byte = number as u8;
            }
        }
    });
    (out, Chosen(chosen))
}

/// The gradient of the maps read: that of each window goes to the value it took.
pub fn extreme_backward(isa: Isa, shape: Pool, chosen: &Chosen, gradient: &[f32]) -> Vec<f32> {
    let geometry = Geometry::new(shape.window, shape.size, isa.lanes());
    let output_map = geometry.output[0] * geometry.output[1];
    let input = InputGradient::new(&geometry);
    let scratch = || (input.scratch(&geometry), vec![NO_TAP; geometry.gradient_plane() + geometry.slack()]);
    fill(shape.maps, shape.map(), scratch, |(scratch, numbers), map, dx| {
        geometry.pack_gradient(&gradient[map * output_map..][..output_map], &mut scratch.gradient);
        let chosen = &chosen.0[map * output_map..][..output_map];
        for (row, chosen) in chosen.chunks_exact(geometry.output[1]).enumerate() {
            let numbers = &mut numbers[geometry.gradient_origin() + row * geometry.pitch..];
            widen(isa, chosen, &mut numbers[..geometry.output[1]]);
        }
        for (at, PhaseTaps { numbers: phase_taps, reads }) in input.phases.iter().enumerate() {
            let out = match input.in_rows {
                true => &mut *dx,
                false => &mut scratch.flat[at * input.grid.map..][..input.grid.map],
            };
            collect(isa, &scratch.gradient, numbers, phase_taps, reads, &input.grid, out);
        }
        if !input.in_rows {
            geometry.unpack(isa, &scratch.flat, input.grid.map, dx);
        }
    })
}

/// Where there is no window, no tap was chosen.
const NO_TAP: u32 = u32::MAX;

/// The mean of each window, `[maps, height', width']`.
pub fn mean_forward(isa: Isa, shape: Pool, x: &[f32]) -> Vec<f32> {
    let geometry = Geometry::new(shape.window, shape.size, isa.lanes());
    let shares = shares(&geometry, shape.zeros);
    let taps = geometry.taps();
    let ones = vec![1.0; taps.len()];
    let (grid, rows) = (Grid::of_outputs(&geometry), geometry.has_output_rows());
    let scratch = || {
        let planes = vec![0.0; geometry.plane() + geometry.slack()];
        (planes, vec![0.0; if rows { 0 } else { grid.map }])
    };
    fill(shape.maps, shares.len(), scratch, |(planes, flat), map, out| {
        geometry.pack(isa, &x[map * shape.map()..][..shape.map()], planes, false);
        if rows {
            run(isa, planes, &taps, &ones, &grid, out);
        } else {
            run(isa, planes, &taps, &ones, &grid, flat);
            crop(flat, grid.map, geometry.pitch, out, geometry.output);
        }
        for (value, share) in out.iter_mut().zip(&shares) {
            *value *= share;
        }
    })
}

/// The gradient of the maps read.
pub fn mean_backward(isa: Isa, shape: Pool, gradient: &[f32]) -> Vec<f32> {
    let geometry = Geometry::new(shape.window, shape.size, isa.lanes());
    let shares = shares(&geometry, shape.zeros);
    let input = InputGradient::new(&geometry);
    let ones = vec![1.0; shape.window.taps()];
    let scratch = || (input.scratch(&geometry), vec![0.0; shares.len()]);
    fill(shape.maps, shape.map(), scratch, |(scratch, scaled), map, dx| {
        let gradient = &gradient[map * shares.len()..][..shares.len()];
        for ((scaled, gradient), share) in scaled.iter_mut().zip(gradient).zip(&shares) {
            *scaled = gradient * share;
        }
        geometry.pack_gradient(scaled, &mut scratch.gradient);
        input.run(isa, &geometry, &ones, scratch, dx);
    })
}

/// The share of every value in the mean of each window.
fn shares(geometry: &Geometry, zeros: bool) -> Vec<f32> {
    let Window { kernel, stride, dilation, before, .. } = geometry.window;
    let inside = |axis: usize, output: usize| {
        let start = (output * stride[axis]) as isize - before[axis];
        let taps = (0..kernel[axis]).map(|tap| start + (tap * dilation[axis]) as isize);
        taps.filter(|&at| zeros || (0..geometry.input[axis] as isize).contains(&at)).count()
    };
    let columns: Vec<usize> = (0..geometry.output[1]).map(|column| inside(1, column)).collect();
    let rows = (0..geometry.output[0]).map(|row| inside(0, row));
    rows.flat_map(|row| columns.iter().map(move |column| 1.0 / (row * column) as f32)).collect()
}

kernel! {
    /// The largest of `sign` times the values of each window, times `sign`, and its tap.
    fn find<'a>(
        simd,
        planes: &'a [f32],
        taps: &'a [usize],
        sign: f32,
        grid: &'a Grid,
        out: &'a mut [f32],
        numbers: &'a mut [u32],
    ) {
        // A NaN costs every comparison a second one, so it is looked for first.
        let sum: f32 = planes.iter().map(|value| if value.is_nan() { 1.0 } else { 0.0 }).sum();
        match sum > 0.0 {
            true => find_in::<S, true>(simd, planes, taps, sign, grid, out, numbers),
            false => find_in::<S, false>(simd, planes, taps, sign, grid, out, numbers),
        }
    }
}

#[inline(always)]
fn find_in<S: Simd, const NAN: bool>(
    simd: S,
    planes: &[f32],
    taps: &[usize],
    sign: f32,
    grid: &Grid,
    out: &mut [f32],
    numbers: &mut [u32],
) {
    let lanes = S::F32_LANES;
    let farthest = |places: &[usize]| places.iter().max().copied().unwrap_or(0);
    assert!(farthest(taps) + farthest(&grid.reads) + lanes <= planes.len(), "taps read inside the planes");
    let signs = simd.splat_f32s(sign);
    for (&read, &write) in grid.reads.iter().zip(&grid.writes) {
        // SAFETY: checked above for the farthest tap of the farthest vector.
        let mut best = simd.mul_f32s(signs, unsafe { load(simd, planes, read + taps[0]) });
        let mut number = simd.splat_u32s(0);
        for (t, &tap) in taps.iter().enumerate().skip(1) {
            // SAFETY: as above.
            let value = simd.mul_f32s(signs, unsafe { load(simd, planes, read + tap) });
            let mut better = simd.greater_than_f32s(value, best);
            if NAN {
                // NaN once chosen stays, as nothing is greater, and each NaN replaces another.
                better = simd.or_m32s(better, simd.not_m32s(simd.equal_f32s(value, value)));
            }
            best = simd.select_f32s(better, value, best);
            number = simd.select_u32s(better, simd.splat_u32s(t as u32), number);
        }
        let (out, numbers) = (&mut out[write..write + lanes], &mut numbers[write..write + lanes]);
        // SAFETY: the slice was cut to one vector.
        unsafe { store(simd, out, 0, simd.mul_f32s(signs, best)) };
        // SAFETY: as above.
        unsafe { store_u32(simd, numbers, 0, number) };
    }
}

kernel! {
    fn widen<'a>(_simd, chosen: &'a [u8], numbers: &'a mut [u32]) {
        for (number, &chosen) in numbers.iter_mut().zip(chosen) {
            *number = u32::from(chosen);
        }
    }
}

kernel! {
    /// Adds up, at each value, the gradients of the windows that took it.
    fn collect<'a>(
        simd,
        gradients: &'a [f32],
        numbers: &'a [u32],
        taps: &'a [usize],
        reads: &'a [usize],
        grid: &'a Grid,
        out: &'a mut [f32],
    ) {
        let farthest = |places: &[usize]| places.iter().max().copied().unwrap_or(0) + S::F32_LANES;
        let read = farthest(&grid.reads) + reads.iter().max().copied().unwrap_or(0);
        assert!(read <= gradients.len() && read <= numbers.len(), "taps read inside the planes");
        assert!(farthest(&grid.writes) <= out.len(), "results fit");
        let zero = simd.splat_f32s(0.0);
        for (&read, &write) in grid.reads.iter().zip(&grid.writes) {
            let mut sum = zero;
            for (&tap, &offset) in taps.iter().zip(reads) {
                // SAFETY: checked above for the farthest tap of the farthest vector.
                let number = unsafe { load_u32(simd, numbers, read + offset) };
                // SAFETY: as above.
                let gradient = unsafe { load(simd, gradients, read + offset) };
                let taken = simd.equal_u32s(number, simd.splat_u32s(tap as u32));
                sum = simd.add_f32s(sum, simd.select_f32s(taken, gradient, zero));
            }
            // SAFETY: checked above for the farthest vector.
            unsafe { store(simd, out, write, sum) };
        }
    }
}
