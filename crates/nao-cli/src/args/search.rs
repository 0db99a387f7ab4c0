//! The arguments of `nao search`, and of the commands that look at its runs.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::SpaceKind;

/// What a run is, apart from where it goes: the same for `search` and for a check on `resume`.
#[derive(Debug, Default, Clone, ClapArgs)]
pub struct RunOptions {
    /// Settings in TOML; flags win over the file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Kind of cells: cnn on images, rnn on text [default: that of the data]
    #[arg(long, value_enum, value_name = "SPACE")]
    pub space: Option<SpaceKind>,

    /// Images: `digits` (built in) or `cifar10:DIR` (official binary files, plain or .zst); text: `text:DIR` (train, valid
    /// and test file, plain or .gz) [default: digits]
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,

    /// How children are trained [default: the search recipe of the data]
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,

    /// Who proposes: nao, random, evolution, evolution:non-aging, hier-ea, local, linear, pnas, reinforce, ppo,
    /// reinforce:short, ppo:short; or, with weights shared by all image cells, nao-ws, nao-v2, random-ws or enas;
    /// or, by gradient in a relaxed network, darts and darts:second [default: nao]
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,

    /// Kind of the `nao` strategy: structure, or the authors' controllers v1, v2, paper, rnn-ws [default: structure]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,

    /// Operation set of image cells [default: paper-11]
    #[arg(long, value_name = "SET")]
    pub ops: Option<String>,

    /// Nodes per image cell, 1 to 12 [default: 5], or per recurrent cell, 1 to 64 [default: 11]
    #[arg(long, value_name = "B")]
    pub nodes: Option<usize>,

    /// Order of the activations of recurrent cells: nao or nao-ws [default: nao]
    #[arg(long)]
    pub order: Option<String>,

    /// Seed of everything random [default: 1]
    #[arg(long)]
    pub seed: Option<u64>,

    /// Trials in all
    #[arg(long, value_name = "TRIALS")]
    pub budget: Option<u64>,

    /// Random trials of the first round
    #[arg(long, value_name = "TRIALS")]
    pub initial: Option<u64>,

    /// Trials of each later round
    #[arg(long, value_name = "TRIALS")]
    pub per_round: Option<u64>,

    /// Epochs per child, instead of the recipe's
    #[arg(long)]
    pub epochs: Option<u32>,

    /// Any other setting, as in the configuration file: `--set recipe.structure.width=8`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

/// How a run is carried out: may differ from one start to the next without changing the result.
#[derive(Debug, Default, Clone, ClapArgs)]
pub struct ExecutionOptions {
    /// Children trained at the same time; the cores are shared out between them [default: number of cores]
    #[arg(long, value_name = "W")]
    pub workers: Option<usize>,

    /// `cpu` or `cuda:N` [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// Seconds after which a child is stopped and counts as failed
    #[arg(long, value_name = "SECONDS")]
    pub time_limit: Option<f64>,
}

#[derive(Debug, ClapArgs)]
pub struct SearchArgs {
    #[command(flatten)]
    pub run: RunOptions,
    #[command(flatten)]
    pub execution: ExecutionOptions,

    /// The run folder, which must not exist [default: runs/DATA-NNN]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Print the resolved configuration and stop
    #[arg(long)]
    pub dry_run: bool,

    /// Print the best architectures as JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct ResumeArgs {
    /// The run folder
    pub folder: PathBuf,
    #[command(flatten)]
    pub run: RunOptions,
    #[command(flatten)]
    pub execution: ExecutionOptions,

    /// Print the best architectures as JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct BestArgs {
    /// The run folder
    pub folder: PathBuf,

    /// How many to show
    #[arg(long, default_value_t = 5, value_name = "K")]
    pub top: usize,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct WorkerArgs {
    /// The run folder
    #[arg(long)]
    pub run: PathBuf,
    /// Threads of this worker
    #[arg(long)]
    pub threads: usize,
    /// `cpu` or `cuda:N`
    #[arg(long)]
    pub device: String,
}
