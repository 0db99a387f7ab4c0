//! The words of a text file, one after another: a text is never in memory as a whole.

use std::io::Read;
use std::path::Path;
use std::str;

use nao_space::file::{FileError, MIB, Unpacked};

use super::error::DataError;

/// The most that is read of a text, unpacked: twice the largest of the published word-level texts.
const LONGEST: u64 = 1024 * MIB;

/// The most bytes of a word.
pub(super) const LONGEST_WORD: usize = 1 << 16;

/// How much is read at a time.
const PIECE: u64 = 1 << 16;

/// What stands in a text, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    /// The end of a line. A last line without one has one all the same.
    LineEnd,
}

/// Hands over the words and line ends of a file, plain or packed, each with its line, counted from 1.
pub(super) fn read_words(
    file: &Path,
    mut take: impl FnMut(Token<'_>, usize) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let failed = |error| DataError::File(FileError::of(file, error));
    let mut reader = Unpacked::open(file, LONGEST)?;
    let mut passed = reader.skip_mark().map_err(failed)? as u64;
    let mut unread = Vec::new();
    let (mut line, mut has_begun) = (1, false);
    loop {
        let count = reader.by_ref().take(PIECE).read_to_end(&mut unread).map_err(failed)?;
        let is_end = count == 0;
        let text = text_of(&unread, is_end)
            .map_err(|at| FileError::NotText { path: file.to_owned(), at: passed + at as u64 })?;
        // A word that goes on in the next piece waits for it.
        let whole = match is_end {
            true => text.len(),
            false => text.rfind(char::is_whitespace).map_or(0, |at| text.ceil_char_boundary(at + 1)),
        };
        for (number, words) in text[..whole].split('\n').enumerate() {
            if number > 0 {
                take(Token::LineEnd, line)?;
                line += 1;
                has_begun = false;
            }
            has_begun |= !words.is_empty();
            for word in words.split_whitespace() {
                check_length(file, line, word.len())?;
                take(Token::Word(word), line)?;
            }
        }
        check_length(file, line, text.len() - whole)?;
        if is_end {
            return if has_begun { take(Token::LineEnd, line) } else { Ok(()) };
        }
        unread.drain(..whole);
        passed += whole as u64;
    }
}

/// The text at the beginning of bytes, without a character that is cut off; the first byte that does not fit where
/// there is one.
fn text_of(bytes: &[u8], is_end: bool) -> Result<&str, usize> {
    str::from_utf8(bytes).or_else(|error| {
        let at = error.valid_up_to();
        let is_cut_off = error.error_len().is_none() && !is_end;
        if is_cut_off { Ok(str::from_utf8(&bytes[..at]).unwrap_or_default()) } else { Err(at) }
    })
}

fn check_length(file: &Path, line: usize, length: usize) -> Result<(), DataError> {
    if length > LONGEST_WORD {
        return Err(DataError::LongWord { file: file.to_owned(), line, limit: LONGEST_WORD });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &[u8]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, content).unwrap();
        let mut tokens = Vec::new();
        let read = read_words(&path, |token, line| {
            tokens.push(match token {
                Token::Word(word) => format!("{line}:{word}"),
                Token::LineEnd => format!("{line}."),
            });
            Ok(())
        });
        read.map(|()| tokens).map_err(|error| error.to_string())
    }

    /// As the standard library sees lines and words.
    fn expected(text: &str) -> Vec<String> {
        let line = |(number, line): (usize, &str)| {
            let words = line.split_whitespace().map(move |word| format!("{}:{word}", number + 1));
            words.chain([format!("{}.", number + 1)]).collect::<Vec<_>>()
        };
        text.lines().enumerate().flat_map(line).collect()
    }

    #[test]
    fn words_and_lines_are_those_of_the_whole_text() {
        for text in ["", "\n", "a", "a\n", "a\r\nb", " a b \n\n c", "a\n ", "\n\n", "ä\u{3000}ö\u{85}ü\n"]
        {
            assert_eq!(read(text.as_bytes()).unwrap(), expected(text), "{text:?}");
        }
        // Words, spaces and characters of several bytes at every place where one piece ends and the next begins.
        for shift in 0..12 {
            let long = "x".repeat(shift) + &"wörter\u{3000}und zeilen\r\n und \u{1f600} ".repeat(9000);
            assert_eq!(read(long.as_bytes()).unwrap(), expected(&long), "shifted by {shift}");
        }
    }

    #[test]
    fn a_byte_that_does_not_fit_is_named_wherever_it_stands() {
        let start = "word ".repeat(40_000);
        for (content, at) in [
            (b"ab\xff".to_vec(), 2),
            ([start.as_bytes(), b"\xff and so on"].concat(), 200_000),
            ([start.as_bytes(), b"\xe2\x82"].concat(), 200_000),
            ([b"\xef\xbb\xbf".as_slice(), b"ab\xff"].concat(), 5),
        ] {
            let error = read(&content).unwrap_err();
            assert!(error.contains(&format!("a.txt: byte {at} is not UTF-8")), "{error}");
        }
    }

    #[test]
    fn a_word_without_end_is_refused_before_it_is_all_read() {
        let longest = "x".repeat(LONGEST_WORD);
        assert_eq!(read(format!("a\n{longest}").as_bytes()).unwrap().len(), 4);
        let error = read(format!("a\n{longest}x").as_bytes()).unwrap_err();
        assert!(error.contains("line 2: a word has more than 65536 bytes"), "{error}");
        assert!(read(&vec![0; 10 << 20]).unwrap_err().contains("line 1: a word has more than"));
    }
}
