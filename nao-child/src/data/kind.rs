//! The kinds of data that children are trained on, as runs see them.

use std::path::Path;
use std::sync::Arc;

use nao_space::file;

use super::{
    DataError, DataSource, ImageData, PartOrigin, RepeatedImages, RepeatedLines, TextData, cifar10_folder,
    digits, text_folder, text_folder_with,
};

/// The words of the text of a run or a training, one a line.
const VOCABULARY_FILE: &str = "vocabulary.txt";

/// The longest vocabulary that is read.
const LONGEST_VOCABULARY: u64 = 512 * file::MIB;

/// Files that belong to results on some data: names and contents.
pub type Companions = Vec<(&'static str, String)>;

/// A kind of data, with what a run has to know about it.
pub trait DataKind: Sized + Send + Sync + 'static {
    /// What the data is counted in, such as `images`.
    const EXAMPLES: &'static str;

    /// The data that is taken where none is named.
    fn default_source() -> Option<DataSource>;

    /// Whether a source has data of this kind.
    fn is_of(source: &DataSource) -> bool;

    /// Reads data. `stored` is the folder of a run or a training that has used it, with its companions.
    ///
    /// # Errors
    /// When the source has data of another kind, or its files cannot be read: names them.
    fn load(source: &DataSource, stored: Option<&Path>) -> Result<Arc<Self>, DataError>;

    /// What identifies the data: a SHA-256 as 64 hex digits.
    fn checksum(&self) -> String;

    /// The files that the data came from, by part.
    fn origin(&self) -> &[PartOrigin];

    /// What stands in the data more than once and may flatter a score, one sentence each.
    fn repetitions(&self) -> Vec<String>;

    /// Files that belong to results on the data: names and contents.
    fn companions(&self) -> Companions {
        Vec::new()
    }
}

impl DataKind for ImageData {
    const EXAMPLES: &'static str = "images";

    fn default_source() -> Option<DataSource> {
        Some(DataSource::Digits)
    }

    fn is_of(source: &DataSource) -> bool {
        !source.is_text()
    }

    fn load(source: &DataSource, _: Option<&Path>) -> Result<Arc<Self>, DataError> {
        match source {
            DataSource::Digits => Ok(Arc::new(digits())),
            DataSource::Cifar10(folder) => Ok(Arc::new(cifar10_folder(folder)?)),
            DataSource::Text(_) => {
                Err(DataError::OtherKind { named: source.clone(), expected: Self::EXAMPLES })
            }
        }
    }

    fn checksum(&self) -> String {
        ImageData::checksum(self)
    }

    fn origin(&self) -> &[PartOrigin] {
        &self.origin
    }

    fn repetitions(&self) -> Vec<String> {
        let RepeatedImages { in_training, in_test } = self.repeated();
        let training = (in_training > 0).then(|| {
            format!(
                "{in_training} of the {} images of the training files repeat another one pixel for pixel: the same image \
                 may be trained on and be judged by",
                self.development
            )
        });
        let test = (in_test > 0).then(|| {
            format!(
                "{in_test} of the {} test images stand in the training files as well, pixel for pixel",
                self.test_len()
            )
        });
        training.into_iter().chain(test).collect()
    }
}

impl DataKind for TextData {
    const EXAMPLES: &'static str = "words";

    fn default_source() -> Option<DataSource> {
        None
    }

    fn is_of(source: &DataSource) -> bool {
        source.is_text()
    }

    /// In the words of the stored vocabulary, where there is one.
    fn load(source: &DataSource, stored: Option<&Path>) -> Result<Arc<Self>, DataError> {
        let DataSource::Text(folder) = source else {
            return Err(DataError::OtherKind { named: source.clone(), expected: Self::EXAMPLES });
        };
        let vocabulary = stored.map(|folder| folder.join(VOCABULARY_FILE)).filter(|file| file.is_file());
        Ok(Arc::new(match vocabulary {
            Some(path) => text_folder_with(folder, &file::text(&path, LONGEST_VOCABULARY)?)?,
            None => text_folder(folder)?,
        }))
    }

    fn checksum(&self) -> String {
        TextData::checksum(self)
    }

    fn origin(&self) -> &[PartOrigin] {
        &self.origin
    }

    /// Some lines of a language return; more than half of a text is no accident.
    fn repetitions(&self) -> Vec<String> {
        let parts = ["validation", "test"].into_iter().zip(self.repeated());
        let copied = parts.filter(|(_, RepeatedLines { repeated, lines })| 2 * repeated > *lines);
        let sentence = |(part, RepeatedLines { repeated, lines })| {
            format!("{repeated} of the {lines} lines of the {part} text stand in the training text as well")
        };
        copied.map(sentence).collect()
    }

    fn companions(&self) -> Companions {
        vec![(VOCABULARY_FILE, self.vocabulary_text())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_another_kind_is_refused() {
        let text = DataSource::Text("words".into());
        let error = ImageData::load(&text, None).unwrap_err().to_string();
        assert!(error.contains("text:words") && error.contains("images"), "{error}");
        let error = TextData::load(&DataSource::Digits, None).unwrap_err().to_string();
        assert!(error.contains("digits") && error.contains("words"), "{error}");
    }

    #[test]
    fn repeated_images_are_reported_in_words() {
        let mut data = digits();
        assert!(data.repetitions().is_empty());
        let size = data.shape.len();
        data.pixels.copy_within(0..size, size);
        let sentences = data.repetitions();
        assert!(sentences.len() == 1 && sentences[0].starts_with("1 of the 1500 images"), "{sentences:?}");
    }

    /// A vocabulary that is stored with a run keeps the numbers of its words, in whatever order a text has them.
    #[test]
    fn text_is_read_in_the_words_of_the_run() {
        let folder = tempfile::tempdir().unwrap();
        for (part, words) in [("train", "b a\n"), ("valid", "a b\n"), ("test", "a a\n")] {
            std::fs::write(folder.path().join(format!("{part}.txt")), words).unwrap();
        }
        let source = DataSource::Text(folder.path().to_owned());
        let first = TextData::load(&source, None).unwrap();
        let [(name, words)] = first.companions().try_into().unwrap();
        assert_eq!((name, words.as_str()), ("vocabulary.txt", "b\na\n<eos>\n"));
        std::fs::write(folder.path().join(name), "a\nb\n<eos>\n").unwrap();
        let again = TextData::load(&source, Some(folder.path())).unwrap();
        assert_eq!((first.train.as_slice(), again.train.as_slice()), (&[0, 1, 2][..], &[1, 0, 2][..]));
    }
}
