//! What stands in the data more than once.

use std::collections::HashSet;
use std::hash::Hash;

use super::{END_OF_LINE, ImageData, TextData};

/// Images that stand in the data more than once, pixel for pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepeatedImages {
    /// Images for training and validation that repeat an earlier one: one of the two may be trained on and the other
    /// judged by.
    pub in_training: usize,
    /// Test images that stand among those for training and validation.
    pub in_test: usize,
}

impl ImageData {
    /// Counts the images that stand there more than once. Looks at every pixel.
    pub fn repeated(&self) -> RepeatedImages {
        let mut seen = HashSet::new();
        let in_training = (0..self.development).filter(|&image| !seen.insert(self.image(image))).count();
        let in_test =
            (self.development..self.len()).filter(|&image| seen.contains(self.image(image))).count();
        RepeatedImages { in_training, in_test }
    }
}

/// Lines of a held-out text that stand in the training text as well, word for word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepeatedLines {
    /// How many there are.
    pub repeated: usize,
    /// Of how many that have words.
    pub lines: usize,
}

impl TextData {
    /// Counts the lines of the validation and of the test text that the model is trained on.
    pub fn repeated(&self) -> [RepeatedLines; 2] {
        let end = self.vocabulary.iter().position(|word| word == END_OF_LINE).unwrap_or_default() as u32;
        let trained: HashSet<&[u32]> = lines(&self.train, &end).collect();
        [&self.validation, &self.test].map(|part| {
            let repeated = lines(part, &end).filter(|line| trained.contains(line)).count();
            RepeatedLines { repeated, lines: lines(part, &end).count() }
        })
    }
}

/// The stretches between ends, empty ones left out.
fn lines<'a, T: Eq + Hash>(words: &'a [T], end: &'a T) -> impl Iterator<Item = &'a [T]> {
    words.split(move |word| word == end).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;

    #[test]
    fn images_that_stand_there_twice_are_counted_by_part() {
        let mut data = digits();
        assert_eq!(data.repeated(), RepeatedImages::default());
        let size = data.shape.len();
        for (from, to) in
            [(3, 10), (3, 11), (4, data.development), (data.development + 1, data.development + 2)]
        {
            data.pixels.copy_within(from * size..(from + 1) * size, to * size);
        }
        assert_eq!(data.repeated(), RepeatedImages { in_training: 2, in_test: 1 });
    }
}
