//! The arguments of `nao train`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::CellOptions;

#[derive(Debug, ClapArgs)]
pub struct TrainArgs {
    /// `@NAME` from the zoo, a string of its space in quotes, a genotype, or a file with one of them or with JSON
    #[arg(long, required_unless_present_any = ["from", "dry_run"], conflicts_with = "from")]
    pub arch: Option<String>,

    /// Run folder that the architecture and its data are taken from
    #[arg(long, value_name = "RUN")]
    pub from: Option<PathBuf>,

    /// Rank of the architecture in the run; 1 is the best [default: 1]
    #[arg(long)]
    pub rank: Option<usize>,
    #[command(flatten)]
    pub space: CellOptions,

    /// Images: `digits` or `cifar10:DIR`; text: `text:DIR` [default: the data of the run, otherwise digits]
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,

    /// Start from shared weights: the run folder of a search with shared weights, or their file. Tensors that are not
    /// found there are listed and initialised at random
    #[arg(long, value_name = "SUPERNET_OR_RUN")]
    pub init_from: Option<PathBuf>,

    /// Training recipe: for images <recipes>; for text <recipes for text> [default: the final recipe of the data]
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,

    /// Number of epochs [default: that of the recipe]
    #[arg(long)]
    pub epochs: Option<u32>,

    /// Any other recipe setting: `--set structure.width=16`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,

    /// Seed of everything random [default: 1]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,

    /// `cpu` or `cuda:N` [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// The folder for weights, curve and result, which must not exist [default: runs/train-DATA-NNN]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Print the resolved settings and stop; without --arch and --from, the settings of the recipe. Nothing is written, and
    /// --out and --json have no effect
    #[arg(long)]
    pub dry_run: bool,

    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
