//! CIFAR-10 in its official binary form, plain or compressed with zstd.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use nao_space::network::FeatureShape;

use super::ImageData;
use super::error::{DataError, RECORD};

/// The classes of CIFAR-10 in the order of their labels.
pub const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Reads all `*.bin` and `*.bin.zst` files of a folder, in the order of their names. Files with `test` in
/// their name are the test images. Any number of images will do: a part of CIFAR-10 is read like the whole.
///
/// # Errors
/// When the folder is missing or holds no such file, and when a file is unreadable, empty, cut off or has an
/// unknown label: names the file and what to do.
pub fn cifar10_folder(folder: impl AsRef<Path>) -> Result<ImageData, DataError> {
    let folder = folder.as_ref();
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let (development, test): (Vec<_>, Vec<_>) =
        data_files(folder)?.into_iter().partition(|file| !is_test(file));
    if development.is_empty() {
        return Err(DataError::OnlyTest { folder: folder.to_owned() });
    }
    for file in &development {
        read_records(file, &mut pixels, &mut labels)?;
    }
    let development = labels.len();
    for file in &test {
        read_records(file, &mut pixels, &mut labels)?;
    }
    Ok(ImageData {
        name: "cifar10".into(),
        shape: FeatureShape::new(32, 32, 3),
        pixels,
        white: u8::MAX,
        labels,
        classes: CIFAR10_CLASSES.map(str::to_owned).to_vec(),
        development,
    })
}

fn file_name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn is_test(file: &Path) -> bool {
    file_name(file).contains("test")
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
        let name = file_name(&path);
        if name.ends_with(".bin") || name.ends_with(".bin.zst") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(DataError::NoFiles { folder: folder.to_owned() });
    }
    files.sort();
    Ok(files)
}

fn read_records(file: &Path, pixels: &mut Vec<u8>, labels: &mut Vec<u8>) -> Result<(), DataError> {
    let bytes = read(file)?;
    if bytes.is_empty() {
        return Err(DataError::Empty { file: file.to_owned() });
    }
    if !bytes.len().is_multiple_of(RECORD) {
        return Err(DataError::LeftOver { file: file.to_owned(), bytes: bytes.len() });
    }
    for (record, bytes) in bytes.chunks_exact(RECORD).enumerate() {
        let label = bytes[0];
        if usize::from(label) >= CIFAR10_CLASSES.len() {
            return Err(DataError::Label { file: file.to_owned(), record, label });
        }
        labels.push(label);
        pixels.extend_from_slice(&bytes[1..]);
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, DataError> {
    let bytes = fs::read(file).map_err(|source| DataError::Unreadable { path: file.to_owned(), source })?;
    if bytes.is_empty() || !file_name(file).ends_with(".zst") {
        return Ok(bytes);
    }
    let compressed = |source| DataError::Compressed { file: file.to_owned(), source };
    let mut unpacked = Vec::new();
    let mut decoder = zstd::stream::read::Decoder::new(bytes.as_slice()).map_err(compressed)?;
    decoder.read_to_end(&mut unpacked).map_err(compressed)?;
    Ok(unpacked)
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
    fn every_fault_names_the_file_and_the_remedy() {
        let missing = cifar10_folder("/no/such/folder").unwrap_err().to_string();
        assert!(missing.starts_with("/no/such/folder: no such folder; give"), "{missing}");
        type Files = Vec<(&'static str, Vec<u8>)>;
        let cases: [(Files, &str); 6] = [
            (vec![("notes.txt", vec![1])], "no .bin or .bin.zst file"),
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
