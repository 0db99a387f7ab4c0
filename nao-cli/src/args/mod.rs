//! The command line: one file per command or family of commands.

mod bench;
mod benchmark;
mod count;
mod draw;
mod predictor;
mod search;
mod space;
mod train;
mod weights;
mod zoo;

use clap::{Parser, Subcommand};

pub use bench::{BenchArgs, BenchMode, BenchProtocol};
pub use benchmark::{BenchmarkCheckArgs, BenchmarkCommand};
pub use count::CountArgs;
pub use draw::{DrawArgs, DrawFormat};
pub use predictor::{FitArgs, PredictArgs};
pub use search::{
    BestArgs, CancelArgs, ExecutionOptions, ResumeArgs, RunFolderArgs, RunOptions, SearchArgs, SimulateArgs,
    WorkerArgs,
};
pub use space::{AnySpaceOptions, CellOptions, SpaceCommand, SpaceKind};
pub use train::TrainArgs;
pub use weights::{ExportArgs, ExportFormat, ImportArgs, ParameterNames};
pub use zoo::{PublishedArgs, ZooArgs};

/// Neural Architecture Optimization: finds network cells by moving them through a learned continuous space.
#[derive(Debug, Parser)]
#[command(name = "nao", version, about, propagate_version = true)]
#[command(
    after_help = "Start here:  nao search        a real search on handwritten digits, in a few minutes\n             \
                        nao draw @NAONet-A -o cell.svg"
)]
pub struct Args {
    /// Log more to standard error; repeat it for even more (NAO_LOG=nao_child=debug gives full control)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Search for an architecture
    Search(SearchArgs),
    /// Continue a search or a training that was stopped or killed
    Resume(ResumeArgs),
    /// Show the best architectures of a run
    Best(BestArgs),
    /// Show the progress of a run: what runs where, and what failed and why
    Status(RunFolderArgs),
    /// Stop a run on every machine that works for it
    Cancel(CancelArgs),
    /// Draw an architecture of any space as SVG or DOT
    Draw(DrawArgs),
    /// Count the parameters and operations of image cells in a network
    Count(CountArgs),
    /// Train one architecture to the end and keep its weights
    Train(TrainArgs),
    /// Export weights or a network description, for PyTorch or other tools
    Export(ExportArgs),
    /// Import weights of the authors' PyTorch code, and measure their accuracy
    Import(ImportArgs),
    /// Show the published architectures
    Zoo(ZooArgs),
    /// Show the published results beside the counted parameters and operations
    #[command(alias = "table")]
    Published(PublishedArgs),
    /// Compare search strategies on NAS-Bench-201, where every query is charged
    Bench(BenchArgs),
    /// Work with a tabular benchmark of your own
    #[command(subcommand)]
    Benchmark(BenchmarkCommand),
    /// The earlier name of `nao benchmark check`
    #[command(hide = true)]
    TableCheck(BenchmarkCheckArgs),
    /// Fit a predictor to architectures and scores of your own, and measure how well it ranks
    Fit(FitArgs),
    /// Predict the scores of architectures
    Predict(PredictArgs),
    /// Describe, sample, encode, decode and check sequences of a search space
    #[command(subcommand)]
    Space(SpaceCommand),
    /// Simulate a search on a cluster: its time, and the load on coordinator and scheduler
    Simulate(SimulateArgs),
    /// Train the trials of a search that was started with --executor workers
    Worker(WorkerArgs),
}
