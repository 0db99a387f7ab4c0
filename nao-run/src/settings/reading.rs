//! What is wrong with a configuration, in words of configurations instead of those of the reader's types.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::error::{Result, RunError};

/// A table as the value that it should be.
///
/// # Errors
/// In one line: the key, what stands there and what may.
pub fn read_table<C: DeserializeOwned>(table: Table) -> Result<C> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let (key, message) = (error.path().to_string(), plain(error.inner().message()));
        // An unknown key is in the message; a lone dot is the path of the whole.
        match key.as_str() {
            "." => RunError::Refused(message),
            key => RunError::Refused(format!("{key}: {message}")),
        }
    })
}

/// What is wrong with the text of a file, with its line.
pub fn in_text(error: &toml::de::Error, text: &str) -> String {
    let message = plain(error.message());
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message,
    }
}

/// The names that the reader has for kinds of values, and what people call them.
const KINDS: [(&str, &str); 16] = [
    ("usize", "a whole number of at least 0"),
    ("u64", "a whole number of at least 0"),
    ("u32", "a whole number of at least 0"),
    ("u16", "a whole number of at least 0"),
    ("u8", "a whole number from 0 to 255"),
    ("i64", "a whole number"),
    ("i32", "a whole number"),
    ("f64", "a number"),
    ("f32", "a number"),
    ("a boolean", "true or false"),
    ("a sequence", "a list"),
    ("a map", "a table of settings"),
    ("string or table", "a word"),
    ("unit", "nothing"),
    ("map", "a table"),
    ("sequence", "a list"),
];

/// A message of the reader in one line, without the names of types.
pub fn plain(message: &str) -> String {
    let message = message.replace('\n', " ");
    let message = message.trim();
    if message.contains("out of range integral type conversion") {
        return "the number is too large or too small".into();
    }
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let found = found.strip_prefix("invalid type: ").or_else(|| found.strip_prefix("invalid value: "));
    let Some(found) = found else { return message.to_owned() };
    format!("{} is not {}", found_in_words(found), kind_in_words(expected))
}

fn found_in_words(found: &str) -> String {
    let replaced = [
        ("floating point `", "the number `"),
        ("integer `", "the number `"),
        ("boolean `", "`"),
        ("string ", "the text "),
        ("sequence", "a list"),
        ("map", "a table"),
    ];
    let start = replaced.into_iter().find_map(|(reader, people)| {
        let rest = found.strip_prefix(reader)?;
        Some(format!("{people}{rest}"))
    });
    start.unwrap_or_else(|| found.to_owned())
}

fn kind_in_words(expected: &str) -> String {
    if expected.starts_with("struct ") || expected.starts_with("internally tagged enum ") {
        return "a table of settings".into();
    }
    if let Some(name) = expected.strip_prefix("enum ") {
        return format!("one of the words for {}", name.to_lowercase());
    }
    let kind = KINDS.iter().find(|(reader, _)| *reader == expected);
    kind.map_or_else(|| expected.to_owned(), |(_, people)| (*people).to_owned())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read for its errors")]
    struct Settings {
        epochs: u32,
        rate: f64,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read for its errors")]
    struct Inner {
        flip: bool,
        widths: Vec<usize>,
    }

    fn refused(text: &str) -> String {
        read_table::<Settings>(text.parse().unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn errors_name_the_key_and_speak_of_no_types() {
        let cases = [
            ("epochs = 'x'\nrate = 1.0", "epochs: the text \"x\" is not a whole number of at least 0"),
            ("epochs = 1.5\nrate = 1.0", "epochs: the number `1.5` is not a whole number of at least 0"),
            ("epochs = -1\nrate = 1.0", "epochs: the number `-1` is not a whole number of at least 0"),
            ("epochs = 99999999999\nrate = 1.0", "epochs: "),
            ("epochs = 1\nrate = true", "rate: `true` is not a number"),
            ("epochs = 1\nrate = 1.0\ninner = 3", "inner: the number `3` is not a table of settings"),
            (
                "epochs = 1\nrate = 1.0\n[inner]\nflip = 1\nwidths = []",
                "inner.flip: the number `1` is not true or false",
            ),
            (
                "epochs = 1\nrate = 1.0\n[inner]\nflip = true\nwidths = 2",
                "inner.widths: the number `2` is not a list",
            ),
        ];
        for (text, expected) in cases {
            let error = refused(text);
            assert!(error.starts_with(expected), "{text}: {error}");
            for word in ["usize", "u32", "f64", "struct", "invalid", "integral", "byte"] {
                assert!(!error.contains(word), "{text}: {error}");
            }
        }
        assert!(refused("epochs = 1\nrate = 1.0\ncolour = 2").contains("unknown field `colour`"));
        assert!(refused("rate = 1.0").contains("missing field `epochs`"));
    }

    #[test]
    fn errors_of_a_text_name_its_line() {
        let text = "epochs = 1\nrate = = 2\n";
        let error = text.parse::<Table>().unwrap_err();
        assert!(in_text(&error, text).starts_with("line 2: "), "{}", in_text(&error, text));
    }
}
