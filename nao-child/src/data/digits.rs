//! The handwritten digits that are compiled in.

use std::io::Read;

use flate2::read::GzDecoder;
use nao_space::network::FeatureShape;
use nao_space::seed::rng_for;

use super::ImageData;
use super::split::shuffled;

/// See `data/README.md` of this crate for origin and licence (CC BY 4.0).
static TABLE: &[u8] = include_bytes!("../../data/digits.csv.gz");

const SIDE: usize = 8;
const TEST: usize = 297;
/// Fixed for ever: which digits are for testing must not depend on a run.
const TEST_SEED: u64 = 8;

/// 1,797 handwritten digits, 8x8 in grey: 1,500 for training and validation, 297 for testing.
pub fn digits() -> ImageData {
    let mut text = String::new();
    GzDecoder::new(TABLE).read_to_string(&mut text).expect("the compiled-in table is sound");
    let rows: Vec<Vec<u8>> = text
        .lines()
        .map(|line| line.split(',').map(|value| value.parse::<u8>().expect("a pixel or label")).collect())
        .collect();
    let (mut pixels, mut labels) = (Vec::with_capacity(rows.len() * SIDE * SIDE), Vec::new());
    for index in shuffled(rows.len(), &mut rng_for(TEST_SEED, "digits test part", 0)) {
        let (label, image) = rows[index].split_last().expect("a row");
        pixels.extend_from_slice(image);
        labels.push(*label);
    }
    ImageData {
        name: "digits".into(),
        shape: FeatureShape::new(SIDE, SIDE, 1),
        pixels,
        white: 16,
        development: labels.len() - TEST,
        origin: Vec::new(),
        labels,
        classes: (0..10).map(|digit| digit.to_string()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_digits_are_there() {
        let data = digits();
        assert_eq!((data.len(), data.development, data.test_len()), (1797, 1500, 297));
        assert_eq!(data.pixels.len(), 1797 * 64);
        assert!(data.pixels.iter().all(|&p| p <= data.white));
        for class in 0..10 {
            assert!(data.labels.iter().filter(|&&label| label == class).count() > 170);
        }
        assert_eq!(data.checksum(), digits().checksum());
    }
}
