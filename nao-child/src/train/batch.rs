//! Images as network inputs.

use burn::tensor::{Device, Tensor, TensorData};

use crate::data::ImageData;

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
