//! The arguments of `nao search`, and of the commands that look at its runs.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use nao_run::execution::Engine;

use super::SpaceKind;

/// What a run is, apart from where it goes: the same for `search` and for a check on `resume`.
#[derive(Debug, Default, Clone, ClapArgs)]
pub struct RunOptions {
    /// Settings in TOML; flags win over the file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Kind of cells: cnn on images, rnn on text [default: that of the data]
    #[arg(long, value_parser = SpaceKind::read, value_name = "SPACE")]
    pub space: Option<SpaceKind>,

    /// Images: `digits` (built in) or `cifar10:DIR` (official binary files, plain, .gz or .zst); text: `text:DIR`
    /// (train, valid and test file, plain, .gz or .zst) [default: digits]
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,

    /// How children are trained: images <recipes>; text <recipes for text> [default: the search recipe of the data]
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,

    /// What proposes: <strategies> [default: nao]
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,

    /// Kind of the `nao` strategy: structure, or the authors' controllers v1, v2, paper, rnn-ws [default: structure]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,

    /// Operation set of image cells: <operation sets> [default: paper-11]
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

    /// Number of trials in all
    #[arg(long, value_name = "TRIALS")]
    pub budget: Option<u64>,

    /// Number of random trials in the first round
    #[arg(long, value_name = "TRIALS")]
    pub initial: Option<u64>,

    /// Number of trials in each later round
    #[arg(long, value_name = "TRIALS")]
    pub per_round: Option<u64>,

    /// Number of epochs per child [default: that of the recipe]
    #[arg(long)]
    pub epochs: Option<u32>,

    /// Begin with this architecture: @NAME, a string of the space in quotes, a genotype, or a file with one of them or with
    /// JSON; @FILE names a file with one per line. May be repeated; all are trials of the first round
    #[arg(long = "start-with", value_name = "ARCH")]
    pub start_with: Vec<String>,

    /// Any other setting, as in the configuration file: `--set recipe.structure.width=8`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

/// How a run is carried out: it may differ from one start to the next without changing the result.
#[derive(Debug, Default, Clone, ClapArgs)]
pub struct ExecutionOptions {
    /// Where children are trained [default: local]
    #[arg(long, value_parser = engines(), value_name = "ENGINE")]
    pub executor: Option<Engine>,

    /// Children trained at the same time on this machine, which share its cores [default: number of cores]
    #[arg(long, value_name = "W")]
    pub workers: Option<usize>,

    /// `cpu` or `cuda:N`; with several, as in cuda:0,cuda:1, workers are assigned to them in turn [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// Stop a child after this many seconds, and count it as failed
    #[arg(long, value_name = "SECONDS")]
    pub time_limit: Option<f64>,

    /// Stop a child that uses more memory than this, and count it as failed
    #[arg(long, value_name = "MIB")]
    pub memory_limit: Option<f64>,

    /// Stop the search when more than this share of its trials has failed [default: 0.5]
    #[arg(long, value_name = "SHARE")]
    pub max_failed_share: Option<f64>,

    /// Options of sbatch, such as "--partition=gpu --gres=gpu:1 --time=60"
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true)]
    pub slurm_args: Option<String>,

    /// Children that one task of a Slurm array trains side by side, on the CPUs and GPUs of one node [default: 1]
    #[arg(long, value_name = "SLOTS")]
    pub slots_per_node: Option<usize>,

    /// Children that one task of a Slurm array trains in all; useful for short trainings [default: the slots]
    #[arg(long, value_name = "TRIALS")]
    pub trials_per_task: Option<usize>,

    /// Most tasks of Slurm arrays at the same time [default: no limit]
    #[arg(long, value_name = "TASKS")]
    pub parallel: Option<usize>,
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

    /// Print the resolved configuration and stop; nothing is written, and --out and --json have no effect
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

    /// Number of architectures to show
    #[arg(long, default_value_t = 5, value_name = "K")]
    pub top: usize,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct RunFolderArgs {
    /// The run folder
    pub folder: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct CancelArgs {
    /// The run folder
    pub folder: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub struct SimulateArgs {
    /// Trials of the search; several numbers, separated by commas, show how cost per trial depends on them
    #[arg(long, value_name = "TRIALS", value_delimiter = ',', default_value = "1000,10000",
        value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub trials: Vec<u64>,

    /// Trainings that the cluster runs at the same time
    #[arg(long, default_value_t = 1000, value_name = "SLOTS", value_parser = at_least_one)]
    pub slots: usize,

    /// Trials of each round [default: the slots]
    #[arg(long, value_name = "TRIALS", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub per_round: Option<u64>,

    /// Mean duration of a training in seconds
    #[arg(long, default_value_t = 600.0, value_parser = positive)]
    pub seconds: f64,

    /// Trainings that one task of an array runs one after the other
    #[arg(long, default_value_t = 1, value_name = "TRIALS", value_parser = at_least_one)]
    pub trials_per_task: usize,

    /// Share of tasks, 0 to 1, that are lost without a result
    #[arg(long, default_value_t = 0.01, value_name = "SHARE", value_parser = share)]
    pub lost: f64,

    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The engines by name, each with what it does.
fn engines() -> impl TypedValueParser<Value = Engine> {
    let names = Engine::names().map(|(name, about)| PossibleValue::new(name).help(about));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Engine>())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=10_000_000).contains(number));
    number.ok_or_else(|| "expected a whole number from 1 to 10000000".into())
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| *number > 0.0 && *number < 1e9);
    number.ok_or_else(|| "expected a positive number".into())
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| (0.0..1.0).contains(number));
    number.ok_or_else(|| "expected a share from 0 to less than 1".into())
}

#[derive(Debug, ClapArgs)]
pub struct WorkerArgs {
    /// The run folder
    pub run: PathBuf,

    /// Threads of each worker [default: the cores of this machine or task, divided by the slots]
    #[arg(long)]
    pub threads: Option<usize>,

    /// `cpu` or `cuda:N`; further slots use the next devices [default: that of the search]
    #[arg(long)]
    pub device: Option<String>,

    /// Number of workers side by side
    #[arg(long, value_name = "SLOTS", value_parser = clap::value_parser!(u16).range(1..))]
    pub slots: Option<u16>,

    /// Exit after this many seconds without work
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub idle: u64,

    /// Take tasks of this batch only (started by Slurm)
    #[arg(long, hide = true)]
    pub batch: Option<u32>,

    /// Which task of the array this is, instead of SLURM_ARRAY_TASK_ID
    #[arg(long, hide = true, requires = "batch")]
    pub index: Option<u32>,

    /// Which of several workers this is
    #[arg(long, hide = true)]
    pub slot: Option<usize>,

    /// Read trials from standard input (started by `search`)
    #[arg(long, hide = true)]
    pub stdio: bool,
}
