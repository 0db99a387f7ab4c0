//! Spaces on the command line, and the arguments of `nao space`.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

/// The two kinds of cells that can be searched and trained.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpaceKind {
    /// Image cells, trained on images
    #[default]
    Cnn,
    /// Recurrent cells, trained as language models on text
    Rnn,
}

/// The space of image cells.
#[derive(Debug, Clone, ClapArgs)]
pub struct SpaceOptions {
    /// Operation set in whose ids the string is written [default: paper-11]
    #[arg(long, value_name = "SET")]
    pub ops: Option<String>,

    /// Nodes per cell, 1 to 12 [default: 5]
    #[arg(long, value_name = "B")]
    pub nodes: Option<usize>,
}

/// A space of cells of either kind, for an architecture named on the command line.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct CellOptions {
    /// Kind of cells [default: that of the architecture, recipe or data where it shows, otherwise cnn]
    #[arg(long, value_enum, value_name = "SPACE")]
    pub space: Option<SpaceKind>,

    /// Operation set in whose ids image cells are written [default: paper-11]
    #[arg(long, value_name = "SET")]
    pub ops: Option<String>,

    /// Nodes per image cell, 1 to 12 [default: 5], or per recurrent cell, 1 to 64 [default: 11]
    #[arg(long, value_name = "B")]
    pub nodes: Option<usize>,

    /// Order of the activations in whose ids recurrent cells are written: nao or nao-ws [default: nao]
    #[arg(long)]
    pub order: Option<String>,
}

impl From<&SpaceOptions> for CellOptions {
    fn from(options: &SpaceOptions) -> Self {
        CellOptions { ops: options.ops.clone(), nodes: options.nodes, ..CellOptions::default() }
    }
}

/// A space of any kind.
#[derive(Debug, Clone, ClapArgs, Serialize, Deserialize)]
pub struct AnySpaceOptions {
    /// cnn, rnn, darts, hierarchical, nasbench101, nasbench201, or choice:FILE, a space of your own in TOML [default: cnn]
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
