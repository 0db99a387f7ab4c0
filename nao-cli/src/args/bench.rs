//! The arguments of `nao bench`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// What candidates a search of a table scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchMode {
    /// Those that it makes itself, as in a search without a table
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

/// By what a search goes, and what is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchProtocol {
    /// Test accuracy for both; a search ends at the optimum
    NoiseFree,
    /// Validation accuracy to go by, test accuracy reported
    Validation,
}

#[derive(Debug, ClapArgs)]
pub struct BenchArgs {
    /// What searches, separated by commas: <rivals>. random is always there; nao:cheap looks at 12-epoch labels, each
    /// charged as 12 / 200 of a query
    #[arg(long, default_value = "nao,linear,local,evolution,random", value_name = "NAMES")]
    pub strategies: String,

    /// Also nao and all five searches that lack a part of it
    #[arg(long)]
    pub ablations: bool,

    /// nasbench201 (built in), or nasbench101:FILE (CSV, needs --mode enumerate)
    #[arg(long, default_value = "nasbench201", value_name = "TABLE")]
    pub table: String,

    /// Data sets of the labels of nasbench201, separated by commas: cifar10, cifar100, imagenet16-120 [default: cifar10]
    #[arg(long, value_name = "DATASETS")]
    pub metric: Option<String>,

    /// Use the rows of a nasbench101 file that have this word in their column `source_slice` only
    #[arg(long, value_name = "WORD")]
    pub slice: Option<String>,

    #[arg(long, value_enum, default_value_t = BenchProtocol::NoiseFree)]
    pub protocol: BenchProtocol,

    #[arg(long, value_enum, default_value_t = BenchMode::Generate)]
    pub mode: BenchMode,

    /// Looks per search
    #[arg(long, default_value_t = 200, value_name = "LOOKS", value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    pub budget: u64,

    /// Random looks of the first round
    #[arg(long, default_value_t = 10, value_name = "LOOKS", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub initial: u64,

    /// Looks of each later round; evolutions and local search take one at a time
    #[arg(long, default_value_t = 5, value_name = "LOOKS", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub per_round: u64,

    /// Searches of each strategy, with seeds 1, 2, ...
    #[arg(long, default_value_t = 10, value_name = "K", value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    pub seeds: u64,

    /// Epochs per round of the authors' controllers [default: 200]
    #[arg(long, value_name = "EPOCHS")]
    pub controller_epochs: Option<usize>,

    /// Candidates at whose 12-epoch label nao:cheap looks in each round behind the first [default: 20]
    #[arg(long, value_name = "LOOKS", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub cheap_looks: Option<u64>,

    /// Results of an earlier `nao bench --json` to be put beside these; those of another table are refused
    #[arg(long, value_name = "FILE")]
    pub with: Vec<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
