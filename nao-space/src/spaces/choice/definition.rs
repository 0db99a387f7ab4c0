//! What a choice space is made of, and what is wrong with one that is none.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize};

use crate::excerpt::{excerpt, listed, shortened};
use crate::text::LONGEST_REMARK;

/// A named decision with its choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Its name, a word without `=`.
    pub name: String,
    /// What may be chosen, words without `=`.
    pub choices: Vec<String>,
    /// When the decision is to be made at all; always where there is no condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<Condition>,
}

/// That an earlier position has one of some choices. It is not met where that position does not apply itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The earlier position.
    pub position: String,
    /// Its choices that meet the condition; in TOML one word or a list of words.
    #[serde(deserialize_with = "one_or_many")]
    pub choice: Vec<String>,
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a choice or a list of choices")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(choice) => vec![choice],
        OneOrMany::Many(choices) => choices,
    })
}

/// A choice space as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    pub(super) name: String,
    #[serde(rename = "position", default)]
    pub(super) positions: Vec<Position>,
}

/// Why there is no such choice space. Each message names the position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidChoiceSpace {
    /// A file that is not of the documented form.
    #[error("not a choice space in TOML: {message}")]
    Toml {
        /// What the TOML reader says, with line and column.
        message: String,
    },
    /// A space without a proper name.
    #[error(
        "`{name}` is no name of a space: a name is a word without white space, of at most {MAX_WORD} bytes"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// No positions at all.
    #[error("the space has no positions; add a [[position]] with a name and choices")]
    NoPositions,
    /// More positions than a space may have.
    #[error("the space has {positions} positions, it may have {MAX_POSITIONS}")]
    TooManyPositions {
        /// The positions given.
        positions: usize,
    },
    /// A name or choice that the text form could not hold.
    #[error(
        "position {index} (`{position}`): `{word}` is no word; names and choices have neither white space nor `=`"
    )]
    NotAWord {
        /// The place of the position, counted from 0.
        index: usize,
        /// Its name.
        position: String,
        /// The name or choice.
        word: String,
    },
    /// A name or choice that no message could show.
    #[error("position {index}: `{word}` is too long; a name or choice has at most {MAX_WORD} bytes")]
    LongWord {
        /// The place of the position, counted from 0.
        index: usize,
        /// The beginning of the name or choice.
        word: String,
    },
    /// Two positions of one name.
    #[error("position {index} (`{position}`): an earlier position has that name")]
    SameName {
        /// The place of the later one, counted from 0.
        index: usize,
        /// The name.
        position: String,
    },
    /// A position at which nothing can be chosen.
    #[error("position `{position}` has no choices")]
    NoChoices {
        /// The position.
        position: String,
    },
    /// A choice that is listed twice.
    #[error("position `{position}` lists the choice `{choice}` twice")]
    SameChoice {
        /// The position.
        position: String,
        /// The choice.
        choice: String,
    },
    /// A condition on what is no earlier position.
    #[error(
        "position `{position}` asks for `{refers_to}`, which is no earlier position; earlier are {earlier}"
    )]
    NotEarlier {
        /// The position with the condition.
        position: String,
        /// What it refers to.
        refers_to: String,
        /// The earlier positions.
        earlier: String,
    },
    /// A condition that nothing meets, for it lists no choices.
    #[error("position `{position}` asks for `{refers_to}` to have none of its choices")]
    NeverMet {
        /// The position with the condition.
        position: String,
        /// The position that it refers to.
        refers_to: String,
    },
    /// A condition on a choice that the other position does not have.
    #[error("position `{position}` asks for `{refers_to}` = `{choice}`; `{refers_to}` has {known}")]
    UnknownChoice {
        /// The position with the condition.
        position: String,
        /// The position that it refers to.
        refers_to: String,
        /// The choice.
        choice: String,
        /// The choices that there are.
        known: String,
    },
    /// More choices than there are tokens.
    #[error("the positions up to `{position}` have {choices} choices, a space may have {most}")]
    TooManyChoices {
        /// The position with which they become too many.
        position: String,
        /// The choices of all positions up to there.
        choices: usize,
        /// How many there may be.
        most: usize,
    },
}

impl InvalidChoiceSpace {
    /// What a TOML reader says, shortened.
    pub(super) fn toml(error: &toml::de::Error) -> Self {
        InvalidChoiceSpace::Toml { message: shortened(&error.to_string(), LONGEST_REMARK) }
    }
}

/// The longest name or choice, in bytes.
const MAX_WORD: usize = 200;

/// The largest number of choices of all positions together: tokens are 16 bits, two have other meanings.
const MAX_CHOICES: usize = u16::MAX as usize - 2;

/// The largest number of positions: what hangs below a position is visited by recursion, so chains of conditions
/// must not get too long.
const MAX_POSITIONS: usize = 1000;

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !text
            .chars()
            .any(|character| character.is_whitespace() || character.is_control() || character == '=')
}

impl Definition {
    /// Checks everything that the space relies on.
    pub(super) fn check(&self) -> Result<(), InvalidChoiceSpace> {
        if !is_word(&self.name) || self.name.len() > MAX_WORD {
            return Err(InvalidChoiceSpace::Name { name: excerpt(&self.name) });
        }
        if self.positions.is_empty() {
            return Err(InvalidChoiceSpace::NoPositions);
        }
        if self.positions.len() > MAX_POSITIONS {
            return Err(InvalidChoiceSpace::TooManyPositions { positions: self.positions.len() });
        }
        let mut choices = 0;
        for (index, position) in self.positions.iter().enumerate() {
            let earlier = &self.positions[..index];
            position.check(index, earlier)?;
            choices += position.choices.len();
            if choices > MAX_CHOICES {
                let position = position.name.clone();
                return Err(InvalidChoiceSpace::TooManyChoices { position, choices, most: MAX_CHOICES });
            }
        }
        Ok(())
    }
}

impl Position {
    fn check(&self, index: usize, earlier: &[Position]) -> Result<(), InvalidChoiceSpace> {
        let words = || std::iter::once(&self.name).chain(&self.choices);
        if let Some(word) = words().find(|word| word.len() > MAX_WORD) {
            return Err(InvalidChoiceSpace::LongWord { index, word: excerpt(word) });
        }
        let position = self.name.clone();
        if let Some(word) = words().find(|word| !is_word(word)) {
            return Err(InvalidChoiceSpace::NotAWord { index, position, word: word.clone() });
        }
        if earlier.iter().any(|other| other.name == self.name) {
            return Err(InvalidChoiceSpace::SameName { index, position });
        }
        if self.choices.is_empty() {
            return Err(InvalidChoiceSpace::NoChoices { position });
        }
        let mut seen = HashSet::new();
        if let Some(choice) = self.choices.iter().find(|&choice| !seen.insert(choice)) {
            return Err(InvalidChoiceSpace::SameChoice { position, choice: choice.clone() });
        }
        match &self.only_if {
            Some(condition) => condition.check(position, earlier),
            None => Ok(()),
        }
    }
}

impl Condition {
    fn check(&self, position: String, earlier: &[Position]) -> Result<(), InvalidChoiceSpace> {
        let refers_to = excerpt(&self.position);
        let Some(other) = earlier.iter().find(|other| other.name == self.position) else {
            let names: Vec<&str> = earlier.iter().map(|other| other.name.as_str()).collect();
            let earlier = if names.is_empty() { "none".to_owned() } else { listed(names) };
            return Err(InvalidChoiceSpace::NotEarlier { position, refers_to, earlier });
        };
        if self.choice.is_empty() {
            return Err(InvalidChoiceSpace::NeverMet { position, refers_to });
        }
        match self.choice.iter().find(|choice| !other.choices.contains(choice)) {
            Some(choice) => Err(InvalidChoiceSpace::UnknownChoice {
                position,
                refers_to,
                choice: excerpt(choice),
                known: listed(&other.choices),
            }),
            None => Ok(()),
        }
    }
}
