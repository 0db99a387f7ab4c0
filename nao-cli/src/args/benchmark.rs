//! The arguments of `nao benchmark`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::AnySpaceOptions;

#[derive(Debug, Subcommand)]
pub enum BenchmarkCommand {
    /// Check a benchmark: trained architectures with their scores in a CSV file, plain, .gz or .zst
    Check(BenchmarkCheckArgs),
}

#[derive(Debug, ClapArgs)]
pub struct BenchmarkCheckArgs {
    /// The CSV file, plain, .gz or .zst
    pub file: PathBuf,
    #[command(flatten)]
    pub space: AnySpaceOptions,

    /// TOML file that says what the columns mean: name, architecture (columns), objective, direction, unit, and
    /// [[labels]] with column, label, divisor, seconds, params, macs [default for nasbench101 and nasbench201: the
    /// columns of their published tables]
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
