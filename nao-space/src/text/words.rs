//! Numbers in a row, the common ground of the authors' strings.

use super::error::ParseError;

/// Words that should be numbers, `first` being the position of the first of them in the whole text.
pub(crate) struct Words<'a> {
    pub words: &'a [&'a str],
    pub first: usize,
}

impl Words<'_> {
    /// What the number at a place means, or `None` where the words end before it.
    ///
    /// # Errors
    /// When the word is no number, or one without meaning there: with the position and what is `allowed`.
    pub fn meaning<T>(
        &self,
        at: usize,
        meaning: impl Fn(u64) -> Option<T>,
        allowed: impl Fn() -> String,
    ) -> Result<Option<T>, ParseError> {
        let Some(word) = self.words.get(at) else { return Ok(None) };
        let position = self.first + at;
        let Ok(found) = word.parse() else {
            let found = word.chars().take(24).collect();
            return Err(ParseError::NotANumber { position, found, allowed: allowed() });
        };
        match meaning(found) {
            Some(meaning) => Ok(Some(meaning)),
            None => Err(ParseError::NotAllowed { position, found, allowed: allowed() }),
        }
    }
}
