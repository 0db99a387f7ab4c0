//! A convolution prepared for the vector instructions at hand: where maps, taps and gradients lie.

use super::isa::Isa;
use super::window::{Geometry, Window};

/// A convolution without bias of maps `[batch, channels, height, width]` by weights
/// `[outputs, channels / groups, kernel height, kernel width]`.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// Images.
    pub batch: usize,
    /// Channels read.
    pub channels: usize,
    /// Height and width of the maps read.
    pub size: [usize; 2],
    /// Channels written; they and the channels read are multiples of `groups`.
    pub outputs: usize,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// How it slides.
    pub window: Window,
    /// Whether it reads `max(x, 0)` instead of `x`.
    pub relu: bool,
}

/// A convolution prepared for one set of vector instructions.
pub(super) struct Plan {
    pub(super) shape: Convolution,
    pub(super) isa: Isa,
    pub(super) geometry: Geometry,
    /// Maps are read where they are: a point window, whole vectors, no ReLU.
    in_place: bool,
    /// Outputs are rows of whole vectors.
    pub(super) rows: bool,
}

impl Plan {
    pub(super) fn new(isa: Isa, shape: Convolution) -> Self {
        let lanes = isa.lanes();
        // A point window sees no rows: one long row has no ends to waste vectors on.
        let size = if shape.window.is_point() { [1, shape.size[0] * shape.size[1]] } else { shape.size };
        let geometry = Geometry::new(shape.window, size, lanes);
        let rows = geometry.has_output_rows();
        let in_place = shape.window.is_point() && rows && !shape.relu;
        Plan { shape, isa, geometry, in_place, rows }
    }

    /// What is written whole depends on these: outputs come in unwritten memory.
    pub(super) fn check(&self, x: &[f32], weight: &[f32]) {
        let Convolution { batch, channels, outputs, groups, window, .. } = self.shape;
        let whole = groups > 0 && channels.is_multiple_of(groups) && outputs.is_multiple_of(groups);
        assert!(whole, "{groups} groups of {channels} channels and {outputs} outputs");
        assert_eq!(x.len(), batch * self.image(), "the maps read have the shape of the convolution");
        let weights = outputs * channels / groups * window.taps();
        assert_eq!(weight.len(), weights, "the weights have the shape of the convolution");
    }

    pub(super) fn lanes(&self) -> usize {
        self.isa.lanes()
    }

    /// Values of one image read.
    pub(super) fn image(&self) -> usize {
        self.shape.channels * self.map()
    }

    pub(super) fn map(&self) -> usize {
        self.shape.size[0] * self.shape.size[1]
    }

    /// Values of one output map.
    pub(super) fn output_map(&self) -> usize {
        self.geometry.output[0] * self.geometry.output[1]
    }

    /// Channels read and written per group.
    pub(super) fn group(&self) -> [usize; 2] {
        [self.shape.channels / self.shape.groups, self.shape.outputs / self.shape.groups]
    }

    /// Values of a channel in what [`packed`](Plan::packed) gives.
    pub(super) fn plane(&self) -> usize {
        if self.in_place { self.map() } else { self.geometry.plane() }
    }

    /// A zero buffer for the planes of some images, empty where maps are read in place.
    pub(super) fn buffer(&self, images: usize) -> Vec<f32> {
        if self.in_place {
            return Vec::new();
        }
        vec![0.0; images * self.shape.channels * self.geometry.plane() + self.geometry.slack()]
    }

    /// The phase planes of some images.
    pub(super) fn packed<'a>(&self, images: &'a [f32], buffer: &'a mut [f32]) -> &'a [f32] {
        if self.in_place {
            return images;
        }
        let planes = buffer.chunks_exact_mut(self.geometry.plane());
        for (map, plane) in images.chunks_exact(self.map()).zip(planes) {
            self.geometry.pack(self.isa, map, plane, self.shape.relu);
        }
        buffer
    }

    /// The taps of one group: channel by channel, those of the window in order.
    pub(super) fn taps(&self) -> Vec<usize> {
        let taps = self.geometry.taps();
        (0..self.group()[0]).flat_map(|c| taps.iter().map(move |tap| c * self.plane() + tap)).collect()
    }
}

/// The gradients of the outputs of some images, laid out for both backward products.
pub(super) struct GradientPlanes<'a> {
    /// Where they are: `[images, outputs, height, width]`.
    pub(super) plain: &'a [f32],
    /// In padded planes; empty where the plain ones do.
    pub(super) planes: Vec<f32>,
}

impl<'a> GradientPlanes<'a> {
    pub(super) fn new(plan: &Plan, gradient: &'a [f32], for_input: bool) -> Self {
        let plain_does = plan.rows && (plan.shape.window.is_point() || !for_input);
        if plain_does {
            return GradientPlanes { plain: gradient, planes: Vec::new() };
        }
        let (geometry, map) = (&plan.geometry, plan.output_map());
        let size = geometry.gradient_plane();
        let mut planes = vec![0.0; gradient.len() / map * size + geometry.slack()];
        for (gradient, plane) in gradient.chunks_exact(map).zip(planes.chunks_exact_mut(size)) {
            geometry.pack_gradient(gradient, plane);
        }
        GradientPlanes { plain: gradient, planes }
    }
}
