//! The arguments of `nao fit` and `nao predict`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use nao_space::Direction;

use super::AnySpaceOptions;

/// Whether a larger or a smaller score is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScoreDirection {
    /// As of an accuracy
    Maximize,
    /// As of an error or a perplexity
    Minimize,
}

impl From<ScoreDirection> for Direction {
    fn from(direction: ScoreDirection) -> Self {
        match direction {
            ScoreDirection::Maximize => Direction::Maximize,
            ScoreDirection::Minimize => Direction::Minimize,
        }
    }
}

#[derive(Debug, ClapArgs)]
pub struct FitArgs {
    /// A CSV file of architectures with their scores
    pub pairs: PathBuf,
    #[command(flatten)]
    pub space: AnySpaceOptions,

    /// The column of the architectures; several, separated by commas, are joined by spaces
    #[arg(long, default_value = "architecture", value_name = "COLUMNS", value_delimiter = ',')]
    pub architecture: Vec<String>,

    /// The column of the scores; lines where it is empty are left out
    #[arg(long, default_value = "score", value_name = "COLUMN")]
    pub score: String,

    /// Which scores are better
    #[arg(long, value_enum)]
    pub direction: ScoreDirection,

    /// The unit of the scores, such as percent or perplexity
    #[arg(long, value_name = "UNIT")]
    pub unit: String,

    /// A further column: a cheap label of every architecture, such as its score after a few epochs. What it is worth is
    /// estimated; predictions then need it too
    #[arg(long, value_name = "COLUMN")]
    pub cheap: Option<String>,

    /// Which cheap labels are better [default: as of the scores]
    #[arg(long, value_enum, requires = "cheap")]
    pub cheap_direction: Option<ScoreDirection>,

    /// Numbers of labels at which the predictor is assessed on the others [default: a half and nine tenths of all]
    #[arg(long, value_delimiter = ',', value_name = "N,N,...")]
    pub labels: Vec<usize>,

    /// Random splits per number of labels
    #[arg(long, default_value_t = 5, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub splits: u64,

    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Keep the predictor, fitted to all pairs, for `nao predict`. Of more than 2,000 it learns by way of 1,500, drawn at
    /// random, so that time and memory keep within bounds
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct PredictArgs {
    /// A predictor that `nao fit --output` kept. It learned ranks: no prediction lies outside of the scores learned from
    pub predictor: PathBuf,

    /// Architectures: a CSV file with their column (and that of the cheap label, if the predictor rests on one), or one
    /// per line
    pub architectures: PathBuf,

    // Of a predictor that a program of the user's own saved, which does not say how its space is named here.
    #[command(flatten)]
    pub space: AnySpaceOptions,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
