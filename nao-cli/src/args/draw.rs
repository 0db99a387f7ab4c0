//! The arguments of `nao draw`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::AnySpaceOptions;
use crate::cell_network::ConventionName;

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
    /// `@NAME` from the zoo, a string of the space in quotes, a genotype, a file with one of them or with JSON, or a run folder
    /// (with --rank)
    pub arch: String,
    #[command(flatten)]
    pub space: AnySpaceOptions,

    /// Whose network is made of image cells, which says what they concatenate [default: what the cell says]
    #[arg(long, value_enum, value_name = "CODE")]
    pub convention: Option<ConventionName>,

    /// Which architecture of a run folder, counted from the best [default: 1]
    #[arg(long)]
    pub rank: Option<usize>,

    /// [default: that of the file's name, .svg, .dot, .gv or .json, or svg]
    #[arg(long, value_enum)]
    pub format: Option<DrawFormat>,

    /// Where to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
