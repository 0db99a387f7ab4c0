//! The arguments of `nao bench`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// Which candidates are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchMode {
    /// The candidates that the search generates, as without a table
    Generate,
    /// Every cell of the table (nao and linear)
    Enumerate,
}

impl BenchMode {
    /// As on the command line.
    pub fn word(self) -> &'static str {
        match self {
            BenchMode::Generate => "generate",
            BenchMode::Enumerate => "enumerate",
        }
    }
}

/// Which accuracy is optimised, and which is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchProtocol {
    /// Test accuracy is optimised and reported; a search ends at the optimum
    NoiseFree,
    /// Validation accuracy is optimised, test accuracy is reported
    Validation,
}

#[derive(Debug, ClapArgs)]
pub struct BenchArgs {
    /// What searches, separated by commas: <rivals>. random is always there; nao:cheap looks at 12-epoch labels, each
    /// charged as 12 / 200 of a query
    #[arg(long, default_value = "nao,linear,local,evolution,random", value_name = "NAMES")]
    pub strategies: String,

    /// Add nao and its five variants that lack one part
    #[arg(long)]
    pub ablations: bool,

    /// Benchmark: nasbench201 (built in), or nasbench101:FILE (CSV, needs --mode enumerate)
    #[arg(long, default_value = "nasbench201", value_name = "TABLE")]
    pub table: String,

    /// Data sets of the labels of nasbench201, separated by commas: cifar10, cifar100, imagenet16-120 [default: cifar10]
    #[arg(long, value_name = "DATASETS")]
    pub metric: Option<String>,

    /// Use only the rows of a nasbench101 file that have this word in their column `source_slice`
    #[arg(long, value_name = "WORD")]
    pub slice: Option<String>,

    #[arg(long, value_enum, default_value_t = BenchProtocol::NoiseFree)]
    pub protocol: BenchProtocol,

    #[arg(long, value_enum, default_value_t = BenchMode::Generate)]
    pub mode: BenchMode,

    /// Queries per search
    #[arg(long, default_value_t = 200, value_name = "QUERIES", value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    pub budget: u64,

    /// Random queries in the first round
    #[arg(long, default_value_t = 10, value_name = "QUERIES", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub initial: u64,

    /// Queries in each later round; evolution and local search take one at a time
    #[arg(long, default_value_t = 5, value_name = "QUERIES", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub per_round: u64,

    /// Searches of each strategy, with seeds 1, 2, ...
    #[arg(long, default_value_t = 10, value_name = "K", value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    pub seeds: u64,

    /// Epochs per round of the authors' controllers [default: 200]
    #[arg(long, value_name = "EPOCHS")]
    pub controller_epochs: Option<usize>,

    /// 12-epoch labels that nao:cheap may query per round, after the first round [default: 20]
    #[arg(long, value_name = "QUERIES", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub cheap_looks: Option<u64>,

    /// Show the results of an earlier `nao bench --json` beside the new ones; results of another table are refused
    #[arg(long, value_name = "FILE")]
    pub with: Vec<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
