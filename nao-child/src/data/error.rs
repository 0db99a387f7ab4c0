//! What can be wrong with data: each message names the file and the remedy.

use std::path::PathBuf;

use nao_space::excerpt::excerpt;
use nao_space::file::FileError;

use super::source::DataSource;

/// Bytes of one CIFAR-10 record: label, then 32x32 pixels in three planes.
pub(super) const RECORD: usize = 1 + 3 * 32 * 32;

/// Why there is no data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A source of data of another kind.
    #[error("{named} has no {expected}: name a source that has")]
    OtherKind {
        /// The source.
        named: DataSource,
        /// What is wanted: `images` or `words`.
        expected: &'static str,
    },
    /// The folder is not there, or is a file.
    #[error(
        "{}: no such folder; give the folder that holds the CIFAR-10 files in binary form \
         (data_batch_1.bin to data_batch_5.bin, test_batch.bin)", .folder.display()
    )]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds no data files.
    #[error(
        "{}: no .bin, .bin.gz or .bin.zst file in this folder; unpack cifar-10-binary.tar.gz there, \
         or point to its folder cifar-10-batches-bin", .folder.display()
    )]
    NoFiles {
        /// The folder.
        folder: PathBuf,
    },
    /// All files are test files.
    #[error(
        "{}: only test files (names with the word `test`) in this folder, nothing to train on; add the data_batch files",
        .folder.display()
    )]
    OnlyTest {
        /// The folder.
        folder: PathBuf,
    },
    /// Two files of which one seems to be a copy of the other, by its name.
    #[error(
        "{} and {} seem to be one file twice, by their names, and their images would be taken twice; take one of them away",
        .first.display(), .second.display()
    )]
    SameName {
        /// One of them.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Two files with the same images.
    #[error(
        "{} and {} hold the same images, which would be taken twice; take one of them away",
        .first.display(), .second.display()
    )]
    SameContent {
        /// One of them.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A file without content.
    #[error("{}: the file is empty; download or copy it again", .file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// A file that does not end where a record ends.
    #[error(
        "{}: {bytes} bytes are {} records of {RECORD} bytes with {} bytes left over; the file is cut off \
         or not CIFAR-10 in binary form (CIFAR-100 and the Python form differ), download it again",
        .file.display(), .bytes / RECORD, .bytes % RECORD
    )]
    LeftOver {
        /// The file.
        file: PathBuf,
        /// Its size, uncompressed.
        bytes: usize,
    },
    /// A label that no class has.
    #[error(
        "{}: record {record} (counted from 0) has label {label}, CIFAR-10 has 0 to 9; \
         the file is damaged or not CIFAR-10 in binary form, download it again", .file.display()
    )]
    Label {
        /// The file.
        file: PathBuf,
        /// The record, counted from 0.
        record: usize,
        /// The label.
        label: u8,
    },
    /// A folder of text without one of its parts.
    #[error(
        "{}: no {part} text in this folder; name its file {part}.txt or something.{part}.txt, perhaps with .gz or .zst",
        .folder.display()
    )]
    NoText {
        /// The folder.
        folder: PathBuf,
        /// `train`, `valid` or `test`.
        part: &'static str,
    },
    /// Two files that claim one part of a text.
    #[error("{} and {} are both called the {part} text; take one of them away", .first.display(), .second.display())]
    TwoTexts {
        /// One of them.
        first: PathBuf,
        /// Another.
        second: PathBuf,
        /// `train`, `valid` or `test`.
        part: &'static str,
    },
    /// A word that a stored vocabulary lacks.
    #[error(
        "{}: line {line}: `{}` is not in the vocabulary that was stored with the model; put the old text back, write \
         such words as the text writes unknown ones, or start anew", .file.display(), excerpt(.word)
    )]
    UnknownWord {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The word.
        word: String,
    },
    /// A word that is longer than any word.
    #[error(
        "{}: line {line}: a word has more than {limit} bytes; words are separated by white space: is it the right file?",
        .file.display()
    )]
    LongWord {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The most bytes of a word.
        limit: usize,
    },
    /// More words than a model could be trained on.
    #[error("{}: line {line}: the text has more than {limit} {what}; take a part of it", .file.display())]
    TooManyWords {
        /// The file.
        file: PathBuf,
        /// The line at which they become too many, counted from 1.
        line: usize,
        /// The most that are read.
        limit: usize,
        /// `words` or `different words`.
        what: &'static str,
    },
    /// Two parts of a text that are one and the same.
    #[error(
        "{} and {} hold the same text, so that a model would be judged by what it was trained on; put the right file in \
         place of one of them", .first.display(), .second.display()
    )]
    SameText {
        /// The training text.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A file that cannot be read, cannot be unpacked, is too long or is no text.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder that the system does not let us read.
    #[error("{}: cannot be read ({source}); check the path and its permissions", .path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A split that leaves nothing on one side.
    #[error("{data}: cannot hold out {held_out} of {images} images and train on the rest; {remedy}")]
    Split {
        /// The name of the data.
        data: String,
        /// How many were to be held out.
        held_out: usize,
        /// How many there are.
        images: usize,
        /// What to do.
        remedy: &'static str,
    },
}
