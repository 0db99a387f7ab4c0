//! Word-level text: a folder with a training, a validation and a test file (docs/specification.md, e.3).

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::DataError;
use super::hex::hexadecimal;
use super::origin::PartOrigin;
use super::words::{Token, read_words};

/// The word that ends every line.
pub const END_OF_LINE: &str = "<eos>";

/// The most words of a part: a third more than the largest published word-level text has.
const MOST_WORDS: usize = 1 << 27;

/// The most different words: some five times as many as the largest published vocabulary has.
const MOST_DIFFERENT_WORDS: usize = 1 << 22;

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
    /// The files that were read, by part.
    pub origin: Vec<PartOrigin>,
}

/// Reads the text of a folder. The file of a part is named after it, `train.txt`, `ptb.valid.txt.gz` and the like
/// (`train`, `valid`, `test`, then `.txt`, then perhaps `.gz` or `.zst`). Words are separated by white space; each line ends in
/// [`END_OF_LINE`]. Every word of the three parts is in the vocabulary, so none is unknown.
///
/// # Errors
/// When the folder or a part is missing, two files claim one part, a held-out part is the training text, or a file is
/// empty, damaged, no UTF-8 or too long: names it.
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
    let files = ["train", "valid", "test"].map(|part| part_file(folder, part));
    let mut origin = Vec::new();
    let mut parts = Vec::new();
    for (part, file) in ["training", "validation", "test"].into_iter().zip(files) {
        let file = file?;
        let stream = words.read(&file)?;
        origin.push(PartOrigin { part: part.to_owned(), files: vec![file], examples: stream.len() });
        parts.push(stream);
    }
    if let Some(same) = (1..parts.len()).find(|&held_out| parts[held_out] == parts[0]) {
        let file = |part: usize| origin[part].files[0].clone();
        return Err(DataError::SameText { first: file(0), second: file(same) });
    }
    let mut parts = parts.into_iter();
    let mut next = || parts.next().unwrap_or_default();
    let (train, validation, test) = (next(), next(), next());
    Ok(TextData { vocabulary: words.vocabulary, train, validation, test, origin })
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
        hexadecimal(&hash.finalize())
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
        let mut stream = Vec::new();
        let mut has_words = false;
        let too_many =
            |line, limit, what| DataError::TooManyWords { file: file.to_owned(), line, limit, what };
        read_words(file, |token, line| {
            let word = match token {
                Token::Word(word) => word,
                Token::LineEnd => END_OF_LINE,
            };
            has_words |= token != Token::LineEnd;
            let number = self.number(word).ok_or_else(|| DataError::UnknownWord {
                file: file.to_owned(),
                line,
                word: word.to_owned(),
            })?;
            if stream.len() == MOST_WORDS {
                return Err(too_many(line, MOST_WORDS, "words"));
            }
            if self.vocabulary.len() > MOST_DIFFERENT_WORDS {
                return Err(too_many(line, MOST_DIFFERENT_WORDS, "different words"));
            }
            stream.push(number);
            Ok(())
        })?;
        if !has_words {
            return Err(DataError::Empty { file: file.to_owned() });
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
        let plain = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
        let stem = plain.strip_suffix(".txt");
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::data::RepeatedLines;

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
    fn every_member_of_a_packed_text_is_read_and_no_mark_is_a_word() {
        let parts = |train: (&str, &[u8])| {
            text_folder(folder(&[train, ("valid.txt", b"a"), ("test.txt", b"b")]).path()).unwrap()
        };
        let plain = parts(("train.txt", b"a b\nb a c\n"));
        let members = [packed("\u{feff}a b\n"), packed("b a c\n")].concat();
        let frames =
            [zstd::encode_all(&b"a b\nb"[..], 3).unwrap(), zstd::encode_all(&b" a c\n"[..], 3).unwrap()];
        for train in [
            ("train.txt", "\u{feff}a b\r\nb a c\r\n".as_bytes()),
            ("train.txt.gz", members.as_slice()),
            ("train.txt", members.as_slice()),
            ("train.txt.zst", frames.concat().as_slice()),
        ] {
            let read = parts(train);
            assert_eq!((&read.vocabulary, &read.train), (&plain.vocabulary, &plain.train), "{}", train.0);
            assert_eq!(read.checksum(), plain.checksum());
        }
    }

    #[test]
    fn a_held_out_text_that_is_trained_on_is_refused_and_its_lines_are_counted() {
        let read = |valid: &'static [u8]| {
            let files: [(&str, &[u8]); 3] =
                [("train.txt", b"a b\n\nc d\n"), ("valid.txt", valid), ("test.txt", b"a b c d")];
            text_folder(folder(&files).path())
        };
        let same = read(b"a b\n\nc  d").unwrap_err().to_string();
        assert!(same.contains("train.txt and ") && same.contains("valid.txt hold the same text"), "{same}");
        let text = read(b"c d\n\nb a\nc d").unwrap();
        let counts = text.repeated().map(|RepeatedLines { repeated, lines }| (repeated, lines));
        assert_eq!(counts, [(2, 3), (0, 1)]);
        let origin: Vec<String> = text.origin.iter().map(ToString::to_string).collect();
        assert_eq!(
            origin,
            ["1 training file (train.txt)", "1 validation file (valid.txt)", "1 test file (test.txt)"]
        );
        assert_eq!(text.origin[0].examples, text.train.len());
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
