//! Depthwise convolutions and mean pools: one window of weights per channel.

use pulp::Simd;

use super::conv::{crop, mask_negative};
use super::isa::{Isa, kernel};
use super::parallel::{fill, fill_two};
use super::taps::{Grid, gradient_tile, single_product};
use super::window::{Geometry, PhaseTaps, Window};

/// A depthwise convolution of maps `[batch, channels, height, width]` by weights `[channels, 1, kernel height,
/// kernel width]`.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise {
    /// Images.
    pub batch: usize,
    /// Channels read and written.
    pub channels: usize,
    /// Height and width of the maps read.
    pub size: [usize; 2],
    /// How it slides.
    pub window: Window,
    /// Whether it reads `max(x, 0)` instead of `x`.
    pub relu: bool,
}

impl Depthwise {
    fn maps(&self) -> usize {
        self.batch * self.channels
    }

    fn map(&self) -> usize {
        self.size[0] * self.size[1]
    }
}

/// The convolution of `x` by `weight`: `[batch, channels, height', width']`.
pub fn forward(isa: Isa, shape: Depthwise, x: &[f32], weight: &[f32]) -> Vec<f32> {
    let geometry = Geometry::new(shape.window, shape.size, isa.lanes());
    let taps = geometry.taps();
    let (grid, rows) = (Grid::of_outputs(&geometry), geometry.has_output_rows());
    let output_map = geometry.output[0] * geometry.output[1];
    let scratch = || (padded(&geometry), vec![0.0; if rows { 0 } else { grid.map }]);
    fill(shape.maps(), output_map, scratch, |(planes, flat), map, out| {
        let weight = &weight[map % shape.channels * taps.len()..][..taps.len()];
        geometry.pack(isa, &x[map * shape.map()..][..shape.map()], planes, shape.relu);
        if rows {
            run(isa, planes, &taps, weight, &grid, out);
        } else {
            run(isa, planes, &taps, weight, &grid, flat);
            crop(flat, grid.map, geometry.pitch, out, geometry.output);
        }
    })
}

/// Gradients of the maps read and of the weights; `gradient` is that of the output.
pub fn backward(
    isa: Isa,
    shape: Depthwise,
    x: &[f32],
    weight: &[f32],
    gradient: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let geometry = Geometry::new(shape.window, shape.size, isa.lanes());
    let taps = geometry.taps();
    let output_map = geometry.output[0] * geometry.output[1];
    let input = InputGradient::new(&geometry);
    let (grid, rows) = (Grid::of_outputs(&geometry), geometry.has_output_rows());
    let origin = if rows { 0 } else { geometry.gradient_origin() };
    let pairs: Vec<[usize; 2]> =
        grid.reads.iter().zip(&grid.writes).map(|(&read, &write)| [read, origin + write]).collect();
    let scratch = || (padded(&geometry), input.scratch(&geometry));
    let sizes = [shape.map(), taps.len()];
    let (dx, parts) = fill_two(shape.maps(), sizes, scratch, |(planes, scratch), map, dx, dw: &mut [f32]| {
        let x = &x[map * shape.map()..][..shape.map()];
        let gradient = &gradient[map * output_map..][..output_map];
        let weight = &weight[map % shape.channels * taps.len()..][..taps.len()];
        geometry.pack(isa, x, planes, shape.relu);
        geometry.pack_gradient(gradient, &mut scratch.gradient);
        let source = if rows { gradient } else { &scratch.gradient };
        run_weights(isa, planes, &taps, source, &pairs, dw);
        input.run(isa, &geometry, weight, scratch, dx);
        if shape.relu {
            mask_negative(isa, x, dx);
        }
    });
    // The images in order: the same sum on any number of threads.
    let mut dw = vec![0.0; shape.channels * taps.len()];
    for part in parts.chunks_exact(dw.len()) {
        for (sum, part) in dw.iter_mut().zip(part) {
            *sum += part;
        }
    }
    (dx, dw)
}

/// Zeroed phase planes of one map.
fn padded(geometry: &Geometry) -> Vec<f32> {
    vec![0.0; geometry.plane() + geometry.slack()]
}

/// The product with turned-round weights that gives the gradient of a map.
pub(crate) struct InputGradient {
    pub(crate) grid: Grid,
    pub(crate) in_rows: bool,
    pub(crate) phases: Vec<PhaseTaps>,
}

/// Buffers for one map.
pub(crate) struct Scratch {
    /// The gradient of the output in its plane; zero around it.
    pub(crate) gradient: Vec<f32>,
    pub(crate) flat: Vec<f32>,
    weights: Vec<f32>,
}

impl InputGradient {
    pub(crate) fn new(geometry: &Geometry) -> Self {
        InputGradient {
            grid: Grid::of_inputs(geometry),
            in_rows: geometry.has_input_rows(),
            phases: geometry.phase_taps(),
        }
    }

    pub(crate) fn scratch(&self, geometry: &Geometry) -> Scratch {
        Scratch {
            gradient: vec![0.0; geometry.gradient_plane() + geometry.slack()],
            flat: vec![0.0; if self.in_rows { 0 } else { self.phases.len() * self.grid.map }],
            weights: Vec::new(),
        }
    }

    /// Writes the gradient of a map whose output's gradient is in the scratch.
    pub(crate) fn run(
        &self,
        isa: Isa,
        geometry: &Geometry,
        weight: &[f32],
        scratch: &mut Scratch,
        dx: &mut [f32],
    ) {
        for (at, PhaseTaps { numbers, reads }) in self.phases.iter().enumerate() {
            scratch.weights.clear();
            scratch.weights.extend(numbers.iter().map(|&tap| weight[tap]));
            let out = match self.in_rows {
                true => &mut *dx,
                false => &mut scratch.flat[at * self.grid.map..][..self.grid.map],
            };
            run(isa, &scratch.gradient, reads, &scratch.weights, &self.grid, out);
        }
        if !self.in_rows {
            geometry.unpack(isa, &scratch.flat, self.grid.map, dx);
        }
    }
}

kernel! {
    /// One map by one set of weights.
    pub(crate) fn run<'a>(
        simd,
        planes: &'a [f32],
        taps: &'a [usize],
        weights: &'a [f32],
        grid: &'a Grid,
        out: &'a mut [f32],
    ) {
        single_product(simd, planes, taps, weights, grid, out);
    }
}

kernel! {
    /// The weight gradient of one map.
    fn run_weights<'a>(
        simd,
        planes: &'a [f32],
        taps: &'a [usize],
        gradients: &'a [f32],
        pairs: &'a [[usize; 2]],
        sums: &'a mut [f32],
    ) {
        weights(simd, planes, taps, gradients, pairs, sums);
    }
}

#[inline(always)]
fn weights<S: Simd>(
    simd: S,
    planes: &[f32],
    taps: &[usize],
    gradients: &[f32],
    pairs: &[[usize; 2]],
    sums: &mut [f32],
) {
    let farthest = |which: usize| pairs.iter().map(|pair| pair[which]).max().unwrap_or(0) + S::F32_LANES;
    assert!(
        farthest(0) + taps.iter().max().copied().unwrap_or(0) <= planes.len(),
        "taps read inside the planes"
    );
    assert!(farthest(1) <= gradients.len(), "gradients are read inside their plane");
    for (taps, sums) in taps.chunks(9).zip(sums.chunks_mut(9)) {
        let mut tile_taps = [taps[0]; 9];
        tile_taps[..taps.len()].copy_from_slice(taps);
        let mut tile = [[simd.splat_f32s(0.0); 9]; 1];
        // SAFETY: checked above.
        unsafe { gradient_tile(simd, planes, &tile_taps, gradients, &[0], pairs, &mut tile) };
        for (sum, &tile) in sums.iter_mut().zip(&tile[0]) {
            *sum = simd.reduce_sum_f32s(tile);
        }
    }
}
