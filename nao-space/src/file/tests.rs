use std::fs;
use std::io::{BufRead, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use std::path::PathBuf;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// Files of a folder of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Files(tempfile::tempdir().unwrap())
    }

    fn with(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

#[test]
fn every_member_and_every_frame_is_read() {
    let files = Files::new();
    let both = |pack: fn(&[u8]) -> Vec<u8>| [pack(b"one "), pack(b"two")].concat();
    for (name, content) in [
        ("plain.txt", b"one two".to_vec()),
        ("a.txt.gz", both(gzip)),
        ("a.txt.zst", both(zstd)),
        ("GZIP.TXT.GZ", both(gzip)),
        ("without-ending", both(gzip)),
        ("without-ending-either", both(zstd)),
    ] {
        assert_eq!(text(&files.with(name, &content), MIB).unwrap(), "one two", "{name}");
        assert_eq!(raw_bytes(&files.with(name, &content), MIB).unwrap(), content, "{name}");
    }
    assert_eq!(text(&files.with("empty.txt.gz", b""), MIB).unwrap(), "");
}

#[test]
fn what_is_cut_off_or_followed_by_something_else_is_refused() {
    let files = Files::new();
    for (ending, pack) in [("gz", gzip as fn(&[u8]) -> Vec<u8>), ("zst", zstd)] {
        let whole = [pack(b"the first member"), pack(b"the second member")].concat();
        for content in [whole[..whole.len() - 5].to_vec(), [whole.as_slice(), b"rubbish"].concat()] {
            let error = text(&files.with(&format!("a.{ending}"), &content), MIB).unwrap_err().to_string();
            assert!(error.contains(&format!("a.{ending}: cannot be unpacked")), "{error}");
        }
    }
    let error = text(&files.with("a.gz", b"no gzip"), MIB).unwrap_err();
    assert!(matches!(error, FileError::NotPacked { packing: "gzip", .. }), "{error}");
    let error = text(&files.with("a.zst", &gzip(b"gzip")), MIB).unwrap_err();
    assert!(matches!(error, FileError::NotPacked { packing: "zstd", .. }), "{error}");
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_it_is_all_read() {
    let files = Files::new();
    let zeros = vec![0; 3 << 20];
    for (name, content) in [("a", zeros.clone()), ("a.gz", gzip(&zeros)), ("a.zst", zstd(&zeros))] {
        let path = files.with(name, &content);
        assert_eq!(bytes(&path, 3 * MIB).unwrap(), zeros, "{name}");
        let error = bytes(&path, 2 * MIB).unwrap_err();
        assert!(matches!(error, FileError::TooLong { limit, .. } if limit == 2 * MIB), "{error}");
        assert!(error.to_string().contains("more than 2 MiB"), "{error}");
    }
    let plain = files.with("a", &zeros);
    assert_eq!(raw_bytes(&plain, 3 * MIB).unwrap(), zeros);
    assert!(matches!(raw_bytes(&plain, 3 * MIB - 1).unwrap_err(), FileError::TooLong { .. }));
}

#[cfg(unix)]
#[test]
fn a_device_that_never_ends_is_refused() {
    let zero = Path::new("/dev/zero");
    assert!(matches!(raw_bytes(zero, MIB).unwrap_err(), FileError::TooLong { .. }));
    assert!(matches!(bytes(zero, MIB).unwrap_err(), FileError::TooLong { .. }));
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_text() {
    let files = Files::new();
    let marked = "\u{feff}word\u{feff}\n".as_bytes();
    for (name, content) in [("a", marked.to_vec()), ("a.gz", gzip(marked)), ("a.zst", zstd(marked))] {
        let path = files.with(name, &content);
        assert_eq!(text(&path, MIB).unwrap(), "word\u{feff}\n", "{name}: only the first");
        let mut reader = Unpacked::open(&path, MIB).unwrap();
        assert_eq!(reader.skip_mark().unwrap(), 3);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert_eq!(line, "word\u{feff}\n");
    }
    let mut reader = Unpacked::open(&files.with("b", b"\xef\xbb"), MIB).unwrap();
    assert_eq!(reader.skip_mark().unwrap(), 0);
    let error = text(&files.with("b", b"\xef\xbb\xbfab\xff"), MIB).unwrap_err().to_string();
    assert!(error.contains("b: byte 5 is not UTF-8"), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    for error in
        [bytes(Path::new("/none"), MIB).unwrap_err(), raw_bytes(Path::new("/none"), MIB).unwrap_err()]
    {
        assert!(error.to_string().starts_with("/none: cannot be read ("), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(text(folder.path(), MIB).unwrap_err(), FileError::Unreadable { .. }));
}
