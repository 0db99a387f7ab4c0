//! An operation, a space and an evaluator of your own.
//!
//! The space: chains of linear filters on a signal. [`Filter`] is the operation, a [`Chain`] of them the architecture,
//! [`FilterSpace`] the language, and [`Ringing`] what a search measures. Linear filters commute, so the order of a
//! chain makes no difference: that is the symmetry that `canonical` removes.

use nao_space::draw::Draw;
use nao_space::notation::{JsonForm, ParseError};
use nao_space::rand::seq::SliceRandom;
use nao_space::{
    BigUint, ChaCha8Rng, Describe, Direction, EvaluationError, Evaluator, Fidelity, Graphs, Levels,
    Measurement, Objective, Progress, Space, Token, TokenMask, Trial, Vocabulary, counted,
};
use serde::{Deserialize, Serialize};

/// One operation on a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// The signal itself.
    Pass,
    /// The mean of each value and the one before.
    Smooth,
    /// Each value less half of the one before.
    Sharpen,
    /// The mean of each value and the one two places before.
    Comb,
}

impl Filter {
    /// All of them, in the order of their tokens.
    pub const ALL: [Filter; 4] = [Filter::Pass, Filter::Smooth, Filter::Sharpen, Filter::Comb];

    /// The name in text and in the vocabulary.
    pub fn name(self) -> &'static str {
        match self {
            Filter::Pass => "pass",
            Filter::Smooth => "smooth",
            Filter::Sharpen => "sharpen",
            Filter::Comb => "comb",
        }
    }

    /// The filtered signal, as long as the signal; before its beginning it is zero.
    fn apply(self, signal: &[f64]) -> Vec<f64> {
        let (here, before, delay) = match self {
            Filter::Pass => (1.0, 0.0, 1),
            Filter::Smooth => (0.5, 0.5, 1),
            Filter::Sharpen => (1.0, -0.5, 1),
            Filter::Comb => (0.5, 0.5, 2),
        };
        let earlier = |at: usize| at.checked_sub(delay).map_or(0.0, |at| signal[at]);
        signal.iter().enumerate().map(|(at, value)| here * value + before * earlier(at)).collect()
    }

    /// Token 0 starts every sequence; the filters follow it.
    fn token(self) -> Token {
        Token(1 + self as u16)
    }

    fn of_token(token: Token) -> Option<Filter> {
        Filter::ALL.into_iter().find(|filter| filter.token() == token)
    }
}

/// An architecture: filters, one after another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chain {
    /// In the order in which the signal passes them.
    pub filters: Vec<Filter>,
}

/// All chains of a fixed length. A sequence has a token per filter.
#[derive(Clone, Debug)]
pub struct FilterSpace {
    length: usize,
    vocabulary: Vocabulary,
}

impl FilterSpace {
    /// The space of chains of `length` filters.
    pub fn new(length: usize) -> Self {
        let vocabulary = Vocabulary::new(Filter::ALL.into_iter().map(|filter| filter.name().to_owned()));
        FilterSpace { length, vocabulary }
    }
}

/// Pictures show the choice of each step.
impl Draw for FilterSpace {}

/// Chains are stored as they are written.
impl JsonForm for FilterSpace {}

impl Space for FilterSpace {
    type Arch = Chain;

    fn name(&self) -> String {
        format!("filters/{}", self.length)
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn sequence_len(&self) -> usize {
        self.length
    }

    /// Any filter may follow any other; nothing follows a whole sequence. A grammar with conditions reads
    /// `prefix` here, and searches and controllers obey it without knowing of it.
    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        let known = prefix.iter().all(|&token| Filter::of_token(token).is_some());
        let len = self.vocabulary.len();
        if known && prefix.len() < self.length { TokenMask::range(len, 1..len) } else { TokenMask::none(len) }
    }

    fn encode(&self, arch: &Chain) -> Vec<Token> {
        arch.filters.iter().map(|filter| filter.token()).collect()
    }

    fn build(&self, tokens: &[Token]) -> Chain {
        let filter = |&token: &Token| Filter::of_token(token).expect("every token was checked");
        Chain { filters: tokens.iter().map(filter).collect() }
    }

    /// Sorted: one spelling for all orders, so that a search tries a chain once.
    fn canonical(&self, arch: &Chain) -> Chain {
        let mut chain = arch.clone();
        chain.filters.sort_unstable();
        chain
    }

    /// Any order, for the law that `canonical` does not see it.
    fn respell(&self, arch: &Chain, rng: &mut ChaCha8Rng) -> Chain {
        let mut chain = arch.clone();
        chain.filters.shuffle(rng);
        chain
    }

    fn neighbours(&self, arch: &Chain) -> Vec<Chain> {
        let mut all = Vec::new();
        for (place, &old) in arch.filters.iter().enumerate() {
            for filter in Filter::ALL.into_iter().filter(|&filter| filter != old) {
                let mut chain = arch.clone();
                chain.filters[place] = filter;
                all.push(chain);
            }
        }
        all
    }

    /// `smooth > comb > pass`.
    fn format(&self, arch: &Chain) -> String {
        arch.filters.iter().map(|filter| filter.name()).collect::<Vec<_>>().join(" > ")
    }

    fn parse(&self, text: &str) -> Result<Chain, ParseError> {
        let words: Vec<&str> = text.split('>').map(str::trim).collect();
        if words.len() != self.length {
            let [found, expected] = [words.len(), self.length].map(|count| counted(count, "filter"));
            return Err(ParseError::unexpected("the chain", found, expected));
        }
        let known = Filter::ALL.map(Filter::name).join(", ");
        let filter = |(place, word): (usize, &str)| {
            let found = Filter::ALL.into_iter().find(|filter| filter.name() == word);
            let place = format!("filter {}", place + 1);
            found.ok_or_else(|| ParseError::unexpected(place, format!("`{word}`"), format!("one of {known}")))
        };
        Ok(Chain { filters: words.into_iter().enumerate().map(filter).collect::<Result<_, _>>()? })
    }
}

impl Graphs for FilterSpace {}

impl Levels for FilterSpace {}

impl Describe for FilterSpace {
    fn size(&self) -> BigUint {
        BigUint::from(Filter::ALL.len()).pow(self.length as u32)
    }
}

/// Scores a chain by how little of a fast alternation it lets through to how well it keeps the level: no training,
/// no seed. A real evaluator would train something here and report every epoch to `progress`.
#[derive(Clone, Debug, Default)]
pub struct Ringing;

impl Evaluator<Chain> for Ringing {
    fn objective(&self) -> Objective {
        Objective {
            name: "ringing".into(),
            direction: Direction::Minimize,
            unit: "ratio".into(),
            split: "synthetic".into(),
        }
    }

    fn evaluate(&self, trial: &Trial<Chain>, _: &mut dyn Progress) -> Result<Measurement, EvaluationError> {
        let through = |signal: Vec<f64>| {
            let filtered = trial.arch.filters.iter().fold(signal, |signal, filter| filter.apply(&signal));
            filtered[32..].iter().map(|value| value.abs()).sum::<f64>() / 32.0
        };
        let fast = through((0..64).map(|at| if at % 2 == 0 { 1.0 } else { -1.0 }).collect());
        let level = through(vec![1.0; 64]);
        Ok(Measurement::new(self.objective(), fast + (level - 1.0).abs())
            .at(Fidelity::new("one pass", 0))
            .with_cost(0, 2 * trial.arch.filters.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nao_space::search::{RandomSearch, RoundLimits, run_search};
    use nao_space::space_laws;

    // All laws of a space, one test each.
    space_laws!(one_filter, FilterSpace::new(1));
    space_laws!(six_filters, FilterSpace::new(6));

    #[test]
    fn a_search_of_the_whole_space_finds_the_smoothest_chain() {
        let space = FilterSpace::new(3);
        let limits = RoundLimits { initial: 10, per_round: 20, budget: 1_000 };
        let mut strategy = RandomSearch::new(space.clone(), 7);
        let history = run_search::<FilterSpace>(&mut strategy, &Ringing, limits, 7).unwrap();
        // 4 filters, 3 of them whatever their order: 20 chains, and then nothing is left.
        assert_eq!(history.trials.len(), 20);
        let (_, best) = history.best().unwrap();
        assert_eq!(best.value, 0.0, "smoothing stops the alternation and keeps the level");
    }
}
