//! The arguments of `nao draw`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::CellOptions;

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
    pub space: CellOptions,

    /// Which architecture of a run folder, counted from the best
    #[arg(long, default_value_t = 1)]
    pub rank: usize,

    /// [default: that of the file's name, .svg, .dot, .gv or .json, or svg]
    #[arg(long, value_enum)]
    pub format: Option<DrawFormat>,

    /// Where to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
