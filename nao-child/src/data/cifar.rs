//! CIFAR-10 in its official binary form, plain or packed.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nao_space::file::{self, MIB};
use nao_space::network::FeatureShape;
use sha2::{Digest, Sha256};

use super::ImageData;
use super::error::{DataError, RECORD};
use super::origin::PartOrigin;

/// The classes of CIFAR-10 in the order of their labels.
pub const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The most that is read of a file, unpacked: seventeen times an official one.
const LONGEST: u64 = 512 * MIB;

/// Reads all `*.bin`, `*.bin.gz` and `*.bin.zst` files of a folder, in the order of their names; hidden files are left
/// out. Files with the word `test` in their name, such as `test_batch.bin`, are the test images. Any number of images
/// will do: a part of CIFAR-10 is read like the whole.
///
/// # Errors
/// When the folder is missing or holds no such file; when two files are one and the same, by their names or by their
/// images; and when a file is unreadable, empty, cut off, too long or has an unknown label: names the file and what to
/// do.
pub fn cifar10_folder(folder: impl AsRef<Path>) -> Result<ImageData, DataError> {
    let folder = folder.as_ref();
    let (development, test): (Vec<_>, Vec<_>) =
        data_files(folder)?.into_iter().partition(|file| !is_test(file));
    if development.is_empty() {
        return Err(DataError::OnlyTest { folder: folder.to_owned() });
    }
    let mut images = Images::default();
    let mut origin = vec![images.part("training", development)?];
    let development = images.labels.len();
    if !test.is_empty() {
        origin.push(images.part("test", test)?);
    }
    Ok(ImageData {
        name: "cifar10".into(),
        shape: FeatureShape::new(32, 32, 3),
        pixels: images.pixels,
        white: u8::MAX,
        labels: images.labels,
        classes: CIFAR10_CLASSES.map(str::to_owned).to_vec(),
        development,
        origin,
    })
}

fn file_name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The name of a data file without what tells its form and packing; `None` for other files.
fn stem(name: &str) -> Option<&str> {
    let plain = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(name);
    plain.strip_suffix(".bin").filter(|stem| !stem.starts_with('.'))
}

/// `latest_data` is no test.
fn is_test(file: &Path) -> bool {
    let name = file_name(file);
    let words = stem(&name).unwrap_or_default().split(|character: char| !character.is_alphanumeric());
    words.into_iter().any(|word| word == "test")
}

/// The name that a file had before it was copied beside itself, as file managers and browsers name copies.
fn original(stem: &str) -> &str {
    let stem = stem.strip_prefix("copy of ").unwrap_or(stem).trim_end();
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|character| character.is_ascii_digit());
    let numbered = stem.strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    if let Some((before, _)) = numbered.filter(|(_, number)| is_number(number)) {
        return original(before.trim_end());
    }
    let unnumbered = stem.rsplit_once(' ').filter(|(_, number)| is_number(number)).map(|(before, _)| before);
    for name in [Some(stem), unnumbered].into_iter().flatten() {
        for mark in [" - copy", " copy", "_copy", "-copy"] {
            if let Some(before) = name.strip_suffix(mark) {
                return original(before.trim_end());
            }
        }
    }
    stem
}

fn data_files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |source| DataError::Unreadable { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Err(DataError::NoFolder { folder: folder.to_owned() });
        }
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if stem(&file_name(&path)).is_some() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(DataError::NoFiles { folder: folder.to_owned() });
    }
    files.sort();
    let mut by_name = HashMap::new();
    for file in &files {
        let name = file_name(file);
        let name = original(stem(&name).unwrap_or_default()).to_owned();
        if let Some(first) = by_name.insert(name, file) {
            return Err(DataError::SameName { first: first.clone(), second: file.clone() });
        }
    }
    Ok(files)
}

/// The images so far.
#[derive(Default)]
struct Images {
    pixels: Vec<u8>,
    labels: Vec<u8>,
    /// The files by the SHA-256 of what they hold.
    files: HashMap<Vec<u8>, PathBuf>,
}

impl Images {
    fn part(&mut self, part: &str, files: Vec<PathBuf>) -> Result<PartOrigin, DataError> {
        let before = self.labels.len();
        for file in &files {
            self.read(file)?;
        }
        Ok(PartOrigin { part: part.to_owned(), files, examples: self.labels.len() - before })
    }

    fn read(&mut self, file: &Path) -> Result<(), DataError> {
        let bytes = file::bytes(file, LONGEST)?;
        if bytes.is_empty() {
            return Err(DataError::Empty { file: file.to_owned() });
        }
        if !bytes.len().is_multiple_of(RECORD) {
            return Err(DataError::LeftOver { file: file.to_owned(), bytes: bytes.len() });
        }
        if let Some(first) = self.files.insert(Sha256::digest(&bytes).to_vec(), file.to_owned()) {
            return Err(DataError::SameContent { first, second: file.to_owned() });
        }
        for (record, bytes) in bytes.chunks_exact(RECORD).enumerate() {
            let label = bytes[0];
            if usize::from(label) >= CIFAR10_CLASSES.len() {
                return Err(DataError::Label { file: file.to_owned(), record, label });
            }
            self.labels.push(label);
            self.pixels.extend_from_slice(&bytes[1..]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(label: u8) -> Vec<u8> {
        let mut bytes = vec![label];
        bytes.extend((0..RECORD - 1).map(|i| (i % 251) as u8));
        bytes
    }

    fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    fn message(files: &[(&str, Vec<u8>)]) -> String {
        cifar10_folder(folder(files).path()).unwrap_err().to_string()
    }

    #[test]
    fn plain_and_compressed_files_are_read_in_order_with_the_test_part_last() {
        let packed = zstd::encode_all([record(3), record(4)].concat().as_slice(), 3).unwrap();
        let folder = folder(&[
            ("test_batch.bin", record(9)),
            ("data_batch_2.bin.zst", packed),
            ("data_batch_1.bin", record(1)),
            ("readme.html", vec![]),
        ]);
        let data = cifar10_folder(folder.path()).unwrap();
        assert_eq!((data.labels.as_slice(), data.development, data.test_len()), (&[1, 3, 4, 9][..], 3, 1));
        assert_eq!(data.image(3)[..3], [0, 1, 2]);
        assert_eq!(data.checksum().len(), 64);
    }

    #[test]
    fn each_file_is_read_once_or_refused_by_the_names_of_both() {
        let packed = |bytes: Vec<u8>| zstd::encode_all(bytes.as_slice(), 3).unwrap();
        let refused = |name: &str, bytes: Vec<u8>, reason: &str| {
            let message = message(&[("data_batch_1.bin", record(1)), (name, bytes)]);
            assert!(message.contains("data_batch_1.bin") && message.contains(name), "{message}");
            assert!(message.contains(reason), "{name}: {message}");
        };
        for name in [
            "data_batch_1 (1).bin",
            "data_batch_1(2).bin",
            "data_batch_1 copy.bin",
            "data_batch_1 copy 3.bin",
            "data_batch_1 - Copy.bin",
            "data_batch_1 - Copy (2).bin",
            "Copy of data_batch_1.bin",
            "DATA_BATCH_1.bin",
        ] {
            refused(name, record(2), "one file twice");
        }
        refused("data_batch_1.bin.zst", packed(record(1)), "one file twice");
        refused("data_batch_1.bin.gz", record(1), "one file twice");
        for name in ["data_batch_2.bin", "test_batch.bin"] {
            refused(name, record(1), "hold the same images");
        }
        refused("data_batch_2.bin.zst", packed(record(1)), "hold the same images");
    }

    #[test]
    fn every_frame_of_a_packed_file_is_read() {
        let frames = [record(1), [record(2), record(3)].concat()];
        let frames = frames.map(|bytes| zstd::encode_all(bytes.as_slice(), 3).unwrap()).concat();
        let data = cifar10_folder(folder(&[("a.bin.zst", frames)]).path()).unwrap();
        assert_eq!(data.labels, [1, 2, 3]);
    }

    #[test]
    fn only_the_word_test_makes_test_images() {
        let data = cifar10_folder(
            folder(&[
                ("latest_data.bin", record(1)),
                ("contest.bin", record(2)),
                ("exact_test_batch_first1000.bin", record(3)),
                ("._data_batch_1.bin", vec![1; 99]),
            ])
            .path(),
        );
        let data = data.unwrap();
        assert_eq!((data.development, data.labels.as_slice()), (2, &[2, 1, 3][..]));
        let origin: Vec<String> = data.origin.iter().map(ToString::to_string).collect();
        assert_eq!(
            origin,
            [
                "2 training files (contest.bin to latest_data.bin)",
                "1 test file (exact_test_batch_first1000.bin)"
            ]
        );
        assert_eq!(data.origin.iter().map(|part| part.examples).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn every_fault_names_the_file_and_the_remedy() {
        let missing = cifar10_folder("/no/such/folder").unwrap_err().to_string();
        assert!(missing.starts_with("/no/such/folder: no such folder; give"), "{missing}");
        type Files = Vec<(&'static str, Vec<u8>)>;
        let cases: [(Files, &str); 6] = [
            (vec![("notes.txt", vec![1])], "no .bin, .bin.gz or .bin.zst file"),
            (vec![("test_batch.bin", record(1))], "nothing to train on"),
            (vec![("a.bin", vec![])], "a.bin: the file is empty"),
            (
                vec![("a.bin", vec![0; RECORD + 5])],
                "a.bin: 3078 bytes are 1 records of 3073 bytes with 5 bytes",
            ),
            (
                vec![("a.bin", [record(1), record(10)].concat())],
                "a.bin: record 1 (counted from 0) has label 10",
            ),
            (
                vec![("a.bin.zst", {
                    let whole = zstd::encode_all(record(1).as_slice(), 3).unwrap();
                    whole[..whole.len() / 2].to_vec()
                })],
                "a.bin.zst: cannot be unpacked",
            ),
        ];
        for (files, expected) in cases {
            let found = message(&files);
            assert!(found.contains(expected), "{found:?} should contain {expected:?}");
        }
        let odd = tempfile::tempdir().unwrap();
        fs::create_dir(odd.path().join("a.bin")).unwrap();
        let unreadable = cifar10_folder(odd.path()).unwrap_err().to_string();
        assert!(unreadable.contains("a.bin: cannot be read"), "{unreadable}");
    }
}
