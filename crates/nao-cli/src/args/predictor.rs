//! The arguments of `nao fit` and `nao predict`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::AnySpaceOptions;

/// Whether a larger or a smaller score is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScoreDirection {
    /// As of an accuracy
    Maximize,
    /// As of an error or a perplexity
    Minimize,
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

    /// Numbers of labels at which the predictor is assessed on the others [default: a half and nine tenths of all]
    #[arg(long, value_delimiter = ',', value_name = "N,N,...")]
    pub labels: Vec<usize>,

    /// Random splits per number of labels
    #[arg(long, default_value_t = 5, value_name = "K")]
    pub splits: usize,

    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Keep the predictor, fitted to all pairs, for `nao predict`
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct PredictArgs {
    /// A predictor that `nao fit --output` kept
    pub predictor: PathBuf,

    /// Architectures: a CSV file with their column, or one per line
    pub architectures: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
