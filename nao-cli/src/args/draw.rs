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
    /// The drawn graph as JSON
    Json,
}

#[derive(Debug, ClapArgs)]
pub struct DrawArgs {
    /// `@NAME` from the zoo, a string of the space in quotes, a genotype, a file with one of them or with JSON, or a run folder
    /// (with --rank)
    pub arch: String,
    #[command(flatten)]
    pub space: AnySpaceOptions,

    /// Code base whose network the image cells form; it decides what they concatenate [default: the one that the cell
    /// names]
    #[arg(long, value_enum, value_name = "CODE")]
    pub convention: Option<ConventionName>,

    /// Rank of the architecture in a run folder; 1 is the best [default: 1]
    #[arg(long)]
    pub rank: Option<usize>,

    /// Output format [default: that of the file's name (.svg, .dot, .gv, .json), otherwise svg]
    #[arg(long, value_enum)]
    pub format: Option<DrawFormat>,

    /// Output file [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
