//! A place in a text that is read from left to right.

use super::error::ParseError;
use crate::excerpt::on_one_line;

/// How much of the text an error shows.
const SHOWN: usize = 24;

/// What the parsers of bracketed notations share: where they are, what stands there, and how to say so. A copy
/// remembers a place, for an error about what was read from there on.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    /// The offset of the next byte; always the boundary of a character.
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Cursor { text, at: 0 }
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Reads `symbol` where it stands next.
    pub(crate) fn eat(&mut self, symbol: &str) -> bool {
        let next = self.rest().starts_with(symbol);
        if next {
            self.at += symbol.len();
        }
        next
    }

    /// Reads `symbol`, or says that it is missing; `part` names the part of the architecture.
    pub(crate) fn expect(&mut self, symbol: &str, part: &str) -> Result<(), ParseError> {
        if self.eat(symbol) { Ok(()) } else { Err(self.unexpected(part, format!("`{symbol}`"))) }
    }

    /// Reads characters as long as they belong to a word; empty where none does.
    pub(crate) fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|character| !belongs(character)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// The text must end here.
    pub(crate) fn end(&self) -> Result<(), ParseError> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.unexpected("", "the end of the text".into())) }
    }

    /// The error that something else than `expected` stands here.
    pub(crate) fn unexpected(&self, part: &str, expected: String) -> ParseError {
        let mut place = self.place();
        if !part.is_empty() {
            place = format!("{place} ({part})");
        }
        let found = match self.rest() {
            "" => "the end of the text".to_owned(),
            rest => shown(rest),
        };
        ParseError::Unexpected { place, found, expected }
    }

    /// Line and column, or the character where the text has one line; counted from 1.
    fn place(&self) -> String {
        let before = &self.text[..self.at];
        if !self.text.contains('\n') {
            return format!("character {}", before.chars().count() + 1);
        }
        let line = before.rsplit('\n').next().unwrap_or(before);
        format!("line {}, column {}", before.matches('\n').count() + 1, line.chars().count() + 1)
    }
}

/// The beginning of a text as errors show it, on one line.
pub(crate) fn shown(text: &str) -> String {
    format!("`{}`", on_one_line(text, SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_line_column_and_what_stands_there() {
        let mut cursor = Cursor::new("ab\n  é?");
        assert!(cursor.eat("ab"));
        cursor.skip_space();
        assert_eq!(cursor.word(char::is_alphabetic), "é");
        let error = cursor.expect("!", "the exclamation").unwrap_err().to_string();
        assert_eq!(error, "line 2, column 4 (the exclamation): found `?`, expected `!`");
        assert!(cursor.eat("?"));
        assert_eq!(cursor.end(), Ok(()));
        let error = cursor.expect("!", "").unwrap_err().to_string();
        assert_eq!(error, "line 2, column 5: found the end of the text, expected `!`");
    }
}
