//! A reader of files that may be packed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::error::FileError;

/// The byte-order mark of UTF-8, which some editors and spreadsheets put before a text.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// How many bytes are unpacked at a time.
const PIECE: usize = 1 << 16;

/// A file being read: all members of a gzip file, all frames of a zstd file, or the file as it is, which its first
/// bytes tell. Its errors hold a [`FileError`].
pub struct Unpacked {
    content: BufReader<Content>,
}

/// What a file holds, counted.
struct Content {
    path: PathBuf,
    bytes: Box<dyn Read>,
    is_packed: bool,
    limit: u64,
    left: u64,
}

impl Unpacked {
    /// Opens a file of which at most `limit` bytes are read, unpacked.
    ///
    /// # Errors
    /// When the file cannot be opened, or its name says that it is packed in a way in which it is not: names it.
    pub fn open(path: &Path, limit: u64) -> Result<Self, FileError> {
        let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
        let mut file = BufReader::with_capacity(PIECE, File::open(path).map_err(unreadable)?);
        let packing = Packing::of_content(file.fill_buf().map_err(unreadable)?);
        let is_empty = file.buffer().is_empty();
        if let Some(named) = Packing::of_name(path).filter(|&named| !is_empty && packing != Some(named)) {
            return Err(FileError::NotPacked { path: path.to_owned(), packing: named.word() });
        }
        let bytes: Box<dyn Read> = match packing {
            Some(Packing::Gzip) => Box::new(MultiGzDecoder::new(file)),
            Some(Packing::Zstd) => Box::new(zstd::Decoder::with_buffer(file).map_err(unreadable)?),
            None => Box::new(file),
        };
        let (path, is_packed) = (path.to_owned(), packing.is_some());
        let content = Content { path, bytes, is_packed, limit, left: limit };
        Ok(Unpacked { content: BufReader::with_capacity(PIECE, content) })
    }

    /// Goes past a byte-order mark, if the file begins with one; says how many bytes that are.
    ///
    /// # Errors
    /// When the file cannot be read: an error that holds a [`FileError`].
    pub fn skip_mark(&mut self) -> io::Result<usize> {
        let has_mark = self.content.fill_buf()?.starts_with(MARK);
        let mark = if has_mark { MARK.len() } else { 0 };
        self.content.consume(mark);
        Ok(mark)
    }
}

impl Read for Unpacked {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.content.read(to)
    }
}

impl BufRead for Unpacked {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.content.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.content.consume(count);
    }
}

impl Read for Content {
    /// Fills `to` until it is full or the file ends, so that a mark or a word is seen whole.
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < to.len() {
            match self.bytes.read(&mut to[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.failed(source)),
            }
        }
        match self.left.checked_sub(filled as u64) {
            Some(left) => self.left = left,
            None => {
                let (path, limit) = (self.path.clone(), self.limit);
                return Err(io::Error::other(FileError::TooLong { path, limit }));
            }
        }
        Ok(filled)
    }
}

impl Content {
    fn failed(&self, source: io::Error) -> io::Error {
        let (kind, path) = (source.kind(), self.path.clone());
        let error = match self.is_packed {
            true => FileError::Packed { path, source },
            false => FileError::Unreadable { path, source },
        };
        io::Error::new(kind, error)
    }
}

/// How a file is packed.
#[derive(Clone, Copy, PartialEq)]
enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// By the first bytes, which no text and no record of an image has.
    fn of_content(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Packing::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Packing::Zstd),
            _ => None,
        }
    }

    fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "gz" => Some(Packing::Gzip),
            "zst" => Some(Packing::Zstd),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }
}
