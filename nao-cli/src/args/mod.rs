//! The command line: one file per command or family of commands.

mod bench;
mod count;
mod draw;
mod predictor;
mod search;
mod space;
mod table_check;
mod train;
mod weights;
mod zoo;

use clap::{Parser, Subcommand};

pub use bench::{BenchArgs, BenchMode, BenchProtocol};
pub use count::CountArgs;
pub use draw::{DrawArgs, DrawFormat};
pub use predictor::{FitArgs, PredictArgs};
pub use search::{
    BestArgs, CancelArgs, ExecutionOptions, ResumeArgs, RunFolderArgs, RunOptions, SearchArgs, SimulateArgs,
    WorkerArgs,
};
pub use space::{AnySpaceOptions, CellOptions, SpaceCommand, SpaceKind};
pub use table_check::TableCheckArgs;
pub use train::TrainArgs;
pub use weights::{ExportArgs, ExportFormat, ImportArgs, ParameterNames};
pub use zoo::{TableArgs, ZooArgs};

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
    /// Show how a run stands: what runs where, and what failed why
    Status(RunFolderArgs),
    /// Stop a run and everything that works for it, wherever it is
    Cancel(CancelArgs),
    /// Draw an architecture of any space as SVG or DOT
    Draw(DrawArgs),
    /// Count the parameters and operations of image cells in a network
    Count(CountArgs),
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
    /// Simulate a search on a cluster: its time, and what it asks of coordinator and scheduler
    Simulate(SimulateArgs),
    /// Train children of a search that was started with --executor workers
    Worker(WorkerArgs),
}
