//! From pixels to network inputs: normalisation, random crop, flip and cutout (docs/specification.md, e.1).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{ImageData, Split};

/// Where mean and deviation of each channel come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// The constants of the authors' PyTorch code for CIFAR-10 (docs/specification.md, e.1).
    Cifar,
    /// Measured on the images that are trained on.
    TrainingImages,
}

/// How training images are varied. Held-out images are normalised only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augmentation {
    /// Where mean and deviation come from.
    pub normalisation: Normalisation,
    /// Black pixels added on each side before a random crop to the old size; 0 switches cropping off.
    pub crop_padding: usize,
    /// Whether half of the images are mirrored left to right.
    pub flip: bool,
    /// Side of the square that is set to zero after normalisation; 0 switches cutout off. Its centre is
    /// uniform over the pixels and it is clipped at the border, as in V1 and V2.
    pub cutout: usize,
}

/// Mean and deviation of each channel on the scale 0 to 1, made ready for pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelScale {
    /// The mean per channel.
    pub mean: Vec<f32>,
    /// The standard deviation per channel.
    pub deviation: Vec<f32>,
    white: f32,
}

impl ChannelScale {
    /// The scale that a recipe asks for.
    pub fn new(normalisation: Normalisation, split: &Split) -> Self {
        let white = f32::from(split.data.white);
        match normalisation {
            Normalisation::Cifar => ChannelScale {
                mean: vec![0.491_399_68, 0.482_158_27, 0.446_531_24],
                deviation: vec![0.247_032_33, 0.243_485_05, 0.261_587_68],
                white,
            },
            Normalisation::TrainingImages => {
                let (mean, deviation) = channel_statistics(&split.data, &split.train);
                ChannelScale { mean, deviation, white }
            }
        }
    }

    /// The network input of `pixel` in `channel`.
    fn value(&self, channel: usize, pixel: u8) -> f32 {
        (f32::from(pixel) / self.white - self.mean[channel]) / self.deviation[channel]
    }
}

/// Mean and deviation per channel over `images`, on the scale 0 to 1. A constant channel has deviation 1.
fn channel_statistics(data: &ImageData, images: &[usize]) -> (Vec<f32>, Vec<f32>) {
    let area = data.shape.height * data.shape.width;
    let count = (images.len() * area) as f64;
    let (mut means, mut deviations) = (Vec::new(), Vec::new());
    for channel in 0..data.shape.channels {
        let (mut sum, mut squares) = (0u64, 0u64);
        for &image in images {
            for &pixel in &data.image(image)[channel * area..(channel + 1) * area] {
                sum += u64::from(pixel);
                squares += u64::from(pixel) * u64::from(pixel);
            }
        }
        let white = f64::from(data.white);
        let mean = sum as f64 / count;
        let deviation = (squares as f64 / count - mean * mean).max(0.0).sqrt();
        means.push((mean / white) as f32);
        deviations.push(if deviation > 0.0 { (deviation / white) as f32 } else { 1.0 });
    }
    (means, deviations)
}

/// Appends a normalised image, `[channel, row, column]`, to `inputs`.
pub fn plain(data: &ImageData, image: usize, scale: &ChannelScale, inputs: &mut Vec<f32>) {
    let area = data.shape.height * data.shape.width;
    for (channel, plane) in data.image(image).chunks_exact(area).enumerate() {
        inputs.extend(plane.iter().map(|&pixel| scale.value(channel, pixel)));
    }
}

/// Appends a normalised, randomly varied image, `[channel, row, column]`, to `inputs`.
///
/// What a crop uncovers is black before normalisation, as in the authors' code; what cutout covers is zero
/// after it.
pub fn varied(
    data: &ImageData,
    image: usize,
    scale: &ChannelScale,
    augmentation: &Augmentation,
    rng: &mut ChaCha8Rng,
    inputs: &mut Vec<f32>,
) {
    let (height, width) = (data.shape.height, data.shape.width);
    let padding = augmentation.crop_padding;
    let mut shift = || {
        if padding == 0 { 0 } else { rng.random_range(0..=2 * padding) as isize - padding as isize }
    };
    let (down, right) = (shift(), shift());
    let mirrored = augmentation.flip && rng.random_bool(0.5);
    let hole = Hole::draw(augmentation.cutout, height, width, rng);
    for (channel, plane) in data.image(image).chunks_exact(height * width).enumerate() {
        let black = scale.value(channel, 0);
        for row in 0..height {
            let source_row = row.checked_add_signed(down).filter(|&r| r < height);
            for column in 0..width {
                if hole.covers(row, column) {
                    inputs.push(0.0);
                    continue;
                }
                let column = if mirrored { width - 1 - column } else { column };
                let source_column = column.checked_add_signed(right).filter(|&c| c < width);
                let source = source_row.zip(source_column);
                inputs.push(source.map_or(black, |(r, c)| scale.value(channel, plane[r * width + c])));
            }
        }
    }
}

/// The square of cutout, clipped: rows and columns from `start` up to `end`.
struct Hole {
    start: [usize; 2],
    end: [usize; 2],
}

impl Hole {
    fn draw(side: usize, height: usize, width: usize, rng: &mut ChaCha8Rng) -> Self {
        if side == 0 {
            return Hole { start: [0; 2], end: [0; 2] };
        }
        let centre = [rng.random_range(0..height), rng.random_range(0..width)];
        let before = side / 2;
        Hole {
            start: centre.map(|c| c.saturating_sub(before)),
            end: [(centre[0] + side - before).min(height), (centre[1] + side - before).min(width)],
        }
    }

    fn covers(&self, row: usize, column: usize) -> bool {
        (self.start[0]..self.end[0]).contains(&row) && (self.start[1]..self.end[1]).contains(&column)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::digits;
    use nao_space::seed::rng_for;

    fn split() -> Split {
        Split::validation(Arc::new(digits()), 500, 1).unwrap()
    }

    const NONE: Augmentation = Augmentation {
        normalisation: Normalisation::TrainingImages,
        crop_padding: 0,
        flip: false,
        cutout: 0,
    };

    #[test]
    fn training_images_are_normalised_to_mean_zero_and_deviation_one() {
        let split = split();
        let scale = ChannelScale::new(Normalisation::TrainingImages, &split);
        let mut inputs = Vec::new();
        split.train.iter().for_each(|&image| plain(&split.data, image, &scale, &mut inputs));
        let n = inputs.len() as f64;
        let mean = inputs.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = inputs.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "{mean} {variance}");
    }

    #[test]
    fn without_variation_both_ways_agree() {
        let split = split();
        let scale = ChannelScale::new(Normalisation::TrainingImages, &split);
        let (mut one, mut two) = (Vec::new(), Vec::new());
        plain(&split.data, 5, &scale, &mut one);
        varied(&split.data, 5, &scale, &NONE, &mut rng_for(1, "augment", 0), &mut two);
        assert_eq!(one, two);
    }

    #[test]
    fn a_crop_shifts_and_uncovers_black() {
        let split = split();
        let scale = ChannelScale::new(Normalisation::TrainingImages, &split);
        let mut plain_image = Vec::new();
        plain(&split.data, 5, &scale, &mut plain_image);
        let augmentation = Augmentation { crop_padding: 2, ..NONE };
        let black = scale.value(0, 0);
        let mut seen = std::collections::HashSet::new();
        for index in 0..200 {
            let mut found = Vec::new();
            varied(&split.data, 5, &scale, &augmentation, &mut rng_for(1, "augment", index), &mut found);
            let shift = (-2..=2).flat_map(|d| (-2..=2).map(move |r| (d, r))).find(|&(down, right)| {
                (0..64).all(|at| {
                    let (row, column) = (at as isize / 8 + down, at as isize % 8 + right);
                    let inside = (0..8).contains(&row) && (0..8).contains(&column);
                    let expected = if inside { plain_image[(row * 8 + column) as usize] } else { black };
                    found[at] == expected
                })
            });
            seen.insert(shift.expect("every result is a shift of the image"));
        }
        assert_eq!(seen.len(), 25, "all shifts occur");
    }

    #[test]
    fn cutout_is_centred_on_a_pixel_and_clipped() {
        let mut areas = std::collections::HashSet::new();
        for index in 0..400 {
            let hole = Hole::draw(4, 8, 8, &mut rng_for(1, "cutout", index));
            let side = |axis: usize| hole.end[axis] - hole.start[axis];
            assert!((2..=4).contains(&side(0)) && (2..=4).contains(&side(1)));
            areas.insert(side(0) * side(1));
        }
        assert!(areas.contains(&16) && areas.contains(&4));
    }

    #[test]
    fn a_flip_mirrors_half_of_the_images() {
        let split = split();
        let scale = ChannelScale::new(Normalisation::TrainingImages, &split);
        let mut image = Vec::new();
        plain(&split.data, 5, &scale, &mut image);
        let mirror: Vec<f32> = image.chunks(8).flat_map(|row| row.iter().rev().copied()).collect();
        let augmentation = Augmentation { flip: true, ..NONE };
        let mut rng = rng_for(1, "augment", 0);
        let mirrored = (0..400).filter(|_| {
            let mut found = Vec::new();
            varied(&split.data, 5, &scale, &augmentation, &mut rng, &mut found);
            assert!(found == image || found == mirror);
            found == mirror
        });
        assert!((150..250).contains(&mirrored.count()));
    }
}
