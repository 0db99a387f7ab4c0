//! Sliding windows, and the layout of padded maps over which every tap of a window is one offset.
//!
//! A map is copied into *phase planes*: with strides (s, t) there are s t of them, and plane (i, j) holds the padded
//! rows i, i + s, … and columns j, j + t, …. Neighbouring windows then read neighbouring values at every tap, whatever
//! the stride and the dilation, so vectors of windows are plain loads.

use super::isa::{Isa, kernel};

/// A window that slides over a map: how a convolution or a pool reads. Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Taps.
    pub kernel: [usize; 2],
    /// Distance of neighbouring windows.
    pub stride: [usize; 2],
    /// Distance of neighbouring taps.
    pub dilation: [usize; 2],
    /// Rows and columns added before the map; a negative number leaves out as many.
    pub before: [isize; 2],
    /// Rows and columns added after the map; a negative number leaves out as many.
    pub after: [isize; 2],
}

impl Window {
    /// The window of a 1x1 convolution of stride 1.
    pub const POINT: Window =
        Window { kernel: [1; 2], stride: [1; 2], dilation: [1; 2], before: [0; 2], after: [0; 2] };

    /// A window of stride and dilation 1, with nothing added.
    pub const fn of_size(kernel: [usize; 2]) -> Self {
        Window { kernel, ..Window::POINT }
    }

    /// Number of windows over a map of `[height, width]`.
    ///
    /// # Panics
    /// When no window fits, or a stride, dilation or kernel is 0.
    pub fn output(&self, input: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            let (kernel, stride, dilation) = (self.kernel[axis], self.stride[axis], self.dilation[axis]);
            assert!(
                kernel > 0 && stride > 0 && dilation > 0,
                "a window of size, stride and dilation 0: {self:?}"
            );
            let padded = input[axis] as isize + self.before[axis] + self.after[axis];
            let span = (dilation * (kernel - 1) + 1) as isize;
            assert!(padded >= span, "{self:?} does not fit into a map of {input:?}");
            (padded - span) as usize / stride + 1
        })
    }

    /// Whether windows are single values, each of the map once.
    pub(crate) fn is_point(&self) -> bool {
        *self == Window::POINT
    }

    /// Number of taps.
    pub(crate) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }
}

/// A window over maps of one size, with the layout of their padded copies.
#[derive(Clone, Debug)]
pub(crate) struct Geometry {
    pub(crate) window: Window,
    pub(crate) input: [usize; 2],
    pub(crate) output: [usize; 2],
    /// Values between neighbouring rows of a plane.
    pub(crate) pitch: usize,
    /// Rows of a phase plane.
    rows: usize,
    /// Number of phase planes.
    phases: usize,
    /// The runs of a map's rows that go to its phase planes.
    runs: Vec<Run>,
    /// Rows and columns of zeros before the gradient in its plane.
    pub(crate) margin: [usize; 2],
    /// Rows of a gradient plane.
    gradient_rows: usize,
    /// Values per vector.
    pub(crate) lanes: usize,
}

/// The taps of one phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct PhaseTaps {
    /// Their numbers in the window.
    pub(crate) numbers: Vec<usize>,
    /// Where each reads in the gradient's plane, relative to the value.
    pub(crate) reads: Vec<usize>,
}

impl Geometry {
    pub(crate) fn new(window: Window, input: [usize; 2], lanes: usize) -> Self {
        let output = window.output(input);
        // The farthest step of a tap from its window's first value, in phase rows and columns.
        let margin = [0, 1].map(|axis| {
            let far = |tap: usize| tap * window.dilation[axis] / window.stride[axis];
            far(window.kernel[axis] - 1)
        });
        // Phase rows and columns that hold values of the map.
        let held = [0, 1].map(|axis| {
            let last = (input[axis] as isize - 1 + window.before[axis]).max(0) as usize;
            last / window.stride[axis] + 1
        });
        let mut read = vec![false; window.stride[0] * window.stride[1]];
        let mut gap = usize::MAX;
        for a in 0..window.kernel[0] {
            for b in 0..window.kernel[1] {
                let phase =
                    [a * window.dilation[0] % window.stride[0], b * window.dilation[1] % window.stride[1]];
                read[phase[0] * window.stride[1] + phase[1]] = true;
                // Columns of the border before the first value of a row.
                let border = (window.before[1] - phase[1] as isize).max(0) as usize;
                gap = gap.min(border.div_ceil(window.stride[1]));
            }
        }
        // The border after a row is the border before the next one: rows lie as near as leaves both wide enough.
        let pitch = held[1].max(output[1]).max((output[1] + margin[1]).saturating_sub(gap));
        let rows = (output[0] + margin[0]).max(held[0]);
        let runs = runs(window, input, &read, rows, pitch);
        Geometry {
            window,
            input,
            output,
            pitch,
            rows,
            phases: read.len(),
            runs,
            margin,
            gradient_rows: output[0].max(held[0]) + margin[0],
            lanes,
        }
    }

    /// Values of the phase planes of one map.
    pub(crate) fn plane(&self) -> usize {
        self.phases * self.rows * self.pitch
    }

    /// Values of the gradient plane of one map.
    pub(crate) fn gradient_plane(&self) -> usize {
        // Vectors over all windows end inside: what they read after the last row is zero, not the next map.
        let end = self.gradient_origin() + self.flat_vectors(self.output[0]) * self.lanes;
        end.max(self.gradient_rows * self.pitch)
    }

    /// Rows of a phase of the padded map that hold values of the map.
    pub(crate) fn held_rows(&self) -> usize {
        self.gradient_rows - self.margin[0]
    }

    /// Values that vectors may reach beyond the last plane.
    pub(crate) fn slack(&self) -> usize {
        // A vector of windows begins at most at the last window, and reads up to the last tap.
        self.lanes + self.margin[0] * self.pitch + self.margin[1]
    }

    /// Where a tap lies in the phase planes, relative to its window.
    pub(crate) fn tap(&self, a: usize, b: usize) -> usize {
        let Window { stride, dilation, .. } = self.window;
        let (down, right) = (a * dilation[0], b * dilation[1]);
        let phase = down % stride[0] * stride[1] + right % stride[1];
        (phase * self.rows + down / stride[0]) * self.pitch + right / stride[1]
    }

    /// The taps of one map in order.
    pub(crate) fn taps(&self) -> Vec<usize> {
        let [height, width] = self.window.kernel;
        (0..height * width).map(|tap| self.tap(tap / width, tap % width)).collect()
    }

    /// Copies a map into its phase planes, whose border is already set. With `relu`, negative values become 0.
    pub(crate) fn pack(&self, isa: Isa, map: &[f32], planes: &mut [f32], relu: bool) {
        pack(isa, self, map, planes, relu);
    }

    #[inline(always)]
    fn pack_rows(&self, map: &[f32], planes: &mut [f32], relu: bool) {
        let step = self.window.stride[1];
        for &Run { from, to, count } in &self.runs {
            let target = &mut planes[to..to + count];
            match (step, relu) {
                (1, false) => target.copy_from_slice(&map[from..from + count]),
                (1, true) => {
                    for (t, &s) in target.iter_mut().zip(&map[from..from + count]) {
                        *t = positive(s);
                    }
                }
                (2, _) => copy_every_second(&map[from..], target, relu),
                _ => {
                    for (t, &s) in target.iter_mut().zip(map[from..].iter().step_by(step)) {
                        *t = if relu { positive(s) } else { s };
                    }
                }
            }
        }
    }

    /// Copies what was computed for the phases of the padded map, each from its first row and column on, to a map. One
    /// phase lies `phase` values after the other.
    pub(crate) fn unpack(&self, isa: Isa, phases: &[f32], phase: usize, map: &mut [f32]) {
        unpack(isa, self, phases, phase, map);
    }

    #[inline(always)]
    fn unpack_rows(&self, phases: &[f32], phase: usize, map: &mut [f32]) {
        let Window { stride, before, .. } = self.window;
        let width = self.input[1];
        for (y, target) in map.chunks_exact_mut(width).enumerate() {
            // Rows and columns that are left out have no gradient.
            let Ok(row) = usize::try_from(y as isize + before[0]) else {
                target.fill(0.0);
                continue;
            };
            let hidden = (-before[1]).clamp(0, width as isize) as usize;
            let (left_out, target) = target.split_at_mut(hidden);
            left_out.fill(0.0);
            // The padded column of the first value.
            let column = (hidden as isize + before[1]) as usize;
            let start = match stride[0] {
                1 => row * self.pitch,
                2 => (row & 1) * stride[1] * phase + (row >> 1) * self.pitch,
                step => row % step * stride[1] * phase + row / step * self.pitch,
            };
            match stride[1] {
                1 => target.copy_from_slice(&phases[start + column..][..target.len()]),
                2 => {
                    let from = |column: usize| &phases[start + column % 2 * phase + column / 2..];
                    let (even, odd) = (from(column), from(column + 1));
                    let (pairs, last) = target.as_chunks_mut::<2>();
                    if let Some(last) = last.first_mut() {
                        *last = even[pairs.len()];
                    }
                    for ((pair, &even), &odd) in pairs.iter_mut().zip(even).zip(odd) {
                        *pair = [even, odd];
                    }
                }
                step => {
                    for (at, value) in target.iter_mut().enumerate() {
                        let column = column + at;
                        *value = phases[start + column % step * phase + column / step];
                    }
                }
            }
        }
    }

    /// Copies the gradient of the outputs into a plane that is zero elsewhere.
    pub(crate) fn pack_gradient(&self, gradient: &[f32], plane: &mut [f32]) {
        let [height, width] = self.output;
        for row in 0..height {
            let start = (row + self.margin[0]) * self.pitch + self.margin[1];
            plane[start..][..width].copy_from_slice(&gradient[row * width..][..width]);
        }
    }

    /// Where the first value of the gradient lies in its plane.
    pub(crate) fn gradient_origin(&self) -> usize {
        self.margin[0] * self.pitch + self.margin[1]
    }

    /// Whether the outputs are rows of whole vectors.
    pub(crate) fn has_output_rows(&self) -> bool {
        self.output[1].is_multiple_of(self.lanes)
    }

    /// Whether the gradient of the map can be written in rows of whole vectors, one product per value.
    pub(crate) fn has_input_rows(&self) -> bool {
        let Window { stride, before, .. } = self.window;
        let within = before.iter().all(|&before| before >= 0);
        stride == [1; 2] && within && self.input[1].is_multiple_of(self.lanes)
    }

    /// Per phase of the padded map, the taps that its values take part in, as the gradient of a map reads them.
    pub(crate) fn phase_taps(&self) -> Vec<PhaseTaps> {
        let Window { kernel, stride, dilation, .. } = self.window;
        let mut phases = vec![PhaseTaps::default(); stride[0] * stride[1]];
        for number in 0..kernel[0] * kernel[1] {
            let (down, right) = (number / kernel[1] * dilation[0], number % kernel[1] * dilation[1]);
            let phase = &mut phases[down % stride[0] * stride[1] + right % stride[1]];
            let (up, left) = (self.margin[0] - down / stride[0], self.margin[1] - right / stride[1]);
            phase.numbers.push(number);
            phase.reads.push(up * self.pitch + left);
        }
        phases
    }

    /// Vectors over all windows, from row to row without a gap: what lies between rows is computed and thrown away.
    pub(crate) fn flat_vectors(&self, rows: usize) -> usize {
        (rows * self.pitch).div_ceil(self.lanes)
    }
}

/// Part of a row of a map: every value, or one value in each stride, goes to a row of a phase plane.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Where it starts in the map.
    from: usize,
    /// Where it starts in the planes.
    to: usize,
    /// How many values.
    count: usize,
}

/// All runs of a map. `read` says which phase planes any tap reads, `rows` and `pitch` how they lie.
fn runs(window: Window, [height, width]: [usize; 2], read: &[bool], rows: usize, pitch: usize) -> Vec<Run> {
    let Window { stride, before, .. } = window;
    let mut runs = Vec::new();
    for y in 0..height {
        let Ok(row) = usize::try_from(y as isize + before[0]) else { continue };
        for phase in 0..stride[1] {
            let plane = row % stride[0] * stride[1] + phase;
            if row / stride[0] >= rows || !read[plane] {
                continue;
            }
            // Column v of the phase is column v stride + phase - before of the map.
            let offset = phase as isize - before[1];
            let first = ((-offset).max(0) as usize).div_ceil(stride[1]);
            let from = (first * stride[1]) as isize + offset;
            let left = (width as isize - from).max(0) as usize;
            let count = left.div_ceil(stride[1]).min(pitch.saturating_sub(first));
            if count > 0 {
                let to = (plane * rows + row / stride[0]) * pitch + first;
                runs.push(Run { from: y * width + from as usize, to, count });
            }
        }
    }
    runs
}

#[inline(always)]
fn copy_every_second(source: &[f32], target: &mut [f32], relu: bool) {
    // Pairs and a bound on values: the compiler turns both into vectors.
    let least = if relu { 0.0 } else { f32::NEG_INFINITY };
    let (pairs, last) = source.as_chunks::<2>();
    let count = target.len();
    if count > pairs.len() {
        target[count - 1] = if last[0] < least { least } else { last[0] };
    }
    for (t, pair) in target.iter_mut().zip(pairs) {
        *t = if pair[0] < least { least } else { pair[0] };
    }
}

kernel! {
    fn pack<'a>(_simd, geometry: &'a Geometry, map: &'a [f32], planes: &'a mut [f32], relu: bool) {
        geometry.pack_rows(map, planes, relu);
    }
}

kernel! {
    fn unpack<'a>(_simd, geometry: &'a Geometry, phases: &'a [f32], phase: usize, map: &'a mut [f32]) {
        geometry.unpack_rows(phases, phase, map);
    }
}

/// `max(x, 0)` that keeps NaN, as burn's.
#[inline(always)]
pub(crate) fn positive(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}
