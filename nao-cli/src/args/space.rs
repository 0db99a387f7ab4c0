//! Spaces on the command line, and the arguments of `nao space`.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::cell_network::ConventionName;

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

impl SpaceKind {
    /// The kind of that name. Cells of other spaces have no training here.
    pub fn read(name: &str) -> Result<Self, String> {
        SpaceKind::from_str(name, false).map_err(|_| {
            "cells of images (cnn) and of text (rnn) are searched and trained; architectures of other spaces are drawn (nao \
             draw), predicted (nao fit) and looked up in tables (nao bench)"
                .to_owned()
        })
    }
}

/// A space of cells of either kind, for an architecture named on the command line.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct CellOptions {
    /// Kind of cells, cnn or rnn [default: that of the architecture, recipe or data where it shows, otherwise cnn]
    #[arg(long, value_parser = SpaceKind::read, value_name = "SPACE")]
    pub space: Option<SpaceKind>,

    /// Operation set in whose ids image cells are written: <operation sets> [default: one that holds the cell if it comes
    /// with the names of its operations, otherwise paper-11]
    #[arg(long, value_name = "SET")]
    pub ops: Option<String>,

    /// Nodes per image cell, 1 to 12 [default: 5], or per recurrent cell, 1 to 64 [default: 11]
    #[arg(long, value_name = "B")]
    pub nodes: Option<usize>,

    /// Order of activations that the ids of recurrent cells refer to: nao or nao-ws [default: nao]
    #[arg(long)]
    pub order: Option<String>,

    /// Code base whose network the image cells form [default: the one that the cell names; for a genotype, darts]
    #[arg(long, value_enum, value_name = "CODE")]
    pub convention: Option<ConventionName>,
}

impl CellOptions {
    /// The flags that were given.
    pub fn given(&self) -> [(&'static str, bool); 5] {
        [
            ("space", self.space.is_some()),
            ("ops", self.ops.is_some()),
            ("nodes", self.nodes.is_some()),
            ("order", self.order.is_some()),
            ("convention", self.convention.is_some()),
        ]
    }
}

/// A space of any kind.
#[derive(Debug, Clone, ClapArgs, Serialize, Deserialize)]
pub struct AnySpaceOptions {
    /// Search space: <spaces>; choice:FILE is a space of your own in TOML [default: cnn]
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,

    /// Operation set of image cells: <operation sets> [default: paper-11]
    #[arg(long, value_name = "SET")]
    pub ops: Option<String>,

    /// Nodes per image cell, 1 to 12 [default: 5], or per recurrent cell, 1 to 64 [default: 11]
    #[arg(long, value_name = "B")]
    pub nodes: Option<usize>,

    /// Token encoding of image cells: pairs, kind-size or op-pair [default: pairs]
    #[arg(long)]
    pub encoding: Option<String>,

    /// Order of activations that the ids of recurrent cells refer to: nao or nao-ws [default: nao]
    #[arg(long)]
    pub order: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum SpaceCommand {
    /// Describe the space: operations, tokens, grammar, size
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
        /// Number of architectures
        #[arg(short = 'n', long, default_value_t = 1)]
        count: u64,
        /// Seed of the draw
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the tokens of an architecture
    Encode {
        /// `@NAME`, a string of the space in quotes, a genotype, or a file with one of them or with JSON
        arch: String,
        #[command(flatten)]
        space: AnySpaceOptions,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Explain tokens in words, and show the first that the grammar forbids
    Explain {
        /// Token numbers, separated by spaces or commas
        tokens: String,
        #[command(flatten)]
        space: AnySpaceOptions,
    },
    /// Print the architecture that tokens mean
    Decode {
        /// Token numbers, separated by spaces or commas
        tokens: String,
        #[command(flatten)]
        space: AnySpaceOptions,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check that a text is an architecture of the space, and print its canonical spelling
    Check {
        /// `@NAME`, a string of the space in quotes, a genotype, or a file with one of them or with JSON
        arch: String,
        #[command(flatten)]
        space: AnySpaceOptions,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}
