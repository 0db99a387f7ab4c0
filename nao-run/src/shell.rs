//! Commands that are printed for people to type.

use std::path::Path;

/// A path as one word of a shell.
pub fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    // Only a text with a NUL cannot be quoted, and no path has one.
    shlex::try_quote(&text).map_or_else(|_| text.to_string(), |quoted| quoted.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_of_a_shell() {
        for (path, word) in [("runs/run-001", "runs/run-001"), ("my runs/a", "'my runs/a'"), ("a;b", "'a;b'")]
        {
            assert_eq!(quoted(Path::new(path)), word);
            assert_eq!(shlex::split(&quoted(Path::new(path))).unwrap(), [path]);
        }
    }
}
