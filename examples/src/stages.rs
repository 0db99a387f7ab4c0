//! A search space of your own without symmetries: an architecture is its own canonical form.
//!
//! The space: a network of a few stages, each with a depth and a width.

use nao_space::notation::ParseError;
use nao_space::{BigUint, Describe, Graphs, Levels, Space, Token, TokenMask, Vocabulary, counted};
use serde::{Deserialize, Serialize};

/// Layers and channels of one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stage {
    /// Number of layers.
    pub depth: u32,
    /// Number of channels.
    pub width: u32,
}

const DEPTHS: [u32; 4] = [1, 2, 4, 6];
const WIDTHS: [u32; 3] = [16, 32, 64];

/// Networks of a fixed number of stages. A sequence is `depth width depth width …`, one token each.
#[derive(Clone, Debug)]
pub struct StageSpace {
    stages: usize,
    vocabulary: Vocabulary,
}

impl StageSpace {
    /// The space of networks with this number of stages.
    pub fn new(stages: usize) -> Self {
        let depths = DEPTHS.iter().map(|depth| format!("depth {depth}"));
        let widths = WIDTHS.iter().map(|width| format!("width {width}"));
        StageSpace { stages, vocabulary: Vocabulary::new(depths.chain(widths)) }
    }

    /// The tokens of depths follow the start symbol, those of widths follow the depths.
    fn token_of(stage: Stage) -> [Token; 2] {
        let depth = DEPTHS.iter().position(|&depth| depth == stage.depth).expect("a depth of the space");
        let width = WIDTHS.iter().position(|&width| width == stage.width).expect("a width of the space");
        [Token(1 + depth as u16), Token((1 + DEPTHS.len() + width) as u16)]
    }
}

impl Space for StageSpace {
    type Arch = Vec<Stage>;

    fn name(&self) -> String {
        format!("stages/{}", self.stages)
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn sequence_len(&self) -> usize {
        2 * self.stages
    }

    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        let len = self.vocabulary.len();
        if prefix.len() >= self.sequence_len() {
            TokenMask::none(len)
        } else if prefix.len().is_multiple_of(2) {
            TokenMask::range(len, 1..1 + DEPTHS.len())
        } else {
            TokenMask::range(len, 1 + DEPTHS.len()..len)
        }
    }

    fn encode(&self, arch: &Vec<Stage>) -> Vec<Token> {
        arch.iter().copied().flat_map(StageSpace::token_of).collect()
    }

    fn build(&self, tokens: &[Token]) -> Vec<Stage> {
        let stage = |pair: &[Token]| Stage {
            depth: DEPTHS[pair[0].index() - 1],
            width: WIDTHS[pair[1].index() - 1 - DEPTHS.len()],
        };
        tokens.chunks(2).map(stage).collect()
    }

    fn canonical(&self, arch: &Vec<Stage>) -> Vec<Stage> {
        arch.clone()
    }

    fn neighbours(&self, arch: &Vec<Stage>) -> Vec<Vec<Stage>> {
        let mut all = Vec::new();
        for (index, &stage) in arch.iter().enumerate() {
            let depths = DEPTHS.iter().map(|&depth| Stage { depth, ..stage });
            let widths = WIDTHS.iter().map(|&width| Stage { width, ..stage });
            for other in depths.chain(widths).filter(|&other| other != stage) {
                let mut neighbour = arch.clone();
                neighbour[index] = other;
                all.push(neighbour);
            }
        }
        all
    }

    /// `2x32 1x16`: depth and width of every stage.
    fn format(&self, arch: &Vec<Stage>) -> String {
        let words: Vec<String> =
            arch.iter().map(|stage| format!("{}x{}", stage.depth, stage.width)).collect();
        words.join(" ")
    }

    fn parse(&self, text: &str) -> Result<Vec<Stage>, ParseError> {
        let stage = |word: &str| {
            let (depth, width) = word.split_once('x')?;
            let (depth, width) = (depth.parse().ok()?, width.parse().ok()?);
            (DEPTHS.contains(&depth) && WIDTHS.contains(&width)).then_some(Stage { depth, width })
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.len() != self.stages {
            let [found, expected] = [words.len(), self.stages].map(|count| counted(count, "stage"));
            return Err(ParseError::unexpected("the network", found, expected));
        }
        let wrong = |place: usize, word: &str| {
            let place = format!("stage {}", place + 1);
            ParseError::unexpected(place, format!("`{word}`"), "depth and width, such as 2x32")
        };
        let read = |(place, word): (usize, &str)| stage(word).ok_or_else(|| wrong(place, word));
        words.into_iter().enumerate().map(read).collect()
    }
}

impl Graphs for StageSpace {}

impl Levels for StageSpace {}

impl Describe for StageSpace {
    fn size(&self) -> BigUint {
        BigUint::from(DEPTHS.len() * WIDTHS.len()).pow(self.stages as u32)
    }
}
