//! Any space of named choices, read from a file.

mod arch;
mod definition;
mod tree;

use num_bigint::BigUint;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use self::definition::Definition;
use self::tree::{Branch, Forest, Picks};
use crate::excerpt::listed;
use crate::language::{Describe, Graphs, Levels, Space, Token, TokenMask, Vocabulary};
use crate::text::{ParseError, shown};

pub use arch::ChoiceArch;
pub use definition::{Condition, InvalidChoiceSpace, Position};

/// A space of named positions, each with named choices, and conditions under which a position applies.
///
/// ```
/// use nao_space::{ChoiceSpace, Describe, Space};
///
/// let space = ChoiceSpace::from_toml(r#"
///     name = "tiny"
///
///     [[position]]
///     name = "block"
///     choices = ["plain", "residual"]
///
///     [[position]]
///     name = "skip"
///     choices = ["identity", "conv", "pool"]
///     only_if = { position = "block", choice = "residual" }
/// "#)?;
/// assert_eq!(space.size(), 4u32.into());
/// let arch = space.parse("block=residual skip=pool")?;
/// assert_eq!(serde_json::to_string(&arch)?, r#"{"block":"residual","skip":"pool"}"#);
/// assert_eq!(space.encode(&space.parse("block=plain")?).len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Its language has one token per position: one for each choice of each position, and `not applicable` for a
/// position whose condition is not met. No two architectures are taken for one, for the file does not say what
/// choices mean.
///
/// Neighbours differ in the choice at one position. Where that brings other positions into play, or takes some
/// away, each arrangement of these counts as long as there are at most 1,000, and only that of first choices where
/// there are more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceSpace {
    name: String,
    positions: Vec<Position>,
    forest: Forest,
    /// The token of the first choice of every position.
    first_tokens: Vec<usize>,
    vocabulary: Vocabulary,
}

const NOT_APPLICABLE: &str = "not applicable";

impl ChoiceSpace {
    /// The space of these positions, in order.
    ///
    /// # Errors
    /// When names or choices are missing, double or no words, or a condition asks for what is no choice of an
    /// earlier position: names the position.
    pub fn new(name: &str, positions: Vec<Position>) -> Result<Self, InvalidChoiceSpace> {
        let definition = Definition { name: name.to_owned(), positions };
        definition.check()?;
        let Definition { name, positions } = definition;
        let branches = positions.iter().map(|position| Branch {
            choices: position.choices.len(),
            condition: position.only_if.as_ref().and_then(|condition| {
                let parent = positions.iter().position(|other| other.name == condition.position)?;
                let choices = positions[parent].choices.iter();
                Some((parent, choices.map(|choice| condition.choice.contains(choice)).collect()))
            }),
        });
        let forest = Forest::new(branches.collect());
        let choices = positions
            .iter()
            .flat_map(|position| position.choices.iter().map(|choice| format!("{}={choice}", position.name)));
        let vocabulary = Vocabulary::new(choices.chain([NOT_APPLICABLE.to_owned()]));
        let starts = positions.iter().scan(1, |next, position| {
            let first = *next;
            *next += position.choices.len();
            Some(first)
        });
        Ok(ChoiceSpace { first_tokens: starts.collect(), name, forest, vocabulary, positions })
    }

    /// Reads a space from TOML: a `name`, and per position a table `[[position]]` with `name`, `choices` and, if
    /// it does not always apply, `only_if = { position = "…", choice = "…" }` or a list of choices.
    ///
    /// # Errors
    /// On anything but the documented form, with line and column, and as [`ChoiceSpace::new`].
    pub fn from_toml(text: &str) -> Result<Self, InvalidChoiceSpace> {
        let definition: Definition =
            toml::from_str(text).map_err(|error| InvalidChoiceSpace::toml(&error))?;
        ChoiceSpace::new(&definition.name, definition.positions)
    }

    /// The positions in order.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Checks that an architecture, from JSON say, belongs to this space.
    ///
    /// # Errors
    /// Names the position that is missing, unknown or not applicable, or has a choice that it does not have.
    pub fn check(&self, arch: &ChoiceArch) -> Result<(), ParseError> {
        self.picks(arch).map(|_| ())
    }

    fn picks(&self, arch: &ChoiceArch) -> Result<Picks, ParseError> {
        let other = |message: String| Err(ParseError::OtherSpace { message });
        let mut picks: Picks = Vec::with_capacity(self.positions.len());
        for (index, position) in self.positions.iter().enumerate() {
            let name = &position.name;
            match (arch.get(name), self.forest.applies(index, &picks)) {
                (None, false) => picks.push(None),
                (None, true) => return other(format!("position `{name}` is missing")),
                (Some(_), false) => {
                    return other(format!("position `{name}` does not apply under the other choices"));
                }
                (Some(choice), true) => match position.choices.iter().position(|known| known == choice) {
                    Some(pick) => picks.push(Some(pick)),
                    None => {
                        let known = listed(&position.choices);
                        return other(format!(
                            "position `{name}` has no choice {}; it has {known}",
                            shown(choice)
                        ));
                    }
                },
            }
        }
        match arch.iter().find(|(name, _)| self.positions.iter().all(|position| position.name != *name)) {
            Some((name, _)) => other(format!("{} is no position of {}", shown(name), self.name)),
            None => Ok(picks),
        }
    }

    fn picks_of_own(&self, arch: &ChoiceArch) -> Picks {
        self.picks(arch).expect("an architecture of this space")
    }

    fn arch(&self, picks: &Picks) -> ChoiceArch {
        let chosen = self.positions.iter().zip(picks).filter_map(|(position, pick)| {
            pick.map(|choice| (position.name.clone(), position.choices[choice].clone()))
        });
        chosen.collect()
    }

    fn not_applicable(&self) -> Token {
        Token((self.vocabulary.len() - 1) as u16)
    }

    /// What tokens choose, as long as they are a prefix of a sequence.
    fn read(&self, tokens: &[Token]) -> Option<Picks> {
        let mut picks = Vec::with_capacity(self.positions.len());
        for (index, &token) in tokens.iter().enumerate() {
            let position = self.positions.get(index)?;
            picks.push(if self.forest.applies(index, &picks) {
                let choice = token.index().checked_sub(self.first_tokens[index])?;
                Some(choice).filter(|&choice| choice < position.choices.len()).map(Some)?
            } else {
                (token == self.not_applicable()).then_some(None)?
            });
        }
        Some(picks)
    }
}

impl Space for ChoiceSpace {
    type Arch = ChoiceArch;

    fn name(&self) -> String {
        format!("choice/{}", self.name)
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn sequence_len(&self) -> usize {
        self.positions.len()
    }

    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        let mut mask = TokenMask::none(self.vocabulary.len());
        let (Some(picks), Some(position)) = (self.read(prefix), self.positions.get(prefix.len())) else {
            return mask;
        };
        if self.forest.applies(prefix.len(), &picks) {
            let first = self.first_tokens[prefix.len()];
            return TokenMask::range(self.vocabulary.len(), first..first + position.choices.len());
        }
        mask.insert(self.not_applicable());
        mask
    }

    fn encode(&self, arch: &ChoiceArch) -> Vec<Token> {
        let picks = self.picks_of_own(arch);
        let tokens = picks.iter().zip(&self.first_tokens).map(|(pick, first)| match pick {
            Some(choice) => Token((first + choice) as u16),
            None => self.not_applicable(),
        });
        tokens.collect()
    }

    fn build(&self, tokens: &[Token]) -> ChoiceArch {
        self.arch(&self.read(tokens).expect("every token was checked"))
    }

    fn canonical(&self, arch: &ChoiceArch) -> ChoiceArch {
        arch.clone()
    }

    fn neighbours(&self, arch: &ChoiceArch) -> Vec<ChoiceArch> {
        let neighbours = self.forest.neighbours(&self.picks_of_own(arch));
        neighbours.iter().map(|picks| self.arch(picks)).collect()
    }

    /// As by default, but only the neighbour that is taken becomes words: large spaces have tens of thousands.
    fn mutate(&self, arch: &ChoiceArch, rng: &mut ChaCha8Rng) -> ChoiceArch {
        let mut neighbours = self.forest.neighbours(&self.picks_of_own(arch));
        if neighbours.is_empty() {
            return arch.clone();
        }
        self.arch(&neighbours.swap_remove(rng.random_range(0..neighbours.len())))
    }

    fn format(&self, arch: &ChoiceArch) -> String {
        let words = self.positions.iter().filter_map(|position| {
            arch.get(&position.name).map(|choice| format!("{}={choice}", position.name))
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn parse(&self, text: &str) -> Result<ChoiceArch, ParseError> {
        let mut words = text.split_whitespace().enumerate();
        let mut picks: Picks = Vec::with_capacity(self.positions.len());
        let unexpected = |found: Option<(usize, &str)>, expected: String| ParseError::Unexpected {
            place: found.map_or("after the last word".into(), |(index, _)| format!("word {}", index + 1)),
            found: found.map_or("the end of the text".into(), |(_, word)| shown(word)),
            expected,
        };
        for (index, position) in self.positions.iter().enumerate() {
            if !self.forest.applies(index, &picks) {
                picks.push(None);
                continue;
            }
            let next = words.next();
            let chosen =
                next.and_then(|(_, word)| word.strip_prefix(position.name.as_str())?.strip_prefix('='));
            let pick = position.choices.iter().position(|choice| Some(choice.as_str()) == chosen);
            let expected = || format!("`{}=` and one of {}", position.name, listed(&position.choices));
            picks.push(Some(pick.ok_or_else(|| unexpected(next, expected()))?));
        }
        match words.next() {
            Some(more) => Err(unexpected(Some(more), "the end of the text".into())),
            None => Ok(self.arch(&picks)),
        }
    }
}

impl Graphs for ChoiceSpace {}

impl Levels for ChoiceSpace {}

impl Describe for ChoiceSpace {
    fn size(&self) -> BigUint {
        self.forest.size()
    }

    fn position(&self, position: usize) -> String {
        self.positions.get(position).map_or_else(|| format!("token {position}"), |known| known.name.clone())
    }
}

#[cfg(test)]
mod tests;
