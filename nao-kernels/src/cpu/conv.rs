//! Dense and grouped convolutions without bias, and their gradients.

use super::conv_plan::{GradientPlanes, Plan};
use super::isa::{Isa, kernel};
use super::parallel::{DisjointWrites, fill, map};
use super::taps::{Blocks, Grid, products};
use super::weight_gradient::weight_gradient;
use super::window::PhaseTaps;

pub use super::conv_plan::Convolution;

/// What a backward pass is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The gradient of the maps read.
    pub input: bool,
    /// The gradient of the weights.
    pub weight: bool,
}

/// The convolution of `x` by `weight`: `[batch, outputs, height', width']`.
///
/// # Panics
/// When the slices have not the lengths of the shape, or groups do not divide the channels.
pub fn forward(isa: Isa, shape: Convolution, x: &[f32], weight: &[f32]) -> Vec<f32> {
    let plan = Plan::new(isa, shape);
    plan.check(x, weight);
    let geometry = &plan.geometry;
    let [inputs, outputs] = plan.group();
    let taps = plan.taps();
    let blocks: Vec<Blocks> = weight
        .chunks_exact(outputs * taps.len())
        .map(|weight| Blocks::new(outputs, taps.len(), plan.lanes(), |o, t| weight[o * taps.len() + t]))
        .collect();
    let grid = Grid::of_outputs(geometry);
    let group_out = outputs * plan.output_map();
    let scratch = || (plan.buffer(1), vec![0.0; if plan.rows { 0 } else { outputs * grid.map }]);
    fill(shape.batch, shape.outputs * plan.output_map(), scratch, |(buffer, flat), image, out| {
        let planes = plan.packed(&x[image * plan.image()..][..plan.image()], buffer);
        for (group, (blocks, out)) in blocks.iter().zip(out.chunks_exact_mut(group_out)).enumerate() {
            let planes = &planes[group * inputs * plan.plane()..];
            if plan.rows {
                run_products(isa, planes, &taps, blocks, &grid, out);
            } else {
                run_products(isa, planes, &taps, blocks, &grid, flat);
                crop(flat, grid.map, geometry.pitch, out, geometry.output);
            }
        }
    })
}

/// Gradients of the maps read and of the weights, those that are wanted; `gradient` is that of the output.
///
/// # Panics
/// As [`forward`].
pub fn backward(
    isa: Isa,
    shape: Convolution,
    x: &[f32],
    weight: &[f32],
    gradient: &[f32],
    wanted: Wanted,
) -> (Option<Vec<f32>>, Option<Vec<f32>>) {
    let plan = Plan::new(isa, shape);
    plan.check(x, weight);
    let block = images_per_block(plan.output_map(), shape.batch);
    let blocks = shape.batch.div_ceil(block);
    let output_image = shape.outputs * plan.output_map();
    let back = wanted.input.then(|| BackwardPlan::new(&plan, weight));
    let len = if wanted.input { shape.batch * plan.image() } else { 0 };
    let work = |places: DisjointWrites, number: usize| {
        let images = number * block..((number + 1) * block).min(shape.batch);
        let x = &x[images.start * plan.image()..images.end * plan.image()];
        let gradient = &gradient[images.start * output_image..images.end * output_image];
        let gradients = GradientPlanes::new(&plan, gradient, wanted.input);
        let weights = wanted.weight.then(|| {
            let mut buffer = plan.buffer(images.len());
            weight_gradient(&plan, plan.packed(x, &mut buffer), &gradients, images.len())
        });
        if let Some(back) = &back {
            // SAFETY: blocks are of different images.
            let dx = unsafe { places.at(images.start * plan.image(), x.len()) };
            back.run(&gradients, x, dx);
        }
        weights
    };
    // SAFETY: the blocks cover all images, and each writes all of its own.
    let (dx, parts) =
        unsafe { DisjointWrites::fill(len, |places| map(blocks, |number| work(places, number))) };
    // Partial sums of fixed blocks, added in order: the same on any number of threads.
    let dw = parts.into_iter().flatten().reduce(|mut sum, part| {
        for (s, p) in sum.iter_mut().zip(part) {
            *s += p;
        }
        sum
    });
    let dw = wanted.weight.then(|| dw.unwrap_or_else(|| vec![0.0; weight.len()]));
    (wanted.input.then_some(dx), dw)
}

/// Images whose weight gradients are summed in registers: as many as fill a few thousand pixels, and few enough that
/// there are four blocks to share among threads.
fn images_per_block(pixels: usize, batch: usize) -> usize {
    (4096 / pixels.max(1)).clamp(1, 16).min(batch.div_ceil(4)).max(1)
}

/// The product with transposed weights that gives the gradient of the maps read.
struct BackwardPlan<'a> {
    plan: &'a Plan,
    /// Per phase plane.
    phases: Vec<Phase>,
}

struct Phase {
    taps: Vec<usize>,
    /// Per group.
    blocks: Vec<Blocks>,
}

impl<'a> BackwardPlan<'a> {
    fn new(plan: &'a Plan, weight: &[f32]) -> Self {
        let (geometry, window) = (&plan.geometry, plan.shape.window);
        let [inputs, outputs] = plan.group();
        let per_output = inputs * window.taps();
        let map = if plan.rows && window.is_point() { plan.output_map() } else { geometry.gradient_plane() };
        let phases = geometry.phase_taps().into_iter().map(|PhaseTaps { numbers, reads }| {
            let taps: Vec<usize> =
                (0..outputs).flat_map(|output| reads.iter().map(move |read| output * map + read)).collect();
            let blocks = weight.chunks_exact(outputs * per_output).map(|weight| {
                Blocks::new(inputs, taps.len(), plan.lanes(), |input, t| {
                    let (output, tap) = (t / numbers.len(), numbers[t % numbers.len()]);
                    weight[output * per_output + input * window.taps() + tap]
                })
            });
            Phase { blocks: blocks.collect(), taps }
        });
        BackwardPlan { plan, phases: phases.collect() }
    }

    /// Writes the gradient of the images `x` to `dx`.
    fn run(&self, gradients: &GradientPlanes, x: &[f32], dx: &mut [f32]) {
        let plan = self.plan;
        let (geometry, shape) = (&plan.geometry, &plan.shape);
        let [inputs, outputs] = plan.group();
        let point = plan.rows && shape.window.is_point();
        let (source, map) = match point {
            true => (gradients.plain, plan.output_map()),
            false => (gradients.planes.as_slice(), geometry.gradient_plane()),
        };
        let in_rows = geometry.has_input_rows();
        let grid = Grid::of_inputs(geometry);
        let per_phase = inputs * grid.map;
        let mut flat = vec![0.0; if in_rows { 0 } else { self.phases.len() * per_phase }];
        let group_in = inputs * plan.map();
        for (number, dx) in dx.chunks_exact_mut(group_in).enumerate() {
            let source = &source[number * outputs * map..];
            for (at, phase) in self.phases.iter().enumerate() {
                let blocks = &phase.blocks[number % shape.groups];
                if in_rows {
                    run_products(plan.isa, source, &phase.taps, blocks, &grid, dx);
                } else if !phase.taps.is_empty() {
                    let flat = &mut flat[at * per_phase..][..per_phase];
                    run_products(plan.isa, source, &phase.taps, blocks, &grid, flat);
                }
            }
            if !in_rows {
                for (channel, dx) in dx.chunks_exact_mut(plan.map()).enumerate() {
                    geometry.unpack(plan.isa, &flat[channel * grid.map..], per_phase, dx);
                }
            }
            if shape.relu {
                mask_negative(plan.isa, &x[number * group_in..][..group_in], dx);
            }
        }
    }
}

kernel! {
    /// Sets the gradient to 0 where `max(x, 0)` is flat.
    pub(crate) fn mask_negative<'a>(_simd, x: &'a [f32], dx: &'a mut [f32]) {
        for (d, &x) in dx.iter_mut().zip(x) {
            // Not `x > 0.0`: NaN passes.
            *d = if x <= 0.0 { 0.0 } else { *d };
        }
    }
}

/// Cuts maps out of flat ones with longer rows.
pub(crate) fn crop(flat: &[f32], map: usize, pitch: usize, out: &mut [f32], [height, width]: [usize; 2]) {
    for (flat, out) in flat.chunks_exact(map).zip(out.chunks_exact_mut(height * width)) {
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            out.copy_from_slice(&flat[row * pitch..][..width]);
        }
    }
}

kernel! {
    fn run_products<'a>(
        simd,
        planes: &'a [f32],
        taps: &'a [usize],
        blocks: &'a Blocks,
        grid: &'a Grid,
        out: &'a mut [f32],
    ) {
        products(simd, planes, taps, blocks, grid, out);
    }
}
