//! Word-level text: a folder with a training, a validation and a test file (spec e.3).

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use super::error::DataError;

/// The word that ends every line.
pub const END_OF_LINE: &str = "<eos>";

/// A text in three parts, each a stream of words as numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextData {
    /// The words in the order of their numbers: in that of their first appearance in training, validation and test
    /// text, as the authors have it.
    pub vocabulary: Vec<String>,
    /// What a model is trained on.
    pub train: Vec<u32>,
    /// What it is chosen by.
    pub validation: Vec<u32>,
    /// What it is judged by in the end.
    pub test: Vec<u32>,
}

/// Reads the text of a folder. The file of a part is named after it, `train.txt`, `ptb.valid.txt.gz` and the like
/// (`train`, `valid`, `test`, then `.txt`, then perhaps `.gz`). Words are separated by white space; each line ends in
/// [`END_OF_LINE`]. Every word of the three parts is in the vocabulary, so none is unknown.
///
/// # Errors
/// When the folder or a part is missing, two files claim one part, or a file is empty, damaged or no UTF-8: names it.
pub fn text_folder(folder: &Path) -> Result<TextData, DataError> {
    read_folder(folder, Numbers::default())
}

/// Reads the text of a folder in the words of a vocabulary, as [`TextData::vocabulary_text`] wrote it for a model.
///
/// # Errors
/// As [`text_folder`], and when a word is not in the vocabulary: names it and its place.
pub fn text_folder_with(folder: &Path, vocabulary: &str) -> Result<TextData, DataError> {
    let vocabulary: Vec<String> = vocabulary.lines().map(str::to_owned).collect();
    let numbered = vocabulary.iter().enumerate().map(|(number, word)| (word.clone(), number as u32));
    read_folder(folder, Numbers { numbers: numbered.collect(), vocabulary, closed: true })
}

fn read_folder(folder: &Path, mut words: Numbers) -> Result<TextData, DataError> {
    let [train, validation, test] = ["train", "valid", "test"].map(|part| part_file(folder, part));
    let mut read = |file: Result<PathBuf, DataError>| words.read(&file?);
    let (train, validation, test) = (read(train)?, read(validation)?, read(test)?);
    Ok(TextData { vocabulary: words.vocabulary, train, validation, test })
}

impl TextData {
    /// The vocabulary as text, a word per line in the order of their numbers.
    pub fn vocabulary_text(&self) -> String {
        self.vocabulary.iter().fold(String::new(), |text, word| text + word + "\n")
    }

    /// What identifies the text in a manifest: the SHA-256 of its words, as 64 hex digits.
    pub fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.vocabulary_text());
        for part in [&self.train, &self.validation, &self.test] {
            hash.update((part.len() as u64).to_le_bytes());
            part.iter().for_each(|word| hash.update(word.to_le_bytes()));
        }
        super::hexadecimal(&hash.finalize())
    }
}

/// The words so far and their numbers.
#[derive(Default)]
struct Numbers {
    vocabulary: Vec<String>,
    numbers: HashMap<String, u32>,
    /// Whether there are no others.
    closed: bool,
}

impl Numbers {
    fn read(&mut self, file: &Path) -> Result<Vec<u32>, DataError> {
        let text = content(file)?;
        if text.trim().is_empty() {
            return Err(DataError::Empty { file: file.to_owned() });
        }
        let mut stream = Vec::new();
        for (line, words) in text.lines().enumerate() {
            for word in words.split_whitespace().chain([END_OF_LINE]) {
                let number = self.number(word).ok_or_else(|| DataError::UnknownWord {
                    file: file.to_owned(),
                    line: line + 1,
                    word: word.to_owned(),
                })?;
                stream.push(number);
            }
        }
        Ok(stream)
    }

    /// The number of a word; `None` where it is not in a closed vocabulary.
    fn number(&mut self, word: &str) -> Option<u32> {
        let known = self.numbers.get(word).copied();
        if known.is_some() || self.closed {
            return known;
        }
        let new = self.vocabulary.len() as u32;
        self.vocabulary.push(word.to_owned());
        self.numbers.insert(word.to_owned(), new);
        Some(new)
    }
}

/// The file of a part.
fn part_file(folder: &Path, part: &'static str) -> Result<PathBuf, DataError> {
    let unreadable = |source| DataError::Unreadable { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = name.strip_suffix(".gz").unwrap_or(&name).strip_suffix(".txt");
        if stem.is_some_and(|stem| stem == part || stem.ends_with(&format!(".{part}"))) {
            found.push(path);
        }
    }
    found.sort();
    match found.len() {
        1 => Ok(found.swap_remove(0)),
        0 => Err(DataError::NoText { folder: folder.to_owned(), part }),
        _ => Err(DataError::TwoTexts { first: found.swap_remove(0), second: found.swap_remove(0), part }),
    }
}

fn content(file: &Path) -> Result<String, DataError> {
    let bytes = fs::read(file).map_err(|source| DataError::Unreadable { path: file.to_owned(), source })?;
    let bytes = if file.extension().is_some_and(|extension| extension == "gz") {
        let mut unpacked = Vec::new();
        let damaged = |source| DataError::Compressed { file: file.to_owned(), source };
        GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).map_err(damaged)?;
        unpacked
    } else {
        bytes
    };
    String::from_utf8(bytes)
        .map_err(|error| DataError::NotText { file: file.to_owned(), at: error.utf8_error().valid_up_to() })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn words_are_numbered_in_order_of_appearance_and_lines_end() {
        let zipped = packed("b c\n");
        let folder = folder(&[
            ("x.train.txt", b" a b \n\n a\n".as_slice()),
            ("valid.txt.gz", zipped.as_slice()),
            ("test.txt", b"d a"),
            ("notes.txt", b"not a part"),
        ]);
        let text = text_folder(folder.path()).unwrap();
        assert_eq!(text.vocabulary, ["a", "b", "<eos>", "c", "d"]);
        assert_eq!(text.train, [0, 1, 2, 2, 0, 2]);
        assert_eq!(
            (text.validation.as_slice(), text.test.as_slice()),
            ([1, 3, 2].as_slice(), [4, 0, 2].as_slice())
        );
    }

    #[test]
    fn a_text_in_the_words_of_a_model_has_no_others() {
        let files: [(&str, &[u8]); 3] = [("train.txt", b"a b"), ("valid.txt", b"b"), ("test.txt", b"a")];
        let first = folder(&files);
        let text = text_folder(first.path()).unwrap();
        assert_eq!(text_folder_with(first.path(), &text.vocabulary_text()).unwrap(), text);
        let second = folder(&[files[1], files[0], ("test.txt", b"a\nb c\n")]);
        let other = text_folder_with(second.path(), &text.vocabulary_text()).unwrap_err().to_string();
        assert!(other.contains("test.txt: line 2: `c`"), "{other}");
        assert_ne!(text_folder(second.path()).unwrap().checksum(), text.checksum());
        assert_eq!(text_folder(first.path()).unwrap().checksum(), text.checksum());
    }

    #[test]
    fn what_is_missing_or_damaged_is_named() {
        let full: [(&str, &[u8]); 3] = [("train.txt", b"a"), ("valid.txt", b"b"), ("test.txt", b"c")];
        let refused = |files: &[(&str, &[u8])]| text_folder(folder(files).path()).unwrap_err().to_string();
        assert!(refused(&full[..2]).contains("no test text"));
        assert!(refused(&[full[0], full[1], full[2], ("ptb.valid.txt", b"x")]).contains("both"));
        assert!(refused(&[full[0], full[1], ("test.txt", b" \n ")]).contains("test.txt: the file is empty"));
        assert!(refused(&[full[0], full[1], ("test.txt.gz", b"no gzip")]).contains("cannot be unpacked"));
        assert!(refused(&[full[0], full[1], ("test.txt", b"ab\xff")]).contains("byte 2"));
        assert!(text_folder(Path::new("/nowhere")).unwrap_err().to_string().contains("/nowhere"));
    }
}
