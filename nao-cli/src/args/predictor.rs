//! The arguments of `nao fit` and `nao predict`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use nao_space::Direction;

use super::AnySpaceOptions;

/// Whether a larger or a smaller score is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScoreDirection {
    /// Larger scores are better, as with an accuracy
    Maximize,
    /// Smaller scores are better, as with an error or a perplexity
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
    /// CSV file with architectures and their scores
    pub pairs: PathBuf,
    #[command(flatten)]
    pub space: AnySpaceOptions,

    /// Column of the architectures; several columns, separated by commas, are joined by spaces
    #[arg(long, default_value = "architecture", value_name = "COLUMNS", value_delimiter = ',')]
    pub architecture: Vec<String>,

    /// Column of the scores; lines with an empty score are left out
    #[arg(long, default_value = "score", value_name = "COLUMN")]
    pub score: String,

    /// Whether larger or smaller scores are better
    #[arg(long, value_enum)]
    pub direction: ScoreDirection,

    /// Unit of the scores, such as percent or perplexity
    #[arg(long, value_name = "UNIT")]
    pub unit: String,

    /// Column of a cheap label of every architecture, such as its score after a few epochs. The fit estimates how much
    /// the label tells; predictions then need it too
    #[arg(long, value_name = "COLUMN")]
    pub cheap: Option<String>,

    /// Whether larger or smaller cheap labels are better [default: as for the scores]
    #[arg(long, value_enum, requires = "cheap")]
    pub cheap_direction: Option<ScoreDirection>,

    /// Training-set sizes to assess; the rest is the test set [default: half and nine tenths of all]
    #[arg(long, value_delimiter = ',', value_name = "N,N,...")]
    pub labels: Vec<usize>,

    /// Random splits per training-set size
    #[arg(long, default_value_t = 5, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub splits: u64,

    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// File for the predictor, fitted to all pairs, which `nao predict` reads. With more than 2,000 pairs, the fit is
    /// based on 1,500 of them, drawn at random, to bound time and memory
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct PredictArgs {
    /// Predictor file of `nao fit --output`. It has learned ranks: no prediction lies outside the scores it was fitted to
    pub predictor: PathBuf,

    /// Architectures: a CSV file with a column `architecture` (and the column of the cheap label, if the predictor uses
    /// one), or a text with one per line
    pub architectures: PathBuf,

    // Of a predictor that a program of the user's own saved, which does not say how its space is named here.
    #[command(flatten)]
    pub space: AnySpaceOptions,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
