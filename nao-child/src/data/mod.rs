//! Images and text: what a child is trained and judged on.

pub mod augment;
mod cifar;
mod digits;
mod error;
mod hex;
mod kind;
mod origin;
mod repeated;
mod source;
pub(crate) mod split;
mod text;
mod words;

use nao_space::network::FeatureShape;
use sha2::{Digest, Sha256};

pub use augment::{Augmentation, Normalisation};
pub use cifar::{CIFAR10_CLASSES, cifar10_folder};
pub use digits::digits;
pub use error::DataError;
pub(crate) use hex::hexadecimal;
pub use kind::{Companions, DataKind};
pub use origin::PartOrigin;
pub use repeated::{RepeatedImages, RepeatedLines};
pub use source::{DataSource, SourceError};
pub use split::Split;
pub use text::{END_OF_LINE, TextData, text_folder, text_folder_with};

/// Labelled images in memory, the held-out test images last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageData {
    /// The name under which recipes know the data, such as `cifar10`.
    pub name: String,
    /// Height, width and channels of every image.
    pub shape: FeatureShape,
    /// Pixel values, `[image, channel, row, column]`.
    pub pixels: Vec<u8>,
    /// The pixel value of full intensity, such as 255.
    pub white: u8,
    /// The class of every image.
    pub labels: Vec<u8>,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// How many images, from the first on, are for training and validation; the rest is for testing.
    pub development: usize,
    /// The files that were read, by part; none of data that is compiled in.
    pub origin: Vec<PartOrigin>,
}

impl ImageData {
    /// Number of images, test images included.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of test images.
    pub fn test_len(&self) -> usize {
        self.len() - self.development
    }

    /// The pixels of an image, `[channel, row, column]`.
    pub fn image(&self, index: usize) -> &[u8] {
        let len = self.shape.len();
        &self.pixels[index * len..(index + 1) * len]
    }

    /// What identifies the data in a manifest: the SHA-256 of shapes, pixels and labels, as 64 hex digits.
    pub fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        let FeatureShape { height, width, channels } = self.shape;
        for number in [self.len(), self.development, height, width, channels, self.classes.len()] {
            hash.update((number as u64).to_le_bytes());
        }
        hash.update([self.white]);
        hash.update(&self.pixels);
        hash.update(&self.labels);
        hexadecimal(&hash.finalize())
    }
}
