//! Batch normalisation: statistics of a batch, and the gradient through them.

use pulp::Simd;

use super::isa::{Isa, fma, kernel};
use super::parallel::{DisjointWrites, fill, map};

/// Maps `[batch, channels, pixels]`.
#[derive(Clone, Copy, Debug)]
pub struct Maps {
    /// Images.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Height times width.
    pub pixels: usize,
}

impl Maps {
    fn values(&self) -> usize {
        self.batch * self.channels * self.pixels
    }

    /// Where the maps of a channel start.
    fn of_channel(&self, channel: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.batch).map(move |image| (image * self.channels + channel) * self.pixels)
    }
}

/// What a batch says about each channel.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// `[channels]`.
    pub mean: Vec<f32>,
    /// Divided by the number of values, `[channels]`.
    pub variance: Vec<f32>,
}

/// `gamma (x - mean) / sqrt(variance + epsilon) + beta` with the statistics of the batch itself.
pub fn forward(
    isa: Isa,
    maps: Maps,
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
) -> (Vec<f32>, Statistics) {
    let count = (maps.batch * maps.pixels) as f32;
    let channel = |out: DisjointWrites, channel: usize| {
        let map = |start: usize| &x[start..start + maps.pixels];
        let mean = maps.of_channel(channel).map(|start| sum(isa, map(start))).sum::<f32>() / count;
        let squares = maps.of_channel(channel).map(|start| squared_deviations(isa, map(start), mean));
        let variance = squares.sum::<f32>() / count;
        let scale = gamma[channel] / (variance + epsilon).sqrt();
        let shift = beta[channel] - scale * mean;
        for start in maps.of_channel(channel) {
            // SAFETY: channels lie apart.
            let out = unsafe { out.at(start, maps.pixels) };
            affine(isa, map(start), scale, shift, out);
        }
        [mean, variance]
    };
    // SAFETY: the channels cover everything.
    let (out, statistics) = unsafe {
        DisjointWrites::fill(maps.values(), |out| map(maps.channels, |number| channel(out, number)))
    };
    let column = |which: usize| statistics.iter().map(|values: &[f32; 2]| values[which]).collect();
    (out, Statistics { mean: column(0), variance: column(1) })
}

/// Gradients of the maps read, of gamma and of beta.
pub fn backward(
    isa: Isa,
    maps: Maps,
    x: &[f32],
    gamma: &[f32],
    statistics: &Statistics,
    gradient: &[f32],
    epsilon: f32,
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let count = (maps.batch * maps.pixels) as f32;
    let channel = |dx: DisjointWrites, channel: usize| {
        let pair = |start: usize| (&x[start..start + maps.pixels], &gradient[start..start + maps.pixels]);
        let mean = statistics.mean[channel];
        let inverse = 1.0 / (statistics.variance[channel] + epsilon).sqrt();
        let (mut total, mut product) = (0.0, 0.0);
        for start in maps.of_channel(channel) {
            let (x, gradient) = pair(start);
            let [sum, with_x] = sums_of_gradient(isa, x, gradient, mean);
            total += sum;
            product += with_x;
        }
        let d_gamma = product * inverse;
        // dx = gamma inverse (g - mean g - normalised x * mean(g normalised x))
        let scale = gamma[channel] * inverse;
        let slope = -scale * inverse * d_gamma / count;
        let shift = -scale * total / count - slope * mean;
        for start in maps.of_channel(channel) {
            let (x, gradient) = pair(start);
            // SAFETY: channels lie apart.
            let dx = unsafe { dx.at(start, maps.pixels) };
            affine_of_two(isa, gradient, scale, x, slope, shift, dx);
        }
        [d_gamma, total]
    };
    // SAFETY: the channels cover everything.
    let (dx, sums) =
        unsafe { DisjointWrites::fill(maps.values(), |dx| map(maps.channels, |number| channel(dx, number))) };
    let column = |which: usize| sums.iter().map(|values: &[f32; 2]| values[which]).collect();
    (dx, column(0), column(1))
}

/// `x scale + shift`, each `[channels]`: a norm with given statistics.
pub fn scale_and_shift(isa: Isa, maps: Maps, x: &[f32], scale: &[f32], shift: &[f32]) -> Vec<f32> {
    fill(
        maps.batch * maps.channels,
        maps.pixels,
        || (),
        |(), number, out| {
            let channel = number % maps.channels;
            affine(isa, &x[number * maps.pixels..][..maps.pixels], scale[channel], shift[channel], out);
        },
    )
}

kernel! {
    fn sum<'a>(simd, x: &'a [f32]) -> f32 {
        let mut sums = [simd.splat_f32s(0.0); 4];
        let (groups, vectors, rest) = in_vectors::<S>(x);
        for group in groups {
            for i in 0..4 {
                sums[i] = simd.add_f32s(sums[i], group[i]);
            }
        }
        for &vector in vectors {
            sums[0] = simd.add_f32s(sums[0], vector);
        }
        total(simd, sums) + rest.iter().sum::<f32>()
    }
}

kernel! {
    fn squared_deviations<'a>(simd, x: &'a [f32], mean: f32) -> f32 {
        let mut sums = [simd.splat_f32s(0.0); 4];
        let means = simd.splat_f32s(mean);
        let (groups, vectors, rest) = in_vectors::<S>(x);
        for group in groups {
            for i in 0..4 {
                let d = simd.sub_f32s(group[i], means);
                sums[i] = fma(simd, d, d, sums[i]);
            }
        }
        for &vector in vectors {
            let d = simd.sub_f32s(vector, means);
            sums[0] = fma(simd, d, d, sums[0]);
        }
        total(simd, sums) + rest.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>()
    }
}

kernel! {
    /// The sums of the gradient, and of the gradient times the deviation.
    fn sums_of_gradient<'a>(simd, x: &'a [f32], gradient: &'a [f32], mean: f32) -> [f32; 2] {
        let (mut sums, mut products) = ([simd.splat_f32s(0.0); 4], [simd.splat_f32s(0.0); 4]);
        let means = simd.splat_f32s(mean);
        let (x_groups, x_vectors, x_rest) = in_vectors::<S>(x);
        let (g_groups, g_vectors, g_rest) = in_vectors::<S>(gradient);
        for (x, g) in x_groups.iter().zip(g_groups) {
            for i in 0..4 {
                sums[i] = simd.add_f32s(sums[i], g[i]);
                products[i] = fma(simd, g[i], simd.sub_f32s(x[i], means), products[i]);
            }
        }
        for (&x, &g) in x_vectors.iter().zip(g_vectors) {
            sums[0] = simd.add_f32s(sums[0], g);
            products[0] = fma(simd, g, simd.sub_f32s(x, means), products[0]);
        }
        let rest: f32 = x_rest.iter().zip(g_rest).map(|(x, g)| g * (x - mean)).sum();
        [total(simd, sums) + g_rest.iter().sum::<f32>(), total(simd, products) + rest]
    }
}

kernel! {
    fn affine<'a>(_simd, x: &'a [f32], scale: f32, shift: f32, out: &'a mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = x * scale + shift;
        }
    }
}

kernel! {
    fn affine_of_two<'a>(
        _simd, a: &'a [f32], scale_a: f32, b: &'a [f32], scale_b: f32, shift: f32, out: &'a mut [f32],
    ) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a * scale_a + (b * scale_b + shift);
        }
    }
}

/// Groups of four vectors, further vectors, and values left over.
#[inline(always)]
#[allow(clippy::type_complexity)]
fn in_vectors<S: Simd>(x: &[f32]) -> (&[[S::f32s; 4]], &[S::f32s], &[f32]) {
    let (vectors, rest) = S::as_simd_f32s(x);
    let (groups, vectors) = vectors.as_chunks::<4>();
    (groups, vectors, rest)
}

#[inline(always)]
fn total<S: Simd>(simd: S, sums: [S::f32s; 4]) -> f32 {
    let [a, b, c, d] = sums;
    simd.reduce_sum_f32s(simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(c, d)))
}

/// Gradients of the maps read, of the scale and of the shift of [`scale_and_shift`].
pub fn scale_and_shift_backward(
    isa: Isa,
    maps: Maps,
    x: &[f32],
    scale: &[f32],
    gradient: &[f32],
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let zeros = vec![0.0; maps.channels];
    let dx = scale_and_shift(isa, maps, gradient, scale, &zeros);
    let sums = map(maps.channels, |channel| {
        maps.of_channel(channel).fold([0.0, 0.0], |sums: [f32; 2], start| {
            let pixels = start..start + maps.pixels;
            let [sum, product] = sums_of_gradient(isa, &x[pixels.clone()], &gradient[pixels], 0.0);
            [sums[0] + sum, sums[1] + product]
        })
    });
    let column = |which: usize| sums.iter().map(|values| values[which]).collect();
    (dx, column(1), column(0))
}
