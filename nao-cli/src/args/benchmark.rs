//! The arguments of `nao table-check`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::AnySpaceOptions;

#[derive(Debug, ClapArgs)]
pub struct TableCheckArgs {
    /// The CSV file, perhaps packed as .gz or .zst
    pub file: PathBuf,
    #[command(flatten)]
    pub space: AnySpaceOptions,

    /// A TOML file that says what the columns mean: name, architecture (columns), objective, direction, unit, and
    /// [[labels]] with column, label, divisor, seconds, params, macs [default: that of the two benchmarks' tables]
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
