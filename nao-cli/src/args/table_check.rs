//! The arguments of `nao table-check`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::SpaceOptions;

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
