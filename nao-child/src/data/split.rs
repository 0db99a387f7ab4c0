//! Which images are trained on and which are held out.

use std::sync::Arc;

use nao_space::seed::rng_for;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::ImageData;
use super::error::DataError;

/// Images to train on and images to judge by. No image is in both.
#[derive(Clone, Debug)]
pub struct Split {
    /// The images.
    pub data: Arc<ImageData>,
    /// Indices to train on.
    pub train: Vec<usize>,
    /// Indices to judge by.
    pub held_out: Vec<usize>,
    /// What the held-out part is called in an objective: `validation` or `test`.
    pub held_out_name: &'static str,
}

impl Split {
    /// Holds out a random part of the images that are not for testing. Equal seeds, equal parts.
    ///
    /// # Errors
    /// When nothing would be left to train on or to judge by.
    pub fn validation(data: Arc<ImageData>, held_out: usize, seed: u64) -> Result<Self, DataError> {
        if held_out == 0 || held_out >= data.development {
            return Err(DataError::Split {
                data: data.name.clone(),
                held_out,
                images: data.development,
                remedy: "choose a validation fraction between 0 and 1 that leaves images on both sides",
            });
        }
        let mut order = shuffled(data.development, &mut rng_for(seed, "validation split", 0));
        let train = order.split_off(held_out);
        Ok(Split { data, train, held_out: order, held_out_name: "validation" })
    }

    /// All images that are not for testing against those that are: for the final training (docs/specification.md, e.1).
    ///
    /// # Errors
    /// When the data has no test images.
    pub fn test(data: Arc<ImageData>) -> Result<Self, DataError> {
        if data.test_len() == 0 || data.development == 0 {
            return Err(DataError::Split {
                data: data.name.clone(),
                held_out: data.test_len(),
                images: data.len(),
                remedy: "add the test images (for CIFAR-10 the file test_batch.bin)",
            });
        }
        let (train, held_out) = ((0..data.development).collect(), (data.development..data.len()).collect());
        Ok(Split { data, train, held_out, held_out_name: "test" })
    }
}

/// The numbers below `len` in random order.
pub(crate) fn shuffled(len: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    shuffle(&mut order, rng);
    order
}

/// Fisher's and Yates's shuffle.
pub(crate) fn shuffle(order: &mut [usize], rng: &mut ChaCha8Rng) {
    for last in (1..order.len()).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;

    #[test]
    fn parts_are_disjoint_and_depend_on_the_seed_alone() {
        let data = Arc::new(digits());
        let split = Split::validation(data.clone(), 500, 1).unwrap();
        let mut all = [split.train.clone(), split.held_out.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1500).collect::<Vec<_>>());
        assert_eq!(split.held_out, Split::validation(data.clone(), 500, 1).unwrap().held_out);
        assert_ne!(split.held_out, Split::validation(data.clone(), 500, 2).unwrap().held_out);
        let test = Split::test(data).unwrap();
        assert_eq!((test.train.len(), test.held_out.len()), (1500, 297));
    }

    #[test]
    fn a_split_without_images_on_one_side_is_refused() {
        let data = Arc::new(digits());
        assert!(Split::validation(data.clone(), 0, 1).is_err());
        let error = Split::validation(data.clone(), 1500, 1).unwrap_err().to_string();
        assert!(error.contains("hold out 1500 of 1500"), "{error}");
        let error = Split::test(Arc::new(ImageData { development: 1797, ..(*data).clone() })).unwrap_err();
        assert!(error.to_string().contains("add the test images"), "{error}");
    }
}
