//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

/// Neural Architecture Optimization: finds network cells by moving them through a learned continuous space.
#[derive(Debug, Parser)]
#[command(name = "nao", version, about, propagate_version = true)]
#[command(
    after_help = "Start here:  nao search        a real search on handwritten digits, in a few minutes\n             \
                        nao draw @NAONet-A -o cell.svg"
)]
pub struct Args {
    /// Log more to standard error; repeat for more still (NAO_LOG=nao_child=debug gives full control)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Search for an architecture
    Search(SearchArgs),
    /// Go on with a search that was stopped or killed
    Resume(ResumeArgs),
    /// Show the best architectures of a run
    Best(BestArgs),
    /// Draw an architecture as SVG or DOT
    Draw(DrawArgs),
    /// Train one architecture to the end and keep its weights
    Train(TrainArgs),
    /// Take weights or a network's description home, to PyTorch or elsewhere
    Export(ExportArgs),
    /// Take in weights of the authors' PyTorch code, and measure them
    Import(ImportArgs),
    /// Show the published architectures
    Zoo(ZooArgs),
    /// Search a table of trained cells, NAS-Bench-201, where a look costs nothing but is charged
    Bench(BenchArgs),
    /// Learn a predictor from architectures and scores of your own, and see how well it ranks
    Fit(FitArgs),
    /// Predict the scores of architectures
    Predict(PredictArgs),
    /// Check a table of trained architectures in a CSV file, plain, .gz or .zst
    TableCheck(TableCheckArgs),
    /// Show the published results beside the parameters and operations that we count
    Table(TableArgs),
    /// Look into a search space: describe, sample, encode, decode, check
    #[command(subcommand)]
    Space(SpaceCommand),
    /// Evaluate trials read from standard input (started by `search`)
    #[command(hide = true)]
    Worker(WorkerArgs),
}

/// What a run is, apart from where it goes: the same for `search` and for a check on `resume`.
#[derive(Debug, Default, Clone, ClapArgs)]
pub struct RunOptions {
    /// Settings in TOML; flags win over the file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Images: `digits` (built in) or `cifar10:DIR` (official binary files, plain or .zst) [default: digits]
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,

    /// How children are trained [default: the search recipe of the data]
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,

    /// Who proposes: nao, random, evolution, local or linear [default: nao]
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,

    /// Kind of the `nao` strategy: structure, or the authors' controllers v1, v2, paper, rnn-ws [default: structure]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,

    /// Operation set of the space [default: paper-11]
    #[arg(long, value_name = "SET")]
    pub ops: Option<String>,

    /// Nodes per cell, 1 to 12 [default: 5]
    #[arg(long, value_name = "B")]
    pub nodes: Option<usize>,

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

/// An architecture named on the command line.
#[derive(Debug, Clone, ClapArgs)]
pub struct SpaceOptions {
    /// Operation set in whose ids the string is written [default: paper-11]
    #[arg(long, value_name = "SET")]
    pub ops: Option<String>,

    /// Nodes per cell, 1 to 12 [default: 5]
    #[arg(long, value_name = "B")]
    pub nodes: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DrawFormat {
    /// A picture for browsers and documents
    Svg,
    /// Graphviz source
    Dot,
    /// The documented JSON graph
    Json,
}

#[derive(Debug, ClapArgs)]
pub struct DrawArgs {
    /// `@NAME` from the zoo, a NAO string in quotes, a JSON file, or a run folder (with --rank)
    pub arch: String,
    #[command(flatten)]
    pub space: SpaceOptions,

    /// Which architecture of a run folder, counted from the best
    #[arg(long, default_value_t = 1)]
    pub rank: usize,

    #[arg(long, value_enum, default_value_t = DrawFormat::Svg)]
    pub format: DrawFormat,

    /// Where to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct TrainArgs {
    /// `@NAME` from the zoo, a NAO string in quotes, or a JSON file
    #[arg(long, required_unless_present = "from", conflicts_with = "from")]
    pub arch: Option<String>,

    /// Take the architecture, and its data, from a run folder
    #[arg(long, value_name = "RUN")]
    pub from: Option<PathBuf>,

    /// Which architecture of the run, counted from the best
    #[arg(long, default_value_t = 1)]
    pub rank: usize,
    #[command(flatten)]
    pub space: SpaceOptions,

    /// Images: `digits` or `cifar10:DIR` [default: those of the run, or digits]
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,

    /// How to train [default: the final recipe of the data]
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,

    /// Epochs, instead of the recipe's
    #[arg(long)]
    pub epochs: Option<u32>,

    /// Any other recipe setting: `--set structure.width=16`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,

    /// Seed of everything random
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: u64,

    /// `cpu` or `cuda:N` [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// The folder for weights, curve and result, which must not exist [default: runs/train-DATA-NNN]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Print the resolved recipe and stop
    #[arg(long)]
    pub dry_run: bool,

    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Tensors under the authors' parameter names
    Safetensors,
    /// The network layer by layer, with the names and shapes of its tensors
    Json,
}

/// Whose parameter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ParameterNames {
    /// The repository folder NAO_V1
    V1,
    /// NAO_V2, which names strided identities differently
    V2,
}

#[derive(Debug, ClapArgs)]
pub struct ExportArgs {
    /// A folder of `nao train`, a weights or checkpoint file in one, or a run folder. Of a run folder, `safetensors`
    /// gives the weights of its last controller and `json` the network of the architecture of --rank
    pub from: PathBuf,

    #[arg(long, value_enum)]
    pub format: ExportFormat,

    /// Which architecture of a run folder, counted from the best
    #[arg(long, default_value_t = 1)]
    pub rank: usize,

    /// Whose parameter names
    #[arg(long, value_enum, default_value_t = ParameterNames::V1)]
    pub names: ParameterNames,

    /// Where to write [default: standard output, for json]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct ImportArgs {
    /// A safetensors file with the state dict of a network
    pub weights: PathBuf,

    /// `@NAME` from the zoo, a NAO string in quotes, or a JSON file
    #[arg(long)]
    pub arch: String,
    #[command(flatten)]
    pub space: SpaceOptions,

    /// Images to measure the network on: `digits` or `cifar10:DIR` [default: digits]
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,

    /// The recipe whose structure the network has and whose normalisation it wants [default: the final recipe of the
    /// data]
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,

    /// Any recipe setting: `--set structure.width=36 --set structure.auxiliary=true`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,

    /// Whose parameter names the file has
    #[arg(long, value_enum, default_value_t = ParameterNames::V1)]
    pub names: ParameterNames,

    /// `cpu` or `cuda:N` [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// The folder for weights and result, which must not exist [default: runs/import-DATA-NNN]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct ZooArgs {
    /// Show this one only
    pub name: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

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
    /// Who searches, separated by commas: nao, random, evolution, local, linear, and the authors' controllers nao:v1,
    /// nao:v2, nao:paper
    #[arg(long, default_value = "nao,linear,local,evolution,random", value_name = "NAMES")]
    pub strategies: String,

    /// nasbench201 (built in), or nasbench101:FILE (CSV, needs --mode enumerate)
    #[arg(long, default_value = "nasbench201", value_name = "TABLE")]
    pub table: String,

    /// Data sets of the labels of nasbench201, separated by commas: cifar10, cifar100, imagenet16-120
    #[arg(long, default_value = "cifar10", value_name = "DATASETS")]
    pub metric: String,

    /// Use the rows of a nasbench101 file that have this word in their column `source_slice` only
    #[arg(long, value_name = "WORD")]
    pub slice: Option<String>,

    #[arg(long, value_enum, default_value_t = BenchProtocol::NoiseFree)]
    pub protocol: BenchProtocol,

    #[arg(long, value_enum, default_value_t = BenchMode::Generate)]
    pub mode: BenchMode,

    /// Looks per search
    #[arg(long, default_value_t = 200, value_name = "LOOKS")]
    pub budget: u64,

    /// Random looks of the first round
    #[arg(long, default_value_t = 10, value_name = "LOOKS", value_parser = clap::value_parser!(u64).range(1..))]
    pub initial: u64,

    /// Looks of each later round; evolution and local search take one at a time
    #[arg(long, default_value_t = 5, value_name = "LOOKS", value_parser = clap::value_parser!(u64).range(1..))]
    pub per_round: u64,

    /// Searches of each strategy, with seeds 1, 2, ...
    #[arg(long, default_value_t = 10, value_name = "K")]
    pub seeds: u64,

    /// Epochs per round of the authors' controllers
    #[arg(long, default_value_t = 200, value_name = "EPOCHS")]
    pub controller_epochs: usize,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

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

/// The spaces whose architectures a table may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableSpace {
    /// Image cells as NAO strings (--ops, --nodes)
    Cnn,
    /// Recurrent cells
    Rnn,
    /// DARTS genotypes
    Darts,
    /// NAS-Bench-101 matrices with operations
    Nasbench101,
    /// NAS-Bench-201 strings
    Nasbench201,
}

#[derive(Debug, ClapArgs)]
pub struct TableCheckArgs {
    /// The CSV file, perhaps packed as .gz or .zst
    pub file: PathBuf,

    /// The space of its architectures
    #[arg(long, value_enum)]
    pub space: TableSpace,
    #[command(flatten)]
    pub options: SpaceOptions,

    /// A TOML file that says what the columns mean: name, architecture (columns), objective, direction, unit, and
    /// [[labels]] with column, label, divisor, seconds, params, macs [default: that of the two benchmarks' tables]
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct TableArgs {
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,

    /// Print a table in Markdown
    #[arg(long)]
    pub markdown: bool,
}

/// A space of any kind.
#[derive(Debug, Clone, ClapArgs, Serialize, Deserialize)]
pub struct AnySpaceOptions {
    /// cnn, rnn, darts, nasbench101, nasbench201, or choice:FILE, a space of your own in TOML [default: cnn]
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,

    /// Operation set of image cells [default: paper-11]
    #[arg(long, value_name = "SET")]
    pub ops: Option<String>,

    /// Nodes per image cell, 1 to 12 [default: 5], or per recurrent cell, 1 to 64 [default: 11]
    #[arg(long, value_name = "B")]
    pub nodes: Option<usize>,

    /// How image cells are written in tokens: pairs, kind-size or op-pair [default: pairs]
    #[arg(long)]
    pub encoding: Option<String>,

    /// Order of the activations of recurrent cells: nao or nao-ws [default: nao]
    #[arg(long)]
    pub order: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum SpaceCommand {
    /// What the space holds: operations, tokens, grammar, size
    Describe {
        #[command(flatten)]
        space: AnySpaceOptions,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw random architectures
    Sample {
        #[command(flatten)]
        space: AnySpaceOptions,
        /// How many
        #[arg(short = 'n', long, default_value_t = 1)]
        count: u64,
        /// Seed of the draw
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The tokens of an architecture
    Encode {
        /// `@NAME`, a string of the space in quotes, or a JSON file
        arch: String,
        #[command(flatten)]
        space: AnySpaceOptions,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Tokens in words, and where they go wrong
    Explain {
        /// Token numbers, separated by spaces or commas
        tokens: String,
        #[command(flatten)]
        space: AnySpaceOptions,
    },
    /// The architecture of tokens
    Decode {
        /// Token numbers, separated by spaces or commas
        tokens: String,
        #[command(flatten)]
        space: AnySpaceOptions,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Whether a text is an architecture of the space, and its canonical spelling
    Check {
        /// `@NAME`, a string of the space in quotes, or a JSON file
        arch: String,
        #[command(flatten)]
        space: AnySpaceOptions,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
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
