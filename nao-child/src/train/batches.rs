//! Images as network inputs, batch by batch.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use crate::data::augment::{ChannelScale, varied};
use crate::data::split::shuffle;
use crate::data::{Augmentation, ImageData, Split};

/// The inputs of some images: `fill` appends the values of one image, `[channel, row, column]`. Returns
/// `[images, channels, height, width]` and the labels.
pub fn batch_of(
    data: &ImageData,
    images: &[usize],
    device: &Device,
    mut fill: impl FnMut(usize, &mut Vec<f32>),
) -> (Tensor<4>, Vec<u8>) {
    let mut inputs = Vec::with_capacity(images.len() * data.shape.len());
    images.iter().for_each(|&image| fill(image, &mut inputs));
    let shape = [images.len(), data.shape.channels, data.shape.height, data.shape.width];
    let labels = images.iter().map(|&image| data.labels[image]).collect();
    (Tensor::from_data(TensorData::new(inputs, shape), device), labels)
}

/// Images to take a step on.
#[derive(Clone, Debug)]
pub struct ImageBatch {
    /// `[images, channels, height, width]`, normalised and varied.
    pub inputs: Tensor<4>,
    /// The class of each.
    pub labels: Vec<u8>,
}

/// Makes batches of the images of a split: normalised, varied at random, on a device.
#[derive(Clone, Debug)]
pub struct ImageLoader {
    /// The images.
    pub data: Arc<ImageData>,
    /// How their channels are normalised.
    pub scale: ChannelScale,
    augmentation: Augmentation,
    device: Device,
}

impl ImageLoader {
    /// A loader that puts the images on `device`.
    pub fn new(split: &Split, augmentation: Augmentation, device: &Device) -> Self {
        let scale = ChannelScale::new(augmentation.normalisation, split);
        ImageLoader { data: split.data.clone(), scale, augmentation, device: device.clone() }
    }

    /// One batch; how the images vary is drawn from `rng`.
    pub fn batch(&self, images: &[usize], rng: &mut ChaCha8Rng) -> ImageBatch {
        let (inputs, labels) = batch_of(&self.data, images, &self.device, |image, inputs| {
            varied(&self.data, image, &self.scale, &self.augmentation, rng, inputs);
        });
        ImageBatch { inputs, labels }
    }

    /// A pass over images in batches of `size`, of which the last may be smaller. The order is drawn from `order`, how
    /// the images vary from `variation`.
    pub fn batches(
        &self,
        images: &[usize],
        size: usize,
        mut order: ChaCha8Rng,
        variation: ChaCha8Rng,
    ) -> ImageBatches {
        let mut images = images.to_vec();
        shuffle(&mut images, &mut order);
        ImageBatches { loader: self.clone(), images, size, step: 0, variation }
    }
}

/// A pass over images: the batches that are left of it.
#[derive(Debug)]
pub struct ImageBatches {
    loader: ImageLoader,
    images: Vec<usize>,
    size: usize,
    step: usize,
    variation: ChaCha8Rng,
}

impl ImageBatches {
    /// The pass as it stands after `step` batches, for which `words` words were taken from the generator of variations.
    #[must_use]
    pub fn resumed(mut self, step: usize, words: u128) -> Self {
        self.step = step;
        self.variation.set_word_pos(words);
        self
    }

    /// Batches given out, those before a resumption included.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Words that were taken from the generator of variations.
    pub fn words(&self) -> u128 {
        self.variation.get_word_pos()
    }

    /// A batch of other images that vary by the same generator.
    pub fn batch_of_others(&mut self, images: &[usize]) -> ImageBatch {
        self.loader.batch(images, &mut self.variation)
    }
}

impl Iterator for ImageBatches {
    type Item = ImageBatch;

    fn next(&mut self) -> Option<ImageBatch> {
        let images = self.images.chunks(self.size).nth(self.step)?;
        self.step += 1;
        Some(self.loader.batch(images, &mut self.variation))
    }
}
